"""Observation to usable result, or to an exclusion with exactly one named reason.

Order of the questions: is it one of our analytes, is it this patient's, is it a finished result, is there a plain
number, in a unit of the table, within the plausible range, taken at a known time. The first "no" names the reason.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, Basis, EffectiveTime, ExcludedResult, LabResult, Origin, Quantity
from cds_service.clinical.reasons import Reason
from cds_service.normalization.codes import match_analyte
from cds_service.normalization.units import read_factor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cds_service.normalization.effective_time import TimeReader
    from cds_service.normalization.shapes import MalformedLike, MeasurementLike, ObservationLike, QuantityLike
    from cds_service.normalization.subject import SubjectMatcher
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import AnalyteCode, PlausibleRange

_ANALYTES = {analyte.value: analyte for analyte in Analyte}
_BASES = {
    "count": Basis.ABSOLUTE,
    "percent": Basis.PERCENT,
    "fraction": Basis.PERCENT,
    "mass": Basis.MASS,
    "moles": Basis.MASS,
}
_CORRECTED_STATUSES = frozenset({"amended", "corrected"})

# No laboratory reports more digits; decimal128 holds 34. The bound keeps hostile numbers from costing time.
_MAX_DIGITS = 34
_EXACT = Context(prec=2 * _MAX_DIGITS)
_MAX_EXPONENT = 40
_PERCENT = Decimal("0.01")


class Reading(NamedTuple):
    """What became of the Observations: usable results and exclusions, both in the order read."""

    results: tuple[LabResult, ...]
    excluded: tuple[ExcludedResult, ...]


class ObservationReader:
    """Reads Observations of one patient under one site's mappings and settings."""

    def __init__(
        self,
        mappings: Mappings,
        accepted_statuses: frozenset[str],
        subjects: SubjectMatcher,
        times: TimeReader,
    ) -> None:
        """Keep what every Observation is judged against."""
        self._mappings = mappings
        self._statuses = accepted_statuses
        self._subjects = subjects
        self._times = times

    def read_all(self, observations: Sequence[ObservationLike], malformed: Sequence[MalformedLike] = ()) -> Reading:
        """Read every Observation and its components; the same Observation delivered twice counts once."""
        outcomes = [outcome for observation in observations for outcome in self.read(observation)]
        return merge_readings(
            [
                Reading(
                    tuple(o for o in outcomes if isinstance(o, LabResult)),
                    tuple(o for o in outcomes if isinstance(o, ExcludedResult)),
                ),
                Reading((), self.exclude_malformed(malformed)),
            ]
        )

    def read(self, observation: ObservationLike) -> Iterator[LabResult | ExcludedResult]:
        """Yield one outcome for each measurement of our analytes; nothing for other laboratory tests."""
        measurements: Sequence[MeasurementLike] = (
            (observation, *observation.component) if observation.component else (observation,)
        )
        for measurement in measurements:
            code = match_analyte(measurement.code, self._mappings)
            if code is None:
                continue
            outcome = code if isinstance(code, Reason) else self._read_measurement(observation, measurement, code)
            if isinstance(outcome, Reason):
                analyte = None if isinstance(code, Reason) else _ANALYTES[code.analyte]
                yield self._exclude(observation, measurement, analyte, outcome)
            else:
                yield outcome

    def exclude_malformed(self, malformed: Sequence[MalformedLike]) -> tuple[ExcludedResult, ...]:
        """Exclude Observations that could not be read, but for those whose code says that they are not ours.

        A panel may hold ours in components that could not be read.
        """
        excluded = []
        for resource in malformed:
            code = match_analyte(resource.code, self._mappings)
            if code is None and resource.code is not None and not resource.has_components:
                continue
            analyte = _ANALYTES[code.analyte] if code is not None and not isinstance(code, Reason) else None
            reference = reference_of(resource.id, "Observation")
            excluded.append(ExcludedResult(analyte, Reason.MALFORMED, reference, None))
        return tuple(excluded)

    def _read_measurement(
        self, observation: ObservationLike, measurement: MeasurementLike, code: AnalyteCode
    ) -> LabResult | Reason:
        refused = self._subjects.refuse(observation.subject)
        if refused is not None:
            return refused
        if observation.status not in self._statuses:
            return Reason.STATUS_NOT_ACCEPTED
        value = _read_value(measurement)
        if isinstance(value, Reason):
            return value
        quantity = self._to_canonical(value, measurement.valueQuantity, code)
        if isinstance(quantity, Reason):
            return quantity
        effective = self._times.read_observation(observation)
        if isinstance(effective, Reason):
            return effective
        unit = (
            measurement.valueQuantity.unit or measurement.valueQuantity.code or "" if measurement.valueQuantity else ""
        )
        return LabResult(
            analyte=_ANALYTES[code.analyte],
            basis=_BASES[code.basis],
            preference=code.preference,
            quantity=quantity,
            reported=Quantity(value, unit),
            effective=effective,
            issued=self._times.read_issued(observation.issued),
            corrected=observation.status in _CORRECTED_STATUSES,
            origin=_origin(observation, code),
        )

    def _to_canonical(self, value: Decimal, reported: QuantityLike | None, code: AnalyteCode) -> Quantity | Reason:
        factor = read_factor(reported, code.basis, self._mappings)
        if isinstance(factor, Reason):
            return factor
        canonical = _EXACT.multiply(value, factor)
        limits = self._mappings.plausible[code.analyte, code.basis]
        if not _is_plausible(canonical, value, factor, code, limits):
            return Reason.IMPLAUSIBLE
        return Quantity(canonical, limits.canonical_unit)

    def _exclude(
        self, observation: ObservationLike, measurement: MeasurementLike, analyte: Analyte | None, reason: Reason
    ) -> ExcludedResult:
        if analyte is None:
            analyte = self._named_analyte(measurement)
        effective = self._times.read_observation(observation)
        known = effective if isinstance(effective, EffectiveTime) else None
        return ExcludedResult(analyte, reason, reference_of(observation.id, "Observation"), known)

    def _named_analyte(self, measurement: MeasurementLike) -> Analyte | None:
        """Return the analyte of the first accepted code of a conflicting coding list."""
        codings = measurement.code.coding if measurement.code is not None else ()
        rows = (self._mappings.analyte_code(c.system or "", c.code or "") for c in codings)
        return next((_ANALYTES[row.analyte] for row in rows if row is not None and row.analyte in _ANALYTES), None)


