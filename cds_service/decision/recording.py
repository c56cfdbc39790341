"""Every answer leaves a record first: decisions, data that could not be had, feedback."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from cds_service.audit.building import (
    DecisionContext,
    DecisionFacts,
    build_configuration_record,
    build_feedback_record,
    build_hook_record,
    build_refused_view_record,
    build_unavailable_record,
    build_view_record,
)
from cds_service.audit.chain import encode_payload
from cds_service.audit.chart_keeping import ChartKeeper
from cds_service.audit.entries import incomplete_draw
from cds_service.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from msgspec import Raw

    from cds_service.audit.building import Presentation
    from cds_service.audit.log import AuditLog
    from cds_service.audit.records import AuditRecord
    from cds_service.authorization.clients import TrustedClient
    from cds_service.decision.flow import Decision
    from cds_service.decision.site import Site
    from cds_service.hooks.feedback import FeedbackItem
    from cds_service.hooks.request import CDSRequest
    from cds_service.hooks.response import Card

_LOGGER = logging.getLogger(__name__)


class Moment(NamedTuple):
    """The request a record belongs to, when it was answered, and how long its steps took in milliseconds."""

    request_id: str
    now: datetime
    timings_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingChoices:
    """What a site keeps: values, comments of users, patients by pseudonym; and what follows a failed write."""

    keep_values: bool
    pseudonym_key: bytes | None
    keep_comments: bool
    on_failure: Literal["refuse", "continue"]


def present(cards: tuple[Card, ...], client: TrustedClient, snoozed: datetime | None) -> Presentation:
    """Say what becomes of the cards of a decision; `snoozed` is when their snooze ends, if there is one."""
    if not cards:
        return "none"
    if client.mode == "silent":
        return "silent"
    return "shown" if snoozed is None else "snoozed"


class AuditWatch(Protocol):
    """Is told how the audit log does."""

    def note_records(self, number: int, sequence: int, seconds: float, at: float) -> None:
        """Take note of records on the disk: how many, newest number, seconds it took, when (seconds since 1970)."""

    def note_clock(self, *, in_doubt: bool) -> None:
        """Take note of whether the log and the clock of this host agree."""

    def note_failure(self) -> None:
        """Take note of a record that could not be written."""


class Recorder:
    """Writes the audit records of one site."""

    def __init__(self, log: AuditLog, site: Site, choices: RecordingChoices, watch: AuditWatch) -> None:
        """Keep the log, the site whose decisions are recorded, and who is told how the log does."""
        self._log = log
        self._watch = watch
        self._site = site
        self._choices = choices
        self._charts = ChartKeeper(site.mappings)
        # The encoded configuration record; none before `begin`.
        self._limits = b""

    def record_decision(
        self,
        request: CDSRequest,
        client: TrustedClient,
        decision: Decision,
        cards: tuple[Card, ...],
        presentation: Presentation,
        moment: Moment,
    ) -> None:
        """Record a decision. Raises AuditUnavailableError when it cannot be, unless the site carries on without."""
        record = build_hook_record(
            self._context(request, client, moment),
            decision.assessment,
            self._facts(request, decision, moment),
            card=cards[0].uuid if cards else None,
            presentation=presentation,
            timings_ms=moment.timings_ms,
        )
        self._append([record], moment.now)

    def record_unavailable(
        self, request: CDSRequest, client: TrustedClient, missing: tuple[str, ...], moment: Moment
    ) -> None:
        """Record a hook that could not be decided because required data could not be had."""
        context = self._context(request, client, moment)
        self._append([build_unavailable_record(context, missing, timings_ms=moment.timings_ms)], moment.now)

    def record_view(
        self, request: CDSRequest, client: TrustedClient, decision: Decision, card: str | None, moment: Moment
    ) -> None:
        """Record a page of the trend app, before it leaves. Raises as `record_decision` does."""
        record = build_view_record(
            self._context(request, client, moment),
            decision.assessment,
            self._facts(request, decision, moment),
            card=card,
            timings_ms=moment.timings_ms,
        )
        self._append([record], moment.now)

    def record_refused_view(
        self, request: CDSRequest, client: TrustedClient, refused: str, missing: tuple[str, ...], moment: Moment
    ) -> None:
        """Record a page that was refused after its patient was known. Raises as `record_decision` does."""
        context = self._context(request, client, moment)
        self._append([build_refused_view_record(context, refused, missing, timings_ms=moment.timings_ms)], moment.now)

    def record_feedback(self, items: Iterable[FeedbackItem], client: TrustedClient, moment: Moment) -> None:
        """Record feedback, one record an item, all with one sync."""
        records = [
            build_feedback_record(
                item,
                service=self._site.service.id,
                request_id=moment.request_id,
                client=client.name,
                user=None,
                now=moment.now,
                keep_comment=self._choices.keep_comments,
            )
            for item in items
        ]
        if records:
            self._append(records, moment.now)

    def begin(self, now: datetime) -> None:
        """Begin the log, if need be, and record the limits that decisions are made under from now on.

        A log that cannot be written now is no reason not to start: readiness tells of it, and every hook tries again,
        with the limits before its own record.
        """
        record = build_configuration_record(
            self._site.policy,
            service=self._site.service.id,
            configuration=self._site.configuration_hash,
            mode=self._site.mode,
            rule_version=self._site.service.rule_version,
            mapping_version=self._site.mappings.version,
            now=now,
        )
        self._limits = encode_payload(record)
        try:
            self._write(self._log.start, now)
        except AuditUnavailableError as error:
            _LOGGER.error("the audit log cannot be written: %s", error.log_detail)

    def _facts(self, request: CDSRequest, decision: Decision, moment: Moment) -> DecisionFacts:
        facts, laboratory = decision.facts, decision.laboratory
        chart: Raw | None = None
        if self._choices.keep_values:
            chart = self._charts.keep(
                request.context.patientId,
                decision.chart,
                facts.patient,
                laboratory.chart if laboratory is not None else None,
                moment.now.astimezone(self._site.policy.timezone).date(),
            )
        return DecisionFacts(
            conditions=facts.conditions,
            procedures=facts.procedures,
            excluded=laboratory.counts.excluded if laboratory is not None else (),
            incomplete_draw=incomplete_draw(laboratory.counts) if laboratory is not None else (),
            not_delivered=tuple(gap.key for gap in decision.gaps),
            chart=chart,
            chart_too_large=chart is None and self._choices.keep_values,
        )

    def _context(self, request: CDSRequest, client: TrustedClient, moment: Moment) -> DecisionContext:
        return DecisionContext(
            service=self._site.service.id,
            request_id=moment.request_id,
            hook_instance=request.hookInstance,
            client=client.name,
            user=request.context.userId,
            patient=request.context.patientId,
            encounter=request.context.encounterId or "",
            now=moment.now,
            mode=client.mode,
            rule_version=self._site.service.rule_version,
            mapping_version=self._site.mappings.version,
            configuration=self._site.configuration_hash,
            keep_values=self._choices.keep_values,
            pseudonym_key=self._choices.pseudonym_key,
        )

    def _append(self, records: Sequence[AuditRecord], now: datetime) -> None:
        try:
            self._write(partial(self._log.append_batch, records), now, len(records))
        except AuditUnavailableError as error:
            if self._choices.on_failure == "refuse":
                raise
            _LOGGER.error("answered without an audit record: %s", error.log_detail)

    def _write(self, write: Callable[[bytes], None], now: datetime, number: int = 1) -> None:
        """Write under the limits in force, and tell who watches how that went."""
        started = perf_counter()
        try:
            write(self._limits)
        except AuditUnavailableError:
            self._watch.note_failure()
            raise
        self._watch.note_clock(in_doubt=bool(self._log.clock_doubt))
        self._watch.note_records(number, self._log.head().sequence, perf_counter() - started, now.timestamp())
