"""From the chart of a hook to what its record keeps of it.

The size is bounded: of a chart with more resources or longer texts than any laboratory sends nothing is kept, for a
decision recomputed from a part of its data may differ for no reason.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from cds_service.acquisition.resources import CodeableConcept, Coding, Quantity, Reference
from cds_service.audit.chart_entries import (
    ChartEntry,
    MalformedEntry,
    MeasurementEntry,
    ObservationEntry,
    PersonEntry,
    SearchEntry,
)
from cds_service.audit.history_keeping import HistoryKeeper, is_known
from cds_service.normalization.clumps import clump_state, is_clump_code, tells_clumps
from cds_service.normalization.materials import MaterialReader
from cds_service.normalization.measures import Measures
from cds_service.normalization.observations import is_readable_number
from cds_service.normalization.subject import SubjectMatcher
from cds_service.normalization.taken_back import TAKEN_BACK, conditions_taken_back, ids_taken_back
from fhir_mappings.findings import PRESENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.chart import EligibilityChart, LaboratoryChart
    from cds_service.acquisition.resources import (
        Component,
        Malformed,
        Observation,
    )
    from cds_service.audit.chart_entries import ChartList, ValueKind
    from cds_service.clinical.chart_facts import PatientFact
    from fhir_mappings.findings import ClumpTable
    from fhir_mappings.mappings import Mappings

    LookUp = Callable[[str, str], object]

# In one search: a blood count of four results every day for two months. More is no record but a copy of the chart.
MOST_RESOURCES: Final = 250
MOST_BYTES: Final = 131_072
# Above it an age can identify a person (45 CFR 164.514(b)(2)(i)(C)), and no rule asks for more.
OLDEST_AGE: Final = 90


class _TooLargeError(Exception):
    """The chart is larger than what a record keeps."""


class ChartKeeper:
    """Keeps charts of one site's hooks."""

    def __init__(self, mappings: Mappings) -> None:
        """Keep the tables that say which codes are of interest, be it to be refused: what they mean may change."""
        self._mappings = mappings
        self._measures = Measures(mappings)
        self._history = HistoryKeeper(mappings)

    def keep(
        self,
        patient_id: str,
        eligibility: EligibilityChart,
        person: PatientFact | None,
        laboratory: LaboratoryChart | None,
        today: date,
    ) -> msgspec.Raw | None:
        """Return a ChartEntry in JSON; None for a chart that is too large.

        `person` is the Patient as read, `today` the calendar day at the site.
        """
        try:
            chart = self._keep(patient_id, eligibility, person, laboratory, today)
        except _TooLargeError:
            return None
        encoded = msgspec.json.encode(chart)
        return msgspec.Raw(encoded) if len(encoded) <= MOST_BYTES else None

    def _keep(
        self,
        patient_id: str,
        eligibility: EligibilityChart,
        person: PatientFact | None,
        laboratory: LaboratoryChart | None,
        today: date,
    ) -> ChartEntry:
        conditions, procedures = eligibility.conditions, eligibility.procedures
        diagnoses = [c for c in conditions.resources if is_known(c.code, self._mappings.condition)]
        therapies = [p for p in procedures.resources if self._history.is_of_interest(p)]
        _limit(len(diagnoses) + len(conditions.malformed))
        _limit(len(therapies) + len(procedures.malformed))
        of_condition = SubjectMatcher(patient_id, conditions.patients)
        of_procedure = SubjectMatcher(patient_id, procedures.patients)
        taken_back = (
            ids_taken_back(laboratory.blood_counts.resources, laboratory.albumin.resources)
            if laboratory is not None
            else frozenset[str]()
        )
        conditions_back = conditions_taken_back(conditions.resources)
        procedures_back = ids_taken_back(procedures.resources)
        return ChartEntry(
            person=_person(person, today) if person is not None else None,
            diagnoses=self._history.diagnoses(diagnoses, of_condition, conditions_back),
            therapies=self._history.therapies(therapies, conditions.resources, of_procedure, procedures_back),
            malformed_diagnoses=tuple([_malformed(c, self._mappings.condition) for c in conditions.malformed]),
            malformed_therapies=tuple([_malformed(p, self._history.procedure) for p in procedures.malformed]),
            truncated=eligibility.truncated,
            truncated_lists=_truncated_lists(eligibility),
            blood_counts=self._search(laboratory.blood_counts, patient_id, taken_back) if laboratory else None,
            albumin=self._search(laboratory.albumin, patient_id, taken_back) if laboratory else None,
        )

    def _search(self, content: BundleContent[Observation], patient_id: str, taken_back: frozenset[str]) -> SearchEntry:
        ours = self._ours(content.resources)
        # Before an entry is made: the longest charts would cost the most, for nothing.
        _limit(len(ours))
        unreadable = [m for m in content.malformed if self._may_be_ours(m)]
        _limit(len(unreadable))
        subjects = SubjectMatcher(patient_id, content.patients)
        materials = MaterialReader(self._mappings.materials, content.specimens)
        tables = _Tables(materials, self._measures, self._mappings.clumps)
        return SearchEntry(
            observations=tuple([_observation(observation, subjects, taken_back, tables) for observation in ours]),
            malformed=tuple([_malformed(m, self._laboratory) for m in unreadable]),
            truncated=content.truncated,
        )

    def _ours(self, observations: Sequence[Observation]) -> list[Observation]:
        """Return those with a code of the tables, their own or of a component; each code is looked up once."""
        known = _KnownConcepts(self._laboratory)
        return [o for o in observations if known[o.code] or (o.component and any(known[c.code] for c in o.component))]

    def _may_be_ours(self, observation: Malformed) -> bool:
        """Tell whether a result that could not be read may be one the rule asks for, itself or in a component."""
        return observation.code is None or observation.has_components or is_known(observation.code, self._laboratory)

    def _laboratory(self, system: str, code: str) -> object:
        known = self._mappings.analyte_code(system, code) or self._mappings.refused_code(system, code)
        return known or self._mappings.clumps.is_asked_by(system, code) or None


