"""What the service did in a period, counted from its log: the numbers that a patient-safety officer asks for.

A card counts in the week and for the client of the hook that made it, whenever its feedback came; so the rates of a
week belong to the cards of that week. Of several feedback items for one card the last one counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.audit.records import FIRST_SERVICE, FeedbackRecord, HookRecord, ServiceRecord, ViewRecord
from cds_service.cards.builder import OVERRIDE_REASON_SYSTEM
from cds_service.clinical.evidence import IMPRECISION_BAND

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

    from cds_service.audit.bookkeeping import AnyRecord

ACCEPTED: Final = "accepted"
OVERRIDDEN: Final = "overridden"
NO_REASON: Final = "(no reason given)"
_DECIDED: Final = frozenset({"above-cutoff", "not-above-cutoff"})

# SII in 10*9/L; equal steps on a logarithmic axis, since SII is far from symmetric.
SII_EDGES: Final = (10, 18, 32, 56, 100, 140, 200, 280, 400, 560, 800, 1120, 1600, 3200, 10_000, 100_000)


@dataclass(slots=True)
class Counts:
    """Hooks by outcome, and what became of the cards they made."""

    hooks: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    silent: int = 0
    snoozed: int = 0
    accepted: int = 0
    overridden: int = 0

    @property
    def unanswered(self) -> int:
        """Count the cards that were shown and never answered for."""
        return self.shown - self.accepted - self.overridden

    @property
    def decided(self) -> int:
        """Count the hooks whose SII was told."""
        return sum(self.outcomes[outcome] for outcome in _DECIDED)

    @property
    def eligible(self) -> int:
        """Count the hooks for patients the rule speaks about."""
        return self.decided + self.outcomes["indeterminate"]


class Version(NamedTuple):
    """A rule version with its mapping tables and configuration."""

    rule: str
    mappings: str
    configuration: str


@dataclass(slots=True)
class Use:
    """When a version was first and last met, and for how many hooks."""

    first: datetime
    last: datetime
    hooks: int = 0


@dataclass(slots=True)
class Statistics:
    """All counts of one service in one period. `first` and `last` are the times of the first and the last hook counted.

    `views` are pages of the trend app that were shown or refused; they are no hooks. `other_services` counts the hooks
    of services that the figures are not about.
    """

    service: str
    first: datetime | None = None
    last: datetime | None = None
    total: Counts = field(default_factory=Counts)
    weeks: defaultdict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    clients: defaultdict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    not_eligible: Counter[str] = field(default_factory=Counter)
    indeterminate: Counter[str] = field(default_factory=Counter)
    unavailable: Counter[str] = field(default_factory=Counter)
    exclusions: Counter[str] = field(default_factory=Counter)
    override_reasons: Counter[str] = field(default_factory=Counter)
    sii: list[int] = field(default_factory=lambda: [0] * (len(SII_EDGES) - 1))
    near_cutoff: int = 0
    cutoffs: Counter[str] = field(default_factory=Counter)
    shown_per_patient: Counter[str] = field(default_factory=Counter)
    users: set[str] = field(default_factory=set)
    versions: dict[Version, Use] = field(default_factory=dict)
    decide_ms: list[float] = field(default_factory=list)
    views: int = 0
    views_refused: int = 0
    other_services: Counter[str] = field(default_factory=Counter)
    feedback_items: int = 0
    feedback_repeated: int = 0
    feedback_unknown: int = 0
    feedback_not_shown: int = 0
    unreadable: int = 0


class _Card(NamedTuple):
    week: str
    client: str
    shown: bool


def count(
    records: Iterable[AnyRecord | None],
    zone: tzinfo,
    since: datetime | None,
    until: datetime | None,
    service: str = FIRST_SERVICE,
) -> Statistics:
    """Count the hooks of a service in a period, both ends inclusive, and the feedback on their cards.

    Weeks are ISO weeks in `zone`. None stands for a line that cannot be read.
    """
    return _Counting(zone, since, until, service).run(records)


class _Counting:
    """One pass over the log."""

    def __init__(self, zone: tzinfo, since: datetime | None, until: datetime | None, service: str) -> None:
        self._zone = zone
        self._since = since
        self._until = until
        self._told = Statistics(service)
        self._cards: dict[str, _Card] = {}
        self._earlier_cards: set[str] = set()
        self._answers: dict[str, FeedbackRecord] = {}

    def run(self, records: Iterable[AnyRecord | None]) -> Statistics:
        for record in records:
            if record is None:
                self._told.unreadable += 1
            elif isinstance(record, ServiceRecord) and record.service != self._told.service:
                self._count_elsewhere(record)
            elif isinstance(record, HookRecord):
                self._count_hook(record)
            elif isinstance(record, ViewRecord):
                self._count_view(record)
            elif isinstance(record, FeedbackRecord):
                self._count_feedback(record)
        for card, answer in self._answers.items():
            self._count_answer(self._cards[card], answer)
        return self._told

    def _is_in_period(self, time: datetime) -> bool:
        return (self._since is None or time >= self._since) and (self._until is None or time <= self._until)

    def _count_hook(self, record: HookRecord) -> None:
        if not self._is_in_period(record.time):
            if record.card is not None:
                self._earlier_cards.add(record.card)
            return
        told = self._told
        year, week, _ = record.time.astimezone(self._zone).isocalendar()
        name = f"{year}-W{week:02}"
        told.first = told.first or record.time
        told.last = record.time
        for counts in (told.total, told.weeks[name], told.clients[record.client]):
            _add_hook(counts, record)
        if record.card is not None:
            self._cards[record.card] = _Card(name, record.client, record.shown)
        self._count_reasons(record)
        self._count_version(record)
        told.users.add(record.user)
        if record.shown:
            told.shown_per_patient[record.patient] += 1
        if "decide" in record.timings_ms:
            told.decide_ms.append(record.timings_ms["decide"])

    def _count_elsewhere(self, record: ServiceRecord) -> None:
        if isinstance(record, HookRecord) and self._is_in_period(record.time):
            self._told.other_services[record.service] += 1

    def _count_view(self, record: ViewRecord) -> None:
        if self._is_in_period(record.time):
            self._told.views += 1
            self._told.views_refused += not record.shown

    def _count_reasons(self, record: HookRecord) -> None:
        told = self._told
        if record.outcome == "not-eligible":
            told.not_eligible.update(record.reasons)
        elif record.outcome == "indeterminate":
            told.indeterminate.update(record.reasons)
        elif record.outcome in _DECIDED:
            self._count_sii(record)
        told.unavailable.update(record.missing)
        told.exclusions.update(record.exclusion_counts)

    def _count_sii(self, record: HookRecord) -> None:
        told = self._told
        try:
            sii, cutoff = Decimal(record.sii or ""), Decimal(record.cutoff or "")
        except InvalidOperation:
            return
        place = min(max(bisect_right(SII_EDGES, sii) - 1, 0), len(told.sii) - 1)
        told.sii[place] += 1
        told.near_cutoff += abs(sii - cutoff) <= IMPRECISION_BAND[1]
        told.cutoffs[f"{cutoff:f}"] += 1

    def _count_version(self, record: HookRecord) -> None:
        version = Version(record.rule_version, record.mapping_version, record.configuration)
        use = self._told.versions.setdefault(version, Use(record.time, record.time))
        use.last = record.time
        use.hooks += 1

    def _count_feedback(self, record: FeedbackRecord) -> None:
        """Remember the last answer for a card of the period; count what is no answer for one."""
        told = self._told
        card = self._cards.get(record.card)
        if card is None:
            known = record.card in self._earlier_cards
            if self._is_in_period(record.time) and not known:
                told.feedback_items += 1
                told.feedback_unknown += 1
            return
        told.feedback_items += 1
        if not card.shown:
            told.feedback_not_shown += 1
            return
        told.feedback_repeated += record.card in self._answers
        self._answers[record.card] = record

    def _count_answer(self, card: _Card, answer: FeedbackRecord) -> None:
        told = self._told
        for counts in (told.total, told.weeks[card.week], told.clients[card.client]):
            counts.accepted += answer.outcome == ACCEPTED
            counts.overridden += answer.outcome == OVERRIDDEN
        if answer.outcome == OVERRIDDEN:
            told.override_reasons[_reason_name(answer)] += 1


def _reason_name(answer: FeedbackRecord) -> str:
    """Return the code; one that is not of this service's list with its system, since "3" alone says nothing."""
    if answer.reason_code is None:
        return NO_REASON
    foreign = answer.reason_system not in (None, OVERRIDE_REASON_SYSTEM)
    return f"{answer.reason_code} ({answer.reason_system})" if foreign else answer.reason_code


def _add_hook(counts: Counts, record: HookRecord) -> None:
    counts.hooks += 1
    counts.outcomes[record.outcome] += 1
    presentation = record.how_presented
    counts.shown += presentation == "shown"
    counts.silent += presentation == "silent"
    counts.snoozed += presentation == "snoozed"
