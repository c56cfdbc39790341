"""Which laboratory codes and units there are, and what the service's own reader makes of each result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cds_service.clinical.models import LabResult
from cds_service.insight.doctor.resources import names_of, printable
from cds_service.insight.doctor.tallies import Patients, Sample
from cds_service.normalization.codes import match_analyte
from cds_service.normalization.units import read_factor
from fhir_mappings.models import AnalyteCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cds_service.acquisition.resources import Malformed, Observation
    from cds_service.clinical.models import ExcludedResult
    from cds_service.normalization.observations import ObservationReader
    from cds_service.normalization.shapes import ConceptLike, MeasurementLike
    from fhir_mappings.mappings import Mappings

# A laboratory has some thousand tests; more codes than that are free text.
MOST_CODES: Final = 5_000
_MOST_NAMES: Final = 20
# Of all codes together: each keeps a sample of its values.
_MOST_UNITS: Final = 5_000
_FOR_NAMES: Final = 50
USABLE: Final = "usable"

Treatment = Literal["accepted", "refused", "unknown"]


class CodeKey(NamedTuple):
    """System and code as sent. Results named by text alone have neither; `text` tells them apart."""

    system: str
    code: str
    text: str = ""


@dataclass(slots=True)
class UnitTally:
    """Results of one code in one unit: `spelling` is the unit's text, `ucum` its code."""

    spelling: str
    ucum: str
    values: Sample
    results: int = 0
    patients: Patients = field(default_factory=Patients)
    treatments: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class CodeTally:
    """Results of one code. `analyte` and `basis` are the accepted meaning, `refusal` why a look-alike is refused."""

    key: CodeKey
    treatment: Treatment
    analyte: str = ""
    basis: str = ""
    refusal: str = ""
    resembles: tuple[str, ...] = ()
    results: int = 0
    in_components: int = 0
    patients: Patients = field(default_factory=Patients)
    names: dict[str, Patients] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    treatments: Counter[str] = field(default_factory=Counter)
    units: dict[tuple[str, str], UnitTally] = field(default_factory=dict)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every name it came with, and the code itself, for recognising it. Not for the output."""
        return (*self.names, self.key.code)

    def shown_name(self, least_patients: int) -> str:
        """Return the name most patients' results came with; empty where too few share one."""
        if not self.names:
            return ""
        name, patients = max(self.names.items(), key=lambda item: len(item[1]))
        return name if len(patients) >= least_patients else ""


