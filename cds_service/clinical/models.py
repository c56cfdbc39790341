"""The values the rule reads. Frozen; a number never travels without its unit, time and origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Self

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

    from cds_service.clinical.reasons import Reason


_DAY_ALONE: Final = float("-inf")


class Analyte(StrEnum):
    """The laboratory tests the service reads. Values are the keys of the mapping tables."""

    NEUTROPHILS = "neutrophils"
    LYMPHOCYTES = "lymphocytes"
    PLATELETS = "platelets"
    ALBUMIN = "albumin"


class Basis(StrEnum):
    """What a number counts: cells per volume, or a share of the leukocytes, or mass per volume."""

    ABSOLUTE = "absolute"
    PERCENT = "percent"
    MASS = "mass"


class Quantity(NamedTuple):
    """A number with its unit."""

    value: Decimal
    unit: str


class _OrderedTime(NamedTuple):
    day: date
    instant: datetime | None
    order: tuple[date, float]


class EffectiveTime(_OrderedTime):
    """When something was true of the patient: the calendar day at the site, and the instant where it is known.

    `instant` is aware. It is None for a time that is precise to the day only. `order` is the key for "newer than": by
    day, then by instant; a day alone stands before every instant of that day. It is computed once, because sorting a
    long chart asks for it thousands of times.
    """

    __slots__ = ()

    def __new__(cls, day: date, instant: datetime | None) -> Self:
        """Make a time from its day at the site and its aware instant."""
        return super().__new__(cls, day, instant, (day, instant.timestamp() if instant is not None else _DAY_ALONE))

    def __getnewargs__(self) -> tuple[date, datetime | None]:
        """Let a copy be made from what a time is made of."""
        return self.day, self.instant

    def isoformat(self) -> str:
        """FHIR form: a date, or a date-time with its offset."""
        return self.instant.isoformat() if self.instant is not None else self.day.isoformat()


class Origin(NamedTuple):
    """Where a result came from: Observation reference and version, LOINC or site code, specimen reference."""

    reference: str
    version: str
    system: str
    code: str
    specimen: str


class LabResult(NamedTuple):
    """One usable laboratory result.

    `quantity` is canonical (10*9/L, 1 for shares of leukocytes, g/L), `reported` is what the laboratory sent.
    `preference` is 1 for a preferred code and 2 for a second choice; `corrected` is True for the statuses
    amended and corrected.
    """

    analyte: Analyte
    basis: Basis
    preference: int
    quantity: Quantity
    reported: Quantity
    effective: EffectiveTime
    issued: datetime | None
    corrected: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class BloodDraw:
    """Neutrophils, lymphocytes and platelets of one draw, both differentials on the same basis.

    `problems` holds what makes the draw undecidable (conflicting-results, differential-inconsistent,
    zero-lymphocytes). A draw with problems still is a complete draw: it is never passed over for an older one.
    """

    neutrophils: LabResult
    lymphocytes: LabResult
    platelets: LabResult
    problems: tuple[Reason, ...] = ()
    # Time of the latest of the three results.
    effective: EffectiveTime = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Find the time once: it is what draws are sorted and judged by."""
        latest = max((r.effective for r in self.results), key=lambda effective: effective.order)
        object.__setattr__(self, "effective", latest)

    @property
    def basis(self) -> Basis:
        """Basis that neutrophils and lymphocytes share."""
        return self.neutrophils.basis

    @property
    def results(self) -> tuple[LabResult, LabResult, LabResult]:
        """The three results in the order of the formula."""
        return self.platelets, self.neutrophils, self.lymphocytes


class ConditionFact(NamedTuple):
    """A Condition that bears on eligibility: its category in the mapping tables and its latest recorded day."""

    category: str
    reference: str
    code: str
    recurrence_status: bool
    last_day: date | None


class ProcedureFact(NamedTuple):
    """A completed qualifying procedure. `performed` is None when the chart does not date it."""

    therapy: str
    reference: str
    code: str
    performed: EffectiveTime | None


class PatientFact(NamedTuple):
    """What the rule needs of the Patient. `youngest_birth_day` is None when the birth date is not known."""

    youngest_birth_day: date | None
    deceased: bool


class ExcludedResult(NamedTuple):
    """A laboratory result of one of our analytes that may not be used, and the one reason why."""

    analyte: Analyte | None
    reason: Reason
    reference: str
    effective: EffectiveTime | None


@dataclass(frozen=True, slots=True)
class BloodCounts:
    """Everything the chart holds of the three counts, made comparable.

    `draws` are complete and sorted newest first; `unpaired` are usable results that belong to no complete draw;
    `excluded` are results not used, each with its reason; `truncated` tells that the chart held more than was read.
    """

    draws: tuple[BloodDraw, ...] = ()
    unpaired: tuple[LabResult, ...] = ()
    pairing_reasons: tuple[Reason, ...] = ()
    excluded: tuple[ExcludedResult, ...] = ()
    truncated: bool = False
