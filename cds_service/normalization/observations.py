"""Observation to usable result, or to an exclusion with exactly one named reason.

Order of the questions: is it one of our analytes, is it this patient's, is it a finished result, is it of blood, is
there a plain number, in a unit of the table, within the plausible range, taken at a known time. The first "no" names
the reason.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, EffectiveTime, ExcludedResult, LabResult
from cds_service.clinical.reasons import Reason
from cds_service.normalization.clumps import ClumpFinding, clump_state, is_clump_code, tells_clumps
from cds_service.normalization.codes import match_analyte
from cds_service.normalization.materials import MaterialReader
from cds_service.normalization.measures import ANALYTES, MAX_DIGITS, Measure, Measures
from cds_service.normalization.observed import ObservedResult, reference_of, specimen_key
from fhir_mappings.findings import ABSENT, PRESENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cds_service.normalization.effective_time import TimeReader
    from cds_service.normalization.shapes import MalformedLike, MeasurementLike, ObservationLike, SpecimenLike
    from cds_service.normalization.subject import SubjectMatcher
    from fhir_mappings.mappings import Mappings

# With MAX_DIGITS, the bound that keeps hostile numbers from costing time.
_MAX_EXPONENT = 40

_OBSERVATION_ID = attrgetter("observation.id")


class Reading(NamedTuple):
    """What became of the Observations: usable results and exclusions in the order read, and findings of clumps."""

    results: tuple[ObservedResult, ...]
    excluded: tuple[ExcludedResult, ...]
    clumps: tuple[ClumpFinding, ...] = ()


class ObservationReader:
    """Reads Observations of one patient under one site's mappings and settings."""

    def __init__(
        self,
        mappings: Mappings,
        accepted_statuses: frozenset[str],
        subjects: SubjectMatcher,
        times: TimeReader,
        taken_back: frozenset[str] = frozenset(),
        specimens: Mapping[str, SpecimenLike] = MappingProxyType({}),
        measures: Measures | None = None,
    ) -> None:
        """Keep what every Observation is judged against.

        `taken_back` are ids (`ids_taken_back`), `specimens` those that were delivered, by fullUrl and by Type/id,
        `measures` what is known of codes and units from other charts of the site.
        """
        self._mappings = mappings
        self._measures = measures if measures is not None else Measures(mappings)
        self._statuses = accepted_statuses
        self._subjects = subjects
        self._times = times
        self._taken_back = taken_back
        self._materials = MaterialReader(mappings.materials, specimens)
        self._clumps: list[ClumpFinding] = []

    def read_all(self, observations: Sequence[ObservationLike], malformed: Sequence[MalformedLike] = ()) -> Reading:
        """Read every Observation and its components; the same Observation delivered twice counts once."""
        self._clumps.clear()
        results: list[ObservedResult] = []
        excluded: list[ExcludedResult] = []
        for observation in observations:
            for outcome in self._judge_all(observation):
                if isinstance(outcome, ObservedResult):
                    results.append(outcome)
                else:
                    excluded.append(outcome)
        unusable = (*excluded, *self.exclude_malformed(malformed))
        return merge_readings([Reading(tuple(results), unusable, tuple(self._clumps))])

    def read(self, observation: ObservationLike) -> Iterator[LabResult | ExcludedResult]:
        """Yield one outcome for each measurement of our analytes; nothing for other laboratory tests."""
        for outcome in self._judge_all(observation):
            yield outcome.whole() if isinstance(outcome, ObservedResult) else outcome

    def exclude_malformed(self, malformed: Sequence[MalformedLike]) -> tuple[ExcludedResult, ...]:
        """Exclude Observations that could not be read, but for those whose code says that they are not ours.

        A panel may hold ours in components that could not be read.
        """
        excluded = []
        for resource in malformed:
            code = match_analyte(resource.code, self._mappings)
            if code is None and resource.code is not None and not resource.has_components:
                continue
            analyte = ANALYTES[code.analyte] if code is not None and not isinstance(code, Reason) else None
            reference = reference_of(resource.id, "Observation")
            excluded.append(ExcludedResult(analyte, Reason.MALFORMED, reference, resource.version, None))
        return tuple(excluded)

    def _judge_all(self, observation: ObservationLike) -> list[ObservedResult | ExcludedResult]:
        """Return what each measurement of our analytes is to the rule; the Observation itself is judged once."""
        outcomes: list[ObservedResult | ExcludedResult] = []
        refused: Reason | None = None
        is_first = True
        for measurement in _measurements(observation):
            measure, material = self._measures.find(measurement.code, measurement.valueQuantity)
            if measure is None:
                if is_clump_code(measurement, self._mappings.clumps):
                    self._note_clumps(observation, clump_state(measurement, self._mappings.clumps))
                continue
            # What is hoped for is asked for: `isinstance` of an Enum that it is not takes three times as long.
            if not isinstance(measure, Measure):
                outcomes.append(self._exclude(observation, self._named_analyte(measurement), measure))
                continue
            if is_first:
                refused, is_first = self._refuse(observation), False
            if measure.kind[0] is Analyte.PLATELETS and tells_clumps(observation, self._mappings.clumps):
                self._note_clumps(observation, PRESENT)
            foreign = Reason.SPECIMEN_NOT_BLOOD if material else None
            outcomes.append(self._judge(observation, measurement, measure, refused or foreign))
        return outcomes

    def _note_clumps(self, observation: ObservationLike, state: str) -> None:
        """Keep a finding of this patient's blood that platelets are clumped, or that cannot be read."""
        if state == ABSENT or self._refuse(observation) is not None:
            return
        effective = self._times.read_observation(observation)
        if isinstance(effective, EffectiveTime):
            specimen = observation.specimen.reference if observation.specimen is not None else None
            self._clumps.append(ClumpFinding(effective, specimen_key(specimen or ""), bool(state)))

    def _judge(
        self, observation: ObservationLike, measurement: MeasurementLike, measure: Measure, refused: Reason | None
    ) -> ObservedResult | ExcludedResult:
        number = refused or _read_number(measurement)
        if not isinstance(number, Decimal):
            return self._exclude(observation, measure.kind[0], number)
        value = measure.to_canonical(number)
        if not isinstance(value, Decimal):
            return self._exclude(observation, measure.kind[0], value)
        effective = self._times.read_observation(observation)
        if not isinstance(effective, EffectiveTime):
            return self._exclude(observation, measure.kind[0], effective)
        return ObservedResult(measure, value, effective, number, measurement, observation, self._times)

    def _refuse(self, observation: ObservationLike) -> Reason | None:
        refused = self._subjects.refuse(observation.subject, observation.focus)
        if refused is not None:
            return refused
        if observation.status not in self._statuses or (self._taken_back and observation.id in self._taken_back):
            return Reason.STATUS_NOT_ACCEPTED
        return Reason.SPECIMEN_NOT_BLOOD if self._materials.of_observation(observation) else None

    def _exclude(self, observation: ObservationLike, analyte: Analyte | None, reason: Reason) -> ExcludedResult:
        effective = self._times.read_observation(observation)
        known = effective if isinstance(effective, EffectiveTime) else None
        return ExcludedResult(analyte, reason, reference_of(observation.id, "Observation"), observation.version, known)

    def _named_analyte(self, measurement: MeasurementLike) -> Analyte | None:
        """Return the analyte of the first accepted code of a conflicting coding list."""
        codings = measurement.code.coding if measurement.code is not None else ()
        rows = (self._mappings.analyte_code(c.system or "", c.code or "") for c in codings)
        return next((ANALYTES[row.analyte] for row in rows if row is not None and row.analyte in ANALYTES), None)


