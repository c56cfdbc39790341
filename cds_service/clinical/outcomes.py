"""The closed set of outcomes of an assessment. Nothing is expressed by None or by an empty list alone.

All outcomes tell `cutoff`, `reasons`, `exclusions` (results that were not used, by reason) and `value`: SII in 10*9/L,
None where it cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from cds_service.clinical.noted import ChartNotes
from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from cds_service.clinical.chart_facts import ProcedureTime
    from cds_service.clinical.closed_days import OpenDays
    from cds_service.clinical.models import EffectiveTime, LabResult, Origin
    from cds_service.clinical.readings import ReadingSII
    from cds_service.clinical.timing import TimedDraw


class EarlierSII(NamedTuple):
    """SII of an older draw, for comparison. `baseline` is True for the draw before the latest procedure.

    `origins` are those of its three results in the order of the formula.
    """

    sii: Decimal
    effective: EffectiveTime
    baseline: bool
    origins: tuple[Origin, ...]


class AlbuminContext(NamedTuple):
    """The albumin nearest to the draw. Never part of SII."""

    result: LabResult
    days_from_draw: int
    within_window: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEligible:
    """The study does not speak about this patient."""

    cutoff: Decimal
    reasons: tuple[Reason, ...]
    outcome: Literal["not-eligible"] = field(default="not-eligible", init=False)

    @property
    def value(self) -> None:
        """None: SII was not looked for."""

    @property
    def exclusions(self) -> Mapping[Reason, int]:
        """Results that were not used by reason: none, since none was looked at."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Indeterminate:
    """SII cannot be told. `latest_procedure` is None where no procedure is dated.

    `taken` tells for the reasons that speak of one blood draw when it was taken. `newest_draw` is the newest complete
    draw, `newest_result` the time of the patient's newest blood count of any use or none. `has_grounds` tells that the
    chart shows a diagnosis or a procedure for which the rule is meant. `open_days` are those that procedures leave.
    """

    cutoff: Decimal
    reasons: tuple[Reason, ...]
    taken: Mapping[Reason, EffectiveTime]
    exclusions: Mapping[Reason, int]
    latest_procedure: ProcedureTime | None
    newest_draw: TimedDraw | None
    newest_result: EffectiveTime | None
    has_grounds: bool = True
    open_days: OpenDays | None = None
    notes: ChartNotes = field(default_factory=ChartNotes)
    readings: tuple[ReadingSII, ...] = ()
    segmented_alone: bool = False
    clumps_unreadable: bool = False
    outcome: Literal["indeterminate"] = field(default="indeterminate", init=False)

    @property
    def value(self) -> None:
        """None: SII cannot be told."""


class UnusedBlood(NamedTuple):
    """Why blood counts newer than the draw that decided were not used, and when the newest of them was taken."""

    reason: Reason
    taken: EffectiveTime


class Doubts(NamedTuple):
    """What may make a decision another one, though it does not keep it from being made.

    `undated_procedures` are procedures of which one may be later than the latest dated one, `unreadable` Conditions
    or Procedures that could not be read, `unplaced_counts` blood counts that tell no readable time.
    """

    undated_procedures: int = 0
    unreadable: int = 0
    newer: tuple[UnusedBlood, ...] = ()
    unplaced_counts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """SII in 10*9/L, rounded so that it stays on its side of the cut-off, and the draw it was computed from."""

    cutoff: Decimal
    sii: Decimal
    timed: TimedDraw
    exclusions: Mapping[Reason, int]
    truncated: bool
    doubts: Doubts
    latest_procedure: ProcedureTime | None
    earlier: tuple[EarlierSII, ...]
    albumin: AlbuminContext | None
    notes: ChartNotes = field(default_factory=ChartNotes)
    readings: tuple[ReadingSII, ...] = ()
    clumps_unreadable: bool = False

    @property
    def value(self) -> Decimal:
        """SII, which was compared with the cut-off."""
        return self.sii

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the decision is in doubt: not all results could be read. Nothing else keeps company with a decision."""
        return (Reason.TRUNCATED,) if self.truncated else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AboveCutoff(_Decided):
    """SII is strictly above the cut-off."""

    outcome: Literal["above-cutoff"] = field(default="above-cutoff", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAboveCutoff(_Decided):
    """SII is not above the cut-off. Never called a low risk: low platelets of cirrhosis lower SII."""

    outcome: Literal["not-above-cutoff"] = field(default="not-above-cutoff", init=False)


Decided = AboveCutoff | NotAboveCutoff
Assessment = AboveCutoff | NotAboveCutoff | Indeterminate | NotEligible
