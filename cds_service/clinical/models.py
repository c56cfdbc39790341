"""The values the rule reads. Frozen; a number never travels without its unit, time and origin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

    from cds_service.clinical.reasons import Reason


_DAY_ALONE: Final = float("-inf")
_MIDNIGHT: Final = time(0)
_ORDER: Final = attrgetter("order")


class Analyte(StrEnum):
    """The laboratory tests the service reads. Values are the keys of the mapping tables."""

    NEUTROPHILS = "neutrophils"
    LYMPHOCYTES = "lymphocytes"
    PLATELETS = "platelets"
    ALBUMIN = "albumin"
    # Parts of a differential: never neutrophils or lymphocytes by themselves.
    SEGMENTED = "segmented-neutrophils"
    BANDS = "band-neutrophils"
    VARIANTS = "variant-lymphocytes"

    # That of the text: the one of Enum is a Python function, and every step of forming draws looks something up by it.
    __hash__ = str.__hash__


class Basis(StrEnum):
    """What a number counts: cells per volume, or a share of the leukocytes, or mass per volume."""

    ABSOLUTE = "absolute"
    PERCENT = "percent"
    MASS = "mass"

    __hash__ = str.__hash__


# What a chart is asked for; the others only complete it.
MAIN_ANALYTES: Final = (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS, Analyte.ALBUMIN)


class Quantity(NamedTuple):
    """A number with its unit."""

    value: Decimal
    unit: str


class _OrderedTime(NamedTuple):
    day: date
    instant: datetime | None
    order: tuple[date, float]
    midnight_of: date | None


class EffectiveTime(_OrderedTime):
    """When something was true of the patient: the calendar day at the site, and the instant where it is known.

    `instant` is aware. It is None for a time that is precise to the day only. `order` is the key for "newer than": by
    day, then by instant; a day alone stands before every instant of that day. It is computed once, because sorting a
    long chart asks for it thousands of times. `midnight_of` is the last day that begins with this instant, at the
    site or as it was written, and None for any other time: laboratories fill in midnight for an hour they do not know.
    """

    __slots__ = ()

    def __new__(cls, day: date, instant: datetime | None, midnight_of: date | None = None) -> Self:
        """Make a time from its day at the site and its aware instant, which is in the zone of the site.

        `midnight_of` is the day of an instant that was written as midnight in another zone.
        """
        order = (day, instant.timestamp() if instant is not None else _DAY_ALONE)
        if instant is not None and instant.time() == _MIDNIGHT:
            midnight_of = max(day, midnight_of or day)
        # Not by way of super(): a long chart makes hundreds of times, and that would be a third of the cost.
        return tuple.__new__(cls, (day, instant, order, midnight_of))

    def __getnewargs__(self) -> tuple[date, datetime | None, date | None]:
        """Let a copy be made from what a time is made of."""
        return self.day, self.instant, self.midnight_of

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
    amended and corrected. `manual` tells that the code says so. `parts` are what a derived total was added up from,
    and `note` is what the laboratory wrote beside the result, untouched but for its length.
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
    manual: bool = False
    parts: tuple[LabResult, ...] = ()
    note: str = ""

    def whole(self) -> LabResult:
        """Return itself: nothing of it is left in the chart."""
        return self


class DatedResult(Protocol):
    """A usable laboratory result of which the rule knows what it is and when it was taken.

    A long chart holds hundreds of results and a draw or two decide: only of those the rest is taken from the chart.
    """

    @property
    def analyte(self) -> Analyte:
        """What was measured."""

    @property
    def basis(self) -> Basis:
        """What the number counts."""

    @property
    def effective(self) -> EffectiveTime:
        """When the specimen was taken."""

    def whole(self) -> LabResult:
        """Return the result with its numbers and its origin."""


class Reading(NamedTuple):
    """Another way to read the differential of a draw: neutrophils and lymphocytes of one basis and method.

    `is_notable` tells that a reader should know of it: it holds parts, or lies far from the printed reading.
    """

    neutrophils: DatedResult
    lymphocytes: DatedResult
    is_notable: bool


class BloodDraw:
    """Neutrophils, lymphocytes and platelets of one draw, both differentials on the same basis.

    `problems` holds what makes the draw undecidable (conflicting-results, differential-inconsistent,
    zero-lymphocytes). A draw with problems still is a complete draw: it is never passed over for an older one.
    `effective` is the time of the latest of the three results, which `parts` holds in the order of the formula.
    `others` are the further readings of its differential; `beside` are parts of it on a basis that no reading has.
    """

    __slots__ = ("_results", "beside", "effective", "others", "parts", "problems")

    def __init__(
        self,
        neutrophils: DatedResult,
        lymphocytes: DatedResult,
        platelets: DatedResult,
        problems: tuple[Reason, ...] = (),
        others: tuple[Reading, ...] = (),
        beside: tuple[DatedResult, ...] = (),
    ) -> None:
        """Find the time, which is what draws are sorted and judged by; the rest waits until somebody asks."""
        self.parts = (platelets, neutrophils, lymphocytes)
        self._results: tuple[LabResult, LabResult, LabResult] | None = None
        self.effective = max(platelets.effective, neutrophils.effective, lymphocytes.effective, key=_ORDER)
        self.problems = problems
        self.others = others
        self.beside = beside

    @property
    def results(self) -> tuple[LabResult, LabResult, LabResult]:
        """The three results in the order of the formula."""
        if self._results is None:
            platelets, neutrophils, lymphocytes = self.parts
            self._results = (platelets.whole(), neutrophils.whole(), lymphocytes.whole())
        return self._results

    @property
    def platelets(self) -> LabResult:
        """The platelets."""
        return self.results[0]

    @property
    def neutrophils(self) -> LabResult:
        """The neutrophils."""
        return self.results[1]

    @property
    def lymphocytes(self) -> LabResult:
        """The lymphocytes."""
        return self.results[2]

    @property
    def basis(self) -> Basis:
        """Basis that neutrophils and lymphocytes share."""
        return self.parts[1].basis

    def __eq__(self, other: object) -> bool:
        """Compare by results and problems."""
        if not isinstance(other, BloodDraw):
            return NotImplemented
        # Of a long chart most draws differ in time, and then nothing need be taken from it.
        return self.effective == other.effective and self.results == other.results and self.problems == other.problems

    def __hash__(self) -> int:
        """Hash what equal draws share."""
        return hash((self.results, self.problems))

    def __repr__(self) -> str:
        """Show the results."""
        return f"BloodDraw(results={self.results!r}, problems={self.problems!r})"


class ExcludedResult(NamedTuple):
    """A laboratory result of one of our analytes that may not be used, and the one reason why."""

    analyte: Analyte | None
    reason: Reason
    reference: str
    version: str
    effective: EffectiveTime | None


@dataclass(frozen=True, slots=True)
class BloodCounts:
    """Everything the chart holds of the three counts, made comparable.

    `draws` are complete and sorted newest first; `unpaired` are usable results that belong to no complete draw;
    `excluded` are results not used, each with its reason; `truncated` tells that the chart held more than was read.
    `unreadable_clumps` are when findings about platelet clumps were taken that cannot be read.
    """

    draws: tuple[BloodDraw, ...] = ()
    unpaired: tuple[DatedResult, ...] = ()
    pairing_reasons: tuple[Reason, ...] = ()
    excluded: tuple[ExcludedResult, ...] = ()
    truncated: bool = False
    unreadable_clumps: tuple[EffectiveTime, ...] = ()