def merge_readings(readings: Sequence[Reading]) -> Reading:
    """Join readings; the same Observation delivered twice counts once. Exclusions without an id are all kept."""
    excluded: dict[ExcludedResult | int, ExcludedResult] = {}
    for exclusion in (e for reading in readings for e in reading.excluded):
        excluded[exclusion if exclusion.reference else len(excluded)] = exclusion
    return Reading(
        tuple(dict.fromkeys(result for reading in readings for result in reading.results)), tuple(excluded.values())
    )


def reference_of(resource_id: str | None, resource_type: str) -> str:
    """Return Type/id, or an empty text for a resource without an id (such results are usable all the same)."""
    return f"{resource_type}/{resource_id}" if resource_id else ""


def _read_value(measurement: MeasurementLike) -> Decimal | Reason:
    # A panel says why it has no value of its own (FHIR R4, Observation.dataAbsentReason); its components have theirs.
    if measurement.is_absent:
        return Reason.DATA_ABSENT
    quantity = measurement.valueQuantity
    if quantity is None:
        return Reason.VALUE_NOT_NUMERIC if measurement.has_other_value else Reason.VALUE_MISSING
    value = quantity.value
    if value is None:
        return Reason.VALUE_MISSING
    if quantity.comparator:
        return Reason.COMPARATOR
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return Reason.VALUE_NOT_NUMERIC
    number = Decimal(value)
    return number if is_readable_number(number) else Reason.IMPLAUSIBLE


def is_readable_number(number: Decimal) -> bool:
    """Tell whether a number has no more digits than a laboratory may report."""
    return len(number.as_tuple().digits) <= _MAX_DIGITS and abs(number.adjusted()) <= _MAX_EXPONENT


def _is_plausible(
    canonical: Decimal, reported: Decimal, factor: Decimal, code: AnalyteCode, limits: PlausibleRange
) -> bool:
    """Check the plausible range, inclusive.

    Zero lymphocytes pass: they have a reason of their own. A share written as a fraction under a percent unit passes
    as the fraction it would be; whether it is one is decided beside its partner.
    """
    if canonical == 0 and code.analyte == Analyte.LYMPHOCYTES:
        return True
    if _BASES[code.basis] is Basis.PERCENT and factor == _PERCENT and reported <= 1:
        canonical = reported
    return limits.low <= canonical <= limits.high


def _origin(observation: ObservationLike, code: AnalyteCode) -> Origin:
    specimen = observation.specimen.reference if observation.specimen is not None else None
    return Origin(
        reference=reference_of(observation.id, "Observation"),
        version=observation.version,
        system=code.system,
        code=code.code,
        specimen=_specimen_key(specimen or ""),
    )


def _specimen_key(reference: str) -> str:
    """Return Type/id of a specimen reference, so that absolute and relative ones compare equal.

    A contained specimen ("#1") names nothing outside its own Observation and joins nothing.
    """
    if reference.startswith("#"):
        return ""
    parts = reference.split("/_history/", 1)[0].rsplit("/", 2)
    return "/".join(parts[-2:])
