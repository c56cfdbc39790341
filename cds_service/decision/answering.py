"""How every CDS Service answers: decide, say it, record it, answer; one line a step."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import EXTENSION_NAME, assessment_extension
from cds_service.decision.definition import SPECIFICATION_VERSION
from cds_service.decision.flow import decide
from cds_service.decision.recording import Moment, present
from cds_service.errors import DataUnavailableError
from cds_service.hooks.discovery import ServiceDescription
from cds_service.hooks.request import HOOK
from cds_service.hooks.response import Answer, CDSResponse, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cds_service.acquisition.delivery import Fetching
    from cds_service.authorization.clients import TrustedClient
    from cds_service.clinical.outcomes import Assessment
    from cds_service.decision.flow import Decision
    from cds_service.decision.recording import Recorder
    from cds_service.decision.site import Site
    from cds_service.decision.snoozing import Snoozing
    from cds_service.hooks.feedback import FeedbackBatch
    from cds_service.hooks.request import CDSRequest
    from cds_service.hooks.response import Card


class DecisionService:
    """Answers patient-view for one service of one site."""

    def __init__(self, site: Site, recorder: Recorder, fetching: Fetching, snoozing: Snoozing | None = None) -> None:
        """Keep the site, where decisions are recorded, how missing data are fetched, and what is snoozed, if at all."""
        self._snoozing = snoozing
        self._site = site
        self._fetching = fetching
        self._recorder = recorder
        self._cards = CardBuilder(site.service.voice, site.cards, site.policy, site.mappings.version)

    @property
    def id(self) -> str:
        """Name the service in its path."""
        return self._site.service.id

    @property
    def rule_version(self) -> str:
        """Name the version of the rule it decides by."""
        return self._site.service.rule_version

    def describe(self) -> ServiceDescription:
        """Return the entry of the discovery answer, in the language of the site: no client is known yet."""
        service, site = self._site.service, self._site
        texts = service.voice.texts_in(site.cards.language)
        return ServiceDescription(
            hook=HOOK,
            title=texts.discovery_title,
            description=texts.discovery_description.format(cutoff=site.policy.cutoff),
            id=service.id,
            prefetch={key: query.template() for key, query in self._fetching.queries.items()},
            usage_requirements=texts.usage_requirements,
            version=SPECIFICATION_VERSION,
        )

    def answer(
        self,
        request: CDSRequest,
        client: TrustedClient,
        *,
        request_id: str,
        now: datetime,
        new_uuid: Callable[[], str],
    ) -> Answer:
        """Decide, record the decision, and return the cards; in silent mode the record is all there is.

        Raises ServiceError when data cannot be had or the decision cannot be recorded.
        """
        started, plan = perf_counter(), self._fetching.plan()
        try:
            decision = decide(request, client, self._site, now, plan)
        except DataUnavailableError as error:
            self._recorder.record_unavailable(request, client, error.keys, _moment(request_id, now, started))
            raise
        cards = self._cards.in_language(client.language).build(
            decision.assessment, new_uuid, decision.gaps, client.trend_app
        )
        snoozed = self._snoozed_until(request, client, decision, cards, now)
        presentation = present(cards, client, snoozed)
        moment = _moment(request_id, now, started)
        # The last moment at which nothing is recorded, so nothing is half recorded.
        plan.check()
        self._recorder.record_decision(request, client, decision, cards, presentation, moment)
        if self._snoozing is not None and presentation == "shown":
            self._snoozing.note_shown(cards[0].uuid, request.context.patientId, client, decision, now)
        response = respond(cards, decision, self._site, snoozed, silent=client.mode == "silent")
        return Answer(response, _verdict(decision.assessment))

    def receive_feedback(self, batch: FeedbackBatch, client: TrustedClient, *, request_id: str, now: datetime) -> None:
        """Record what became of cards. Unknown cards are recorded too: another host may have shown them."""
        self._recorder.record_feedback(batch.items, client, Moment(request_id, now, {}))
        if self._snoozing is not None:
            self._snoozing.take_feedback(batch.items, client, now)

    def _snoozed_until(
        self, request: CDSRequest, client: TrustedClient, decision: Decision, cards: tuple[Card, ...], now: datetime
    ) -> datetime | None:
        if self._snoozing is None or not cards or client.mode == "silent":
            return None
        return self._snoozing.until(request.context.patientId, client, decision, now)


def respond(
    cards: tuple[Card, ...], decision: Decision, site: Site, snoozed: datetime | None = None, *, silent: bool
) -> CDSResponse:
    """Return the answer to a hook. A snooze hides the cards and is told in the extension; silence hides both."""
    if silent:
        return CDSResponse(cards=())
    cards = cards if snoozed is None else ()
    if not site.cards.assessment_extension:
        return CDSResponse(cards=cards)
    told = assessment_extension(
        site.service.rule_version, decision.assessment, decision.facts.excluded_reasons, decision.gaps, snoozed
    )
    return CDSResponse(cards=cards, extension={EXTENSION_NAME: told})


def _verdict(assessment: Assessment) -> Verdict:
    return Verdict(assessment.outcome, assessment.reasons, tuple(assessment.exclusions.items()))


def _moment(request_id: str, now: datetime, started: float) -> Moment:
    return Moment(request_id, now, {"decide": (perf_counter() - started) * 1000})
