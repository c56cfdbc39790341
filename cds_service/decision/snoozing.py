"""Optional snooze: a card that was overridden is not shown again for a time, unless SII rises.

It never hides anything when in doubt: a card that is not known, feedback that comes late or says both, other reasons,
other gaps or doubts, another rule, another cut-off, or a state store that cannot be asked all lead to the card being
shown.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cds_service.clinical.outcomes import AboveCutoff, NotAboveCutoff
from cds_service.errors import StateUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cds_service.authorization.clients import TrustedClient
    from cds_service.clinical.outcomes import Assessment
    from cds_service.decision.definition import ServiceDefinition
    from cds_service.decision.flow import Decision
    from cds_service.hooks.feedback import FeedbackItem
    from cds_service.state.snoozes import SnoozeStore

_LOGGER = logging.getLogger(__name__)

_OVERRIDDEN: Final = "overridden"
# Feedback comes at once or in a batch of the day; what comes later snoozes nothing.
_ANSWERABLE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SnoozeOptions:
    """How long an overridden card stays away, and the share of SII whose rise brings it back before."""

    period: timedelta
    rise: Decimal


class Snoozing:
    """Remembers which cards were shown and overridden, for all workers and hosts that share the state store.

    Patients and cards are kept as keyed hashes, with SII, for no longer than needed. An override counts for every
    user of the same EHR: feedback does not say who gave it.
    """

    def __init__(
        self, store: SnoozeStore, options: SnoozeOptions, key: Callable[[], bytes], service: ServiceDefinition
    ) -> None:
        """Keep the store and the service whose cards these are. `key` raises StateUnavailableError if there is none."""
        self._store = store
        self._options = options
        self._key = key
        self._service = service

    def until(self, patient: str, client: TrustedClient, decision: Decision, now: datetime) -> datetime | None:
        """Tell until when the card for a decision is snoozed; None when it is to be shown."""
        try:
            snooze = self._store.find(self._subject(patient, client, decision), _seconds(now))
        except StateUnavailableError as error:
            _LOGGER.warning("the card is shown, nobody knows whether it is snoozed: %s", error.log_detail)
            return None
        if snooze is None or self._has_risen(snooze.sii, decision.assessment.value):
            return None
        return datetime.fromtimestamp(snooze.until, UTC)

    def note_shown(self, card: str, patient: str, client: TrustedClient, decision: Decision, now: datetime) -> None:
        """Remember a card that leaves, so that an override of it can be understood."""
        sii = decision.assessment.value
        try:
            self._store.note_shown(
                self._hash("card", client.name, card),
                self._subject(patient, client, decision),
                f"{sii:f}" if sii is not None else "",
                _seconds(now),
                _seconds(now + _ANSWERABLE),
            )
        except StateUnavailableError as error:
            _LOGGER.warning("an override of this card will not snooze it: %s", error.log_detail)

    def take_feedback(self, items: Iterable[FeedbackItem], client: TrustedClient, now: datetime) -> None:
        """Snooze the cards that were overridden, from the moment of the override on, unless they were accepted, too.

        An accepted card ends the snooze of its advice, and no override of that card begins one any more: feedback may
        come late and in any order, so that nobody knows which of the two was the last word.
        """
        for item in items:
            end = min(item.outcome_at, now) + self._options.period
            try:
                card = self._hash("card", client.name, item.card)
                if item.outcome != _OVERRIDDEN:
                    self._store.wake(card, _seconds(now))
                elif end > now:
                    self._store.snooze(card, _seconds(now), _seconds(end))
            except StateUnavailableError as error:
                _LOGGER.warning("an answer was recorded and changes no snooze of its card: %s", error.log_detail)

    def _has_risen(self, before: str, now: Decimal | None) -> bool:
        if not before or now is None:
            return False
        return now > Decimal(before) * (1 + self._options.rise)

    def _subject(self, patient: str, client: TrustedClient, decision: Decision) -> bytes:
        """Name what is snoozed: this advice of this service with these doubts, for this patient of this EHR."""
        assessment = decision.assessment
        gaps = (f"gap {gap.name}" for gap in decision.gaps)
        said = (f"{assessment.cutoff:f}", assessment.outcome, *_reasons(assessment), *gaps)
        return self._hash("subject", self._service.id, self._service.rule_version, client.name, patient, *said)

    def _hash(self, *parts: str) -> bytes:
        # The lengths keep the parts apart.
        text = "".join(f"{len(part)}:{part}" for part in ("sii-cds snooze", *parts))
        return hmac.digest(self._key(), text.encode(), hashlib.sha256)


def _reasons(assessment: Assessment) -> list[str]:
    """Name why SII cannot be told or, beside a decision, each kind of doubt, however often it occurs."""
    if not isinstance(assessment, (AboveCutoff, NotAboveCutoff)):
        return sorted(map(str, assessment.reasons))
    doubts = {"truncated": assessment.truncated, **assessment.doubts._asdict()}
    newer = sorted({f"newer {unused.reason}" for unused in assessment.doubts.newer})
    notes = assessment.notes
    noted = {
        *(f"recorded {fact.kind}" for fact in notes.recorded),
        *(f"suspected {s.category}" for s in notes.suspected),
    }
    return [*(f"doubt {kind}" for kind, found in doubts.items() if found), *newer, *sorted(noted)]


def _seconds(time: datetime) -> int:
    return int(time.timestamp())