class LaboratorySurvey:
    """Counts every laboratory result that doctor saw."""

    def __init__(self, mappings: Mappings, seed: int) -> None:
        self._mappings = mappings
        self._seed = seed
        self.codes: dict[CodeKey, CodeTally] = {}
        self._units = 0
        self.results = 0
        self.unreadable: Counter[str] = Counter()
        self.results_left_out = 0

    def add(self, observation: Observation, patient: str, reader: ObservationReader) -> None:
        """Count an Observation of a patient, and its components, each as the service reads it."""
        outcomes = iter(reader.read(observation))
        measurements = (observation, *observation.component)
        for place, measurement in enumerate(measurements):
            matched = match_analyte(measurement.code, self._mappings)
            treatment = "" if matched is None else _treatment(next(outcomes))
            if matched is None and measurement is observation and observation.component:
                # A panel that holds others and is none of ours.
                continue
            tally = self._tally(measurement.code, matched if isinstance(matched, AnalyteCode) else None)
            if tally is not None:
                self._count(tally, observation, measurement, patient, treatment)
                tally.in_components += place > 0

    def add_malformed(self, malformed: Iterable[Malformed], reader: ObservationReader) -> None:
        """Count Observations that could not be read and may be ours."""
        for excluded in reader.exclude_malformed(tuple(malformed)):
            self.unreadable[excluded.analyte or ""] += 1

    def accepted(self, analyte: str) -> list[CodeTally]:
        """Return the accepted codes of an analyte, most results first."""
        return [tally for tally in self._sorted() if tally.analyte == analyte]

    def with_treatment(self, treatment: Treatment) -> list[CodeTally]:
        """Return the codes that are accepted, refused or unknown, most results first."""
        return [tally for tally in self._sorted() if tally.treatment == treatment]

    def _sorted(self) -> Iterator[CodeTally]:
        return iter(sorted(self.codes.values(), key=lambda tally: (-tally.results, tally.key)))

    def _tally(self, concept: ConceptLike | None, accepted: AnalyteCode | None) -> CodeTally | None:
        key = _key(concept, self._mappings)
        tally = self.codes.get(key)
        if tally is None:
            if len(self.codes) >= MOST_CODES and accepted is None:
                self.results_left_out += 1
                return None
            tally = self.codes[key] = self._new_tally(key, concept, accepted)
        return tally

    def _new_tally(self, key: CodeKey, concept: ConceptLike | None, accepted: AnalyteCode | None) -> CodeTally:
        row = accepted or self._mappings.analyte_code(key.system, key.code)
        if row is not None and row.analyte != "leukocytes":
            return CodeTally(key, "accepted", row.analyte, row.basis)
        for coding in concept.coding if concept is not None else ():
            refused = self._mappings.refused_code(coding.system or "", coding.code or "")
            if refused is not None:
                return CodeTally(key, "refused", refusal=refused.reason, resembles=refused.resembles)
        return CodeTally(key, "unknown")

    def _count(
        self,
        tally: CodeTally,
        observation: Observation,
        measurement: MeasurementLike,
        patient: str,
        treatment: str,
    ) -> None:
        self.results += 1
        tally.results += 1
        tally.patients.add(patient)
        tally.statuses[printable(observation.status or "(none)")] += 1
        for name in names_of(measurement.code):
            if name in tally.names or len(tally.names) < _MOST_NAMES:
                tally.names.setdefault(name, Patients(_FOR_NAMES)).add(patient)
        unit = self._unit(tally, measurement)
        if unit is not None:
            unit.results += 1
            unit.patients.add(patient)
            number = _number(measurement)
            if number is not None:
                unit.values.add(number)
        if treatment:
            tally.treatments[treatment] += 1
            if unit is not None:
                unit.treatments[treatment] += 1

    def _unit(self, tally: CodeTally, measurement: MeasurementLike) -> UnitTally | None:
        quantity = measurement.valueQuantity
        if quantity is None:
            return None
        key = (printable(quantity.unit or ""), printable(quantity.code or ""))
        if key not in tally.units and self._units < _MOST_UNITS:
            self._units += 1
            tally.units[key] = UnitTally(*key, Sample(self._seed))
        return tally.units.get(key)


class UnitMeaning(NamedTuple):
    """What a unit means for a basis: the factor to the canonical unit, or the reason why it is not read."""

    factor: Decimal | None
    refusal: str


def meaning_of(unit: UnitTally, basis: str, mappings: Mappings) -> UnitMeaning:
    """Ask the service's unit table."""
    found = read_factor(_AsQuantity(unit), basis, mappings)
    return UnitMeaning(found, "") if isinstance(found, Decimal) else UnitMeaning(None, str(found))


class _AsQuantity:
    value = None
    comparator = None
    system = None

    def __init__(self, unit: UnitTally) -> None:
        self.unit: str | None = unit.spelling
        self.code: str | None = unit.ucum


def _treatment(outcome: LabResult | ExcludedResult) -> str:
    return USABLE if isinstance(outcome, LabResult) else str(outcome.reason)


def _key(concept: ConceptLike | None, mappings: Mappings) -> CodeKey:
    """Return the coding that stands for a concept: an accepted or refused one, else the first complete one."""
    codings = [CodeKey(c.system or "", c.code or "") for c in (concept.coding if concept is not None else ())]
    known = (key for key in codings if mappings.analyte_code(*key[:2]) or mappings.refused_code(*key[:2]))
    # What holds spaces is free text in the place of a code, and is shown as little as other free text.
    written = [key for key in codings if key.code and not any(map(str.isspace, key.code))]
    found = next(known, None) or next((key for key in written if key.system), None) or next(iter(written), None)
    if found is not None:
        return CodeKey(printable(found.system), printable(found.code))
    return CodeKey("", "", next(names_of(concept), ""))


def _number(measurement: MeasurementLike) -> float | None:
    quantity = measurement.valueQuantity
    value = quantity.value if quantity is not None else None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