class _Tables(NamedTuple):
    """What tells of a text what a record keeps of it."""

    materials: MaterialReader
    measures: Measures
    clumps: ClumpTable


class _KnownConcepts(dict["CodeableConcept | None", bool]):
    """Which concepts of one chart the tables know, each looked up when it is first met."""

    def __init__(self, look_up: LookUp) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, concept: CodeableConcept | None) -> bool:
        known = self[concept] = is_known(concept, self._look_up)
        return known


def _observation(
    observation: Observation, subjects: SubjectMatcher, taken_back: frozenset[str], tables: _Tables
) -> ObservationEntry:
    materials, measures, clumps = tables
    kind = _kind(observation)
    specimen = observation.specimen
    components: Iterable[Component] = observation.component
    return ObservationEntry(
        id=observation.id,
        version=observation.version,
        status=TAKEN_BACK if observation.id in taken_back else observation.status,
        subject=subjects.refuse(observation.subject, observation.focus) or "",
        specimen=Reference(specimen.reference) if specimen is not None and specimen.reference else None,
        taken_from=materials.of_observation(observation),
        effective=observation.effectiveDateTime or observation.effectiveInstant,
        period=observation.effectivePeriod,
        issued=observation.issued,
        code=_without_names(observation.code),
        kind=kind,
        material=measures.find(observation.code, observation.valueQuantity).material,
        finding=_finding(observation, clumps) or (PRESENT if tells_clumps(observation, clumps) else ""),
        quantity=_quantity(observation, kind),
        components=tuple([_component(component, tables) for component in components]) if components else (),
    )


def _finding(measurement: Observation | Component, clumps: ClumpTable) -> str:
    return clump_state(measurement, clumps) if is_clump_code(measurement, clumps) else ""


def _component(component: Component, tables: _Tables) -> MeasurementEntry:
    _, measures, clumps = tables
    kind = _kind(component)
    return MeasurementEntry(
        code=_without_names(component.code),
        kind=kind,
        material=measures.find(component.code, component.valueQuantity).material,
        finding=_finding(component, clumps),
        quantity=_quantity(component, kind),
    )


def _without_names(concept: CodeableConcept | None) -> CodeableConcept | None:
    """Leave out the texts of a concept: they may hold anything, a name too."""
    if concept is None:
        return None
    return CodeableConcept(tuple([Coding(coding.system, coding.code) for coding in concept.coding]))


def _kind(measurement: Observation | Component) -> ValueKind:
    if measurement.dataAbsentReason is not None:
        return "absent"
    quantity = measurement.valueQuantity
    if quantity is None:
        return "other" if measurement.has_other_value else "missing"
    value: Any = quantity.value
    if value is None:
        return "missing"
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return "not-numeric"
    return "number" if is_readable_number(Decimal(value)) else "too-long"


def _quantity(measurement: Observation | Component, kind: ValueKind) -> Quantity | None:
    quantity = measurement.valueQuantity
    if quantity is None or kind == "number":
        return quantity
    return Quantity(None, quantity.comparator, quantity.unit, quantity.system, quantity.code)


def _malformed(resource: Malformed, look_up: LookUp) -> MalformedEntry:
    """Keep that it was there, which may have put the decision in doubt; what it says only where the tables know it."""
    code = resource.code if is_known(resource.code, look_up) else None
    return MalformedEntry(id=resource.id, code=code, has_components=resource.has_components)


def _person(person: PatientFact, today: date) -> PersonEntry:
    born = person.youngest_birth_day
    if born is None:
        return PersonEntry(deceased=person.deceased, replaced=person.replaced)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return PersonEntry(age=min(age, OLDEST_AGE), deceased=person.deceased, replaced=person.replaced)


def _truncated_lists(eligibility: EligibilityChart) -> tuple[ChartList, ...]:
    lists: dict[ChartList, bool] = {
        "conditions": eligibility.conditions.truncated,
        "procedures": eligibility.procedures.truncated,
    }
    return tuple(name for name, is_truncated in lists.items() if is_truncated)


def _limit(count: int) -> None:
    if count > MOST_RESOURCES:
        raise _TooLargeError
