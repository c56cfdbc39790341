"""What the service did in a period, counted from the rows of its log: what a patient-safety officer asks for.

A card counts in the week and for the client of the hook that made it, whenever its feedback came; so the rates of a
week belong to the cards of that week. Of several feedback items for one card the last one counts. Memory grows with the
cards, patients and users of the period, since each is told apart, and not with the hooks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.cards.builder import OVERRIDE_REASON_SYSTEM
from cds_service.insight.row import DecisionRow
from cds_service.insight.tally import Groups, InForce, Tally, added

if TYPE_CHECKING:
    from datetime import date, datetime

    from cds_service.decision.definition import ServiceDefinition
    from cds_service.insight.row import AnswerRow, Version
    from cds_service.insight.sources.audit_log import LogRows

NO_REASON: Final = "(no reason given)"


@dataclass(slots=True)
class Use:
    """When a version was first and last met, and for how many hooks."""

    first: datetime
    last: datetime
    hooks: int = 0


@dataclass(slots=True)
class Statistics:
    """All counts of one service in one period, which begins with `since` where that was given.

    `first` and `last` are the times of the first and the last hook counted.

    `total`, `weeks` (ISO weeks) and `clients` add the same hooks up, each hook as a patient of its own. `decide_ms`
    counts how often a decision took so long. `views` are pages of the trend app that were shown or refused; they are no
    hooks. `other_services` counts the hooks of services that the figures are not about. `index` counts decided hooks by
    the spans of the service's rule, the outermost with all beyond them; `near_cutoff` those within its imprecision.
    `in_force` counts what decided by client and day, also before the period, so that a change on its first day shows;
    `limits` are the recorded policies by configuration hash.
    """

    service: ServiceDefinition
    since: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    total: Tally = field(default_factory=Tally)
    weeks: Groups[str] = field(default_factory=Groups)
    clients: Groups[str] = field(default_factory=Groups)
    index: list[int] = field(default_factory=list)
    near_cutoff: int = 0
    cutoffs: Counter[str] = field(default_factory=Counter)
    shown_per_patient: Counter[str] = field(default_factory=Counter)
    users: set[str] = field(default_factory=set)
    versions: dict[Version, Use] = field(default_factory=dict)
    decide_ms: Counter[float] = field(default_factory=Counter)
    views: int = 0
    views_refused: int = 0
    other_services: Counter[str] = field(default_factory=Counter)
    feedback_items: int = 0
    feedback_repeated: int = 0
    feedback_unknown: int = 0
    feedback_not_shown: int = 0
    unreadable: int = 0
    in_force: dict[str, dict[date, Counter[InForce]]] = field(default_factory=dict)
    limits: dict[str, bytes] = field(default_factory=dict)


class _Place(NamedTuple):
    week: str
    client: str


class _Card(NamedTuple):
    place: _Place
    shown: bool


def count(rows: LogRows, since: datetime | None, until: datetime | None, service: ServiceDefinition) -> Statistics:
    """Count the hooks of a service in a period, both ends inclusive, and the feedback on their cards."""
    counting = _Counting(since, until, service)
    for row in rows:
        counting.add(row)
    statistics = counting.finish()
    statistics.unreadable = rows.unreadable
    statistics.limits = {name: policy for (owner, name), policy in rows.limits.items() if owner == service.id}
    return statistics


class _Counting:
    """One pass over the log."""

    def __init__(self, since: datetime | None, until: datetime | None, service: ServiceDefinition) -> None:
        self._since = since
        self._until = until
        self._rule = service.rule
        self._told = Statistics(service, since, index=[0] * (len(service.rule.spans) - 1))
        self._groups: Groups[_Place] = Groups()
        self._cards: dict[str, _Card] = {}
        self._earlier_cards: set[str] = set()
        self._answers: dict[str, AnswerRow] = {}

    def add(self, row: DecisionRow | AnswerRow) -> None:
        told = self._told
        counts = self._is_in_period(row.time)
        if not isinstance(row, DecisionRow):
            if row.service == told.service.id:
                self._add_answer(row)
        elif row.service != told.service.id:
            told.other_services.update([row.service] if counts and row.kind == "hook" else ())
        elif row.kind == "hook":
            self._note_in_force(row)
            if counts:
                self._add_hook(row)
            elif row.card is not None:
                self._earlier_cards.add(row.card)
        elif counts:
            told.views += 1
            told.views_refused += not row.is_shown

    def finish(self) -> Statistics:
        """Count the last answer for each card, and add the groups up."""
        for card, answer in self._answers.items():
            self._groups.at(self._cards[card].place).add_answer(answer.outcome, _reason_name(answer))
        told = self._told
        told.weeks = self._groups.by(lambda place: place.week)
        told.clients = self._groups.by(lambda place: place.client)
        told.total = added(told.weeks.values())
        return told

    def _is_in_period(self, time: datetime) -> bool:
        return (self._since is None or time >= self._since) and (self._until is None or time <= self._until)

    def _note_in_force(self, row: DecisionRow) -> None:
        if self._until is None or row.time <= self._until:
            days = self._told.in_force.setdefault(row.client, {})
            days.setdefault(row.day, Counter())[InForce(row.version, row.mode)] += 1

    def _add_hook(self, row: DecisionRow) -> None:
        told, place = self._told, _Place(week_name(row.day), row.client)
        told.first = told.first or row.time
        told.last = row.time
        self._groups.at(place).add(row)
        if row.card is not None:
            self._cards[row.card] = _Card(place, row.is_shown)
        use = told.versions.setdefault(row.version, Use(row.time, row.time))
        use.last = row.time
        use.hooks += 1
        told.users.add(row.user)
        if row.is_shown:
            told.shown_per_patient[row.patient] += 1
        if row.ms is not None:
            told.decide_ms[row.ms] += 1
        if row.is_decided:
            self._add_value(row)

    def _add_value(self, row: DecisionRow) -> None:
        told = self._told
        if row.value is None or row.cutoff is None:
            return
        place = min(max(bisect_right(self._rule.spans, row.value) - 1, 0), len(told.index) - 1)
        told.index[place] += 1
        told.near_cutoff += abs(row.value - row.cutoff) <= self._rule.imprecision
        told.cutoffs[f"{row.cutoff:f}"] += 1

    def _add_answer(self, row: AnswerRow) -> None:
        """Remember the last answer for a card of the period; count answers for other cards."""
        told = self._told
        card = self._cards.get(row.card)
        if card is None:
            if self._is_in_period(row.time) and row.card not in self._earlier_cards:
                told.feedback_items += 1
                told.feedback_unknown += 1
            return
        told.feedback_items += 1
        if not card.shown:
            told.feedback_not_shown += 1
            return
        told.feedback_repeated += row.card in self._answers
        self._answers[row.card] = row


def week_name(day: date) -> str:
    """Name the ISO week of a day, such as 2026-W07."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _reason_name(answer: AnswerRow) -> str:
    """Return the code; one that is not of this service's list with its system, since "3" alone says nothing."""
    if answer.reason is None:
        return NO_REASON
    foreign = answer.system not in (None, OVERRIDE_REASON_SYSTEM)
    return f"{answer.reason} ({answer.system})" if foreign else answer.reason
