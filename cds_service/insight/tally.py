"""Adding rows up: one tally for each group, in memory that grows with the groups and never with the rows.

What a tally counts by is a closed vocabulary (reasons, analytes, codes of the mapping tables), or is cut off where
somebody else chooses the words (override reasons). Values are counted in bins.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from cds_service.clinical.models import Analyte
from cds_service.insight.row import INDETERMINATE, NOT_ELIGIBLE, UNAVAILABLE, Exclusion, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from cds_service.insight.row import DecisionRow, UsedResult

Key = TypeVar("Key", bound="Hashable")
Coarser = TypeVar("Coarser", bound="Hashable")

ACCEPTED: Final = "accepted"
OVERRIDDEN: Final = "overridden"

# Override reasons are codes of the EHR. With more of them than this the rest counts as one.
MOST_OVERRIDE_REASONS: Final = 200
OTHER_REASONS: Final = "(other reasons)"

# Names of spreads; those of analytes have the analyte's name, shares of the leukocytes with `-share` behind it.
SII: Final = "sii"
LATENCY: Final = "latency"
SAMPLE_AGE: Final = "sample-age"
BINS_PER_DECADE: Final = 100
_COUNTS: Final = (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS)
_SMALLEST: Final = 1e-6


class InForce(NamedTuple):
    """What a decision was made with, and whether it was to be shown; a change of it may explain a change of figures."""

    version: Version
    mode: str


@dataclass(slots=True)
class Tally:
    """What the decisions of a group add up to; `merge` adds groups up.

    `hooks`, `outcomes`, `presentations` (what became of the card), `refusals` (reasons of those not eligible),
    `missing` (prefetch keys), `unused` (results that were not used, by reason) and `in_force` count decisions.

    The others count patients, which are decisions too unless the caller says that somebody was counted before:
    `patients` by outcome, those whose data could be had and who are eligible; `reasons` of the indeterminate ones;
    `excluded` with at least one such exclusion; `lacking` with newer results, but none of this analyte; `analytes` and
    `codes` (analyte, code) whose value or albumin came from there; `above_shown` above the cut-off whose card left the
    service, `above_withheld` whose card was kept back though it was not snoozed. `spreads` count values by bins:
    hundredths of a decade for SII, analytes (canonical units) and latency (ms), days for the age of the draw.

    `answers` counts feedback by outcome, `override_reasons` that which overrides.
    """

    hooks: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    presentations: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)
    in_force: Counter[InForce] = field(default_factory=Counter)
    patients: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    excluded: Counter[Exclusion] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)
    analytes: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    above_shown: int = 0
    above_withheld: int = 0
    spreads: dict[str, Counter[int]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    override_reasons: Counter[str] = field(default_factory=Counter)

    @property
    def eligible(self) -> int:
        """Patients for whom SII was looked for."""
        return self.patients.total()

    @property
    def decided(self) -> int:
        """Patients whose SII could be told."""
        return self.patients["above-cutoff"] + self.patients["not-above-cutoff"]

    @property
    def answered(self) -> int:
        """Decisions for which the data could be had."""
        return self.hooks - self.outcomes[UNAVAILABLE]

    @property
    def shown(self) -> int:
        """Cards that left the service."""
        return self.presentations["shown"]

    @property
    def unanswered(self) -> int:
        """Cards that were shown and never answered for."""
        return self.shown - self.answers[ACCEPTED] - self.answers[OVERRIDDEN]

    def add(self, row: DecisionRow, *, new_patient: bool = True, times: int = 1) -> None:
        """Count a decision, `times` over; its patient too, unless the patient was counted before."""
        self.hooks += times
        self.outcomes[row.outcome] += times
        self.presentations[row.presentation] += times
        self.in_force[InForce(row.version, row.mode)] += times
        if row.ms is not None:
            self._spread(LATENCY, log_bin(row.ms), times)
        _add_each(self.missing, row.missing, times)
        for reason, count in row.exclusions.items():
            self.unused[reason] += count * times
        if row.outcome == NOT_ELIGIBLE:
            _add_each(self.refusals, row.reasons, times)
        elif new_patient and row.outcome != UNAVAILABLE:
            self._add_patient(row, times)

    def _add_patient(self, row: DecisionRow, times: int) -> None:
        self.patients[row.outcome] += times
        if row.outcome == INDETERMINATE:
            _add_each(self.reasons, row.reasons, times)
        _add_each(self.excluded, row.excluded, times)
        for analyte in _COUNTS if row.newer else ():
            self.lacking[analyte] += times * (analyte not in row.newer)
        if row.sampled is not None:
            self._spread(SAMPLE_AGE, max(0, (row.day - row.sampled).days), times)
        if row.outcome == "above-cutoff":
            self.above_shown += times * row.is_shown
            self.above_withheld += times * (row.presentation in ("silent", "none"))
        if row.is_decided:
            if row.value is not None:
                self._spread(SII, log_bin(float(row.value)), times)
            for used in row.codes:
                self._add_result(used, times)

    def _add_result(self, used: UsedResult, times: int) -> None:
        self.analytes[used.analyte] += times
        self.codes[used.analyte, used.code] += times
        # Percentages have another scale than counts: they are a spread of their own.
        if used.value is not None:
            name = f"{used.analyte}-share" if used.is_share else used.analyte
            self._spread(name, log_bin(float(used.value)), times)

    def add_answer(self, outcome: str, reason: str) -> None:
        """Count what a user did with a card; `reason` is why it was overridden."""
        self.answers[outcome] += 1
        if outcome == OVERRIDDEN:
            known = reason in self.override_reasons or len(self.override_reasons) < MOST_OVERRIDE_REASONS
            self.override_reasons[reason if known else OTHER_REASONS] += 1

    def merge(self, other: Tally) -> None:
        """Add another tally to this one."""
        for member in fields(self):
            mine, others = getattr(self, member.name), getattr(other, member.name)
            if isinstance(mine, Counter):
                mine.update(others)
            elif isinstance(mine, int):
                setattr(self, member.name, mine + others)
        for name, spread in other.spreads.items():
            self.spreads.setdefault(name, Counter()).update(spread)

    def _spread(self, name: str, position: int, times: int) -> None:
        self.spreads.setdefault(name, Counter())[position] += times


class Groups(dict[Key, Tally], Generic[Key]):
    """Tallies by what rows are grouped by."""

    def at(self, key: Key) -> Tally:
        """Return the tally of a group to add to, a new one where there is none yet."""
        tally = self.get(key)
        if tally is None:
            tally = self[key] = Tally()
        return tally

    def of(self, key: Key) -> Tally:
        """Return the tally of a group to read, an empty one where there is no row."""
        return self.get(key) or Tally()

    def by(self, coarser: Callable[[Key], Coarser]) -> Groups[Coarser]:
        """Add groups up to larger ones."""
        larger: Groups[Coarser] = Groups()
        for key, tally in self.items():
            larger.at(coarser(key)).merge(tally)
        return larger


def added(tallies: Iterable[Tally]) -> Tally:
    """Return what some tallies add up to."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total


