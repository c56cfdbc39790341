"""What the records of one client on one day add up to.

Hooks are counted as they come. Everything about eligible patients counts a patient once a day, by the first hook
that was answered: a chart that is opened ten times is one observation, not ten.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.clinical.models import Analyte

if TYPE_CHECKING:
    from cds_service.audit.records import FeedbackRecord, HookRecord, ResultEntry

BINS_PER_DECADE: Final = 100
SII: Final = "sii"
LATENCY: Final = "latency"
SAMPLE_AGE: Final = "sample-age"

_DECIDED: Final = ("above-cutoff", "not-above-cutoff")
_SNOOZED: Final = "snoozed"
_COUNTS: Final = (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS)
_SMALLEST: Final = 1e-6


class Exclusion(NamedTuple):
    """A result that was not used, by reason and analyte (empty where the analyte could not be told)."""

    reason: str
    analyte: str


class Version(NamedTuple):
    """What decisions were made with; a change of it may explain a change of the figures."""

    configuration: str
    rule: str
    mapping: str
    mode: str


@dataclass(slots=True)
class DayTally:
    """Counts of one client on one day; `merge` adds days or clients up.

    `outcomes` counts hooks and `refusals` the reasons of those that were not eligible; `patients` counts outcomes of
    eligible patients and `reasons` those of the indeterminate ones. `exclusions` counts patients with at least one
    such exclusion, `lacking` those with newer results than the newest complete draw, but not of this analyte.
    `analytes` and `codes` (analyte, code) count decided patients whose SII or albumin came from there.
    `above_shown` counts patients above the cut-off whose card left the service, `above_withheld` those whose card was
    kept back though it was not snoozed. `spreads` counts values by bins:
    hundredths of a decade for SII, analytes (canonical units) and latency (ms), days for the age of the draw.
    """

    hooks: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    missing_keys: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    patients: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    exclusions: Counter[Exclusion] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)
    analytes: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    above_withheld: int = 0
    above_shown: int = 0
    cards_shown: int = 0
    feedback: Counter[str] = field(default_factory=Counter)
    override_reasons: Counter[str] = field(default_factory=Counter)
    spreads: dict[str, Counter[int]] = field(default_factory=dict)
    versions: Counter[Version] = field(default_factory=Counter)

    @property
    def eligible(self) -> int:
        """Patients for whom SII was looked for."""
        return sum(self.patients.values())

    @property
    def decided(self) -> int:
        """Patients whose SII could be told."""
        return self.patients["above-cutoff"] + self.patients["not-above-cutoff"]

    def add_hook(self, record: HookRecord, day: date, *, first_today: bool, times: int = 1) -> None:
        """Count a hook call; `first_today` tells that its patient was not yet counted. `times` counts it repeatedly."""
        self.hooks += times
        self.outcomes[record.outcome] += times
        self.cards_shown += times * record.shown
        self.versions[Version(record.configuration, record.rule_version, record.mapping_version, record.mode)] += times
        self._spread(LATENCY, log_bin(sum(record.timings_ms.values())), times)
        for key in record.missing:
            self.missing_keys[key] += times
        if record.outcome == "not-eligible":
            for reason in record.reasons:
                self.refusals[reason] += times
        elif first_today and not record.missing:
            self._add_patient(record, day, times)

    def _add_patient(self, record: HookRecord, day: date, times: int) -> None:
        self.patients[record.outcome] += times
        self._add_gaps(record, times)
        if record.sample_time is not None:
            self._spread(SAMPLE_AGE, max(0, (day - date.fromisoformat(record.sample_time[:10])).days), times)
        if record.outcome == "above-cutoff":
            self.above_shown += times * record.shown
            self.above_withheld += times * (not record.shown and record.how_presented != _SNOOZED)
        if record.outcome in _DECIDED:
            if record.sii is not None:
                self._spread(SII, log_bin(float(record.sii)), times)
            for result in record.used:
                self._add_result(result, times)

    def _add_gaps(self, record: HookRecord, times: int) -> None:
        for reason in record.reasons:
            self.reasons[reason] += times
        # Each once, in the order of the record: the order of a set would differ from run to run.
        for exclusion in dict.fromkeys(Exclusion(entry.reason, entry.analyte) for entry in record.excluded):
            self.exclusions[exclusion] += times
        for analyte in _COUNTS if record.incomplete_draw else ():
            self.lacking[analyte] += times * (analyte not in record.incomplete_draw)

    def _add_result(self, result: ResultEntry, times: int) -> None:
        self.analytes[result.analyte] += times
        self.codes[result.analyte, result.code] += times
        # Percentages have another scale than counts: they are a spread of their own.
        if result.value is not None:
            name = result.analyte if result.unit != "1" else f"{result.analyte}-share"
            self._spread(name, log_bin(float(result.value)), times)

    def add_feedback(self, record: FeedbackRecord) -> None:
        """Count one feedback item."""
        self.feedback[record.outcome] += 1
        if record.outcome == "overridden":
            self.override_reasons[record.reason_code or "none given"] += 1

    def merge(self, other: DayTally) -> None:
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


def log_bin(value: float) -> int:
    """Return the bin of a positive value; neighbouring bins are 2.3 % apart."""
    return round(math.log10(max(value, _SMALLEST)) * BINS_PER_DECADE)


def bin_value(position: int) -> float:
    """Return the value in the middle of a bin."""
    return float(10 ** (position / BINS_PER_DECADE))


def quantile_bin(spread: Counter[int], share: float) -> int:
    """Return the lowest bin up to which at least this share of a spread lies. The spread must not be empty."""
    wanted, seen = share * spread.total(), 0
    for position in sorted(spread):
        seen += spread[position]
        if seen >= wanted:
            return position
    return max(spread)