def merge_readings(readings: Sequence[Reading]) -> Reading:
    """Join readings; the same Observation delivered twice counts once. Exclusions without an id are all kept.

    Where it changed between the two, what is still excluded for the same reason counts once too.
    """
    excluded: dict[tuple[object, ...] | int, ExcludedResult] = {}
    for e in chain.from_iterable(reading.excluded for reading in readings):
        excluded.setdefault((e.reference, e.analyte, e.reason, e.effective) if e.reference else len(excluded), e)
    results = tuple(chain.from_iterable(reading.results for reading in readings))
    clumps = tuple(chain.from_iterable(reading.clumps for reading in readings))
    return Reading(_once(results), tuple(excluded.values()), clumps)


def _once(results: tuple[ObservedResult, ...]) -> tuple[ObservedResult, ...]:
    """Leave out results that say what another one says; where every id is there once, there can be none."""
    if len(set(map(_OBSERVATION_ID, results))) == len(results):
        return results
    told_apart: dict[LabResult, ObservedResult] = {}
    for result in results:
        told_apart.setdefault(result.whole(), result)
    return tuple(told_apart.values())


def _measurements(observation: ObservationLike) -> tuple[MeasurementLike, ...]:
    return (observation, *observation.component) if observation.component else (observation,)


def _read_number(measurement: MeasurementLike) -> Decimal | Reason:
    # A panel says why it has no value of its own (FHIR R4, Observation.dataAbsentReason); its components have theirs.
    if measurement.dataAbsentReason is not None:
        return Reason.DATA_ABSENT
    quantity = measurement.valueQuantity
    if quantity is None:
        return Reason.VALUE_NOT_NUMERIC if measurement.has_other_value else Reason.VALUE_MISSING
    value = quantity.value
    if value is None:
        return Reason.VALUE_MISSING
    if quantity.comparator:
        return Reason.COMPARATOR
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    else:
        return Reason.VALUE_NOT_NUMERIC
    return number if is_readable_number(number) else Reason.IMPLAUSIBLE


def is_readable_number(number: Decimal) -> bool:
    """Tell whether a number has no more digits than a laboratory may report."""
    if abs(number.adjusted()) > _MAX_EXPONENT:
        return False
    # The text is many times cheaper than the tuple of the digits, and never shorter.
    return len(str(number)) <= MAX_DIGITS or len(number.as_tuple().digits) <= MAX_DIGITS