def log_bin(value: float) -> int:
    """Return the bin of a positive value; neighbouring bins are 2.3 % apart."""
    return round(math.log10(max(value, _SMALLEST)) * BINS_PER_DECADE)


def bin_value(position: int) -> float:
    """Return the value in the middle of a bin."""
    return float(10 ** (position / BINS_PER_DECADE))


def quantile(counted: Counter[float], share: float) -> float:
    """Return a quantile of values by how often each occurs, by linear interpolation (type 7 of Hyndman and Fan).

    There must be a value.
    """
    place = share * (counted.total() - 1)
    low = int(place)
    below, above = _ranked(counted, low), _ranked(counted, low + 1)
    return below + (above - below) * (place - low)


def median(values: Iterable[float]) -> float:
    """Return the median. There must be a value."""
    return quantile(Counter(values), 0.5)


def quantile_bin(spread: Counter[int], share: float) -> int:
    """Return the lowest bin up to which at least this share of a spread lies. The spread must not be empty."""
    return _ranked(spread, math.ceil(share * spread.total()) - 1)


Ranked = TypeVar("Ranked", int, float)


def _ranked(counted: Counter[Ranked], rank: int) -> Ranked:
    """Return the value of this rank among all, beginning with 0; the outermost beyond the ends."""
    seen = 0
    for value in sorted(counted):
        seen += counted[value]
        if seen > rank:
            return value
    return max(counted)


def _add_each(counter: Counter[Key], keys: Iterable[Key], times: int) -> None:
    for key in keys:
        counter[key] += times
