"""Conditions, Procedures and the Patient to the facts that eligibility asks for.

What is not used carries a reason of its own, for the person who wants to know why a patient was not eligible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.chart_facts import ConditionFact, OperationFact, PatientFact, ProcedureFact
from cds_service.clinical.chart_notes import OTHER_CANCER, PAST_CANCER, RECORDED_KINDS
from cds_service.clinical.noted import RecordedFact
from cds_service.clinical.reasons import Reason
from cds_service.normalization.condition_status import Standing, came_back, is_active, is_over, standing_of
from cds_service.normalization.fact_dates import FactDates
from cds_service.normalization.observed import reference_of
from cds_service.normalization.procedure_grounds import GroundsReader
from cds_service.normalization.taken_back import conditions_taken_back, ids_taken_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cds_service.normalization.effective_time import TimeReader
    from cds_service.normalization.shapes import ConceptLike, ConditionLike, PatientLike, ProcedureLike
    from cds_service.normalization.subject import SubjectMatcher
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import ConceptCode, OperationCode, OperationForm, ProcedureCode

# Categories of fhir_mappings/conditions.toml that eligibility reads; others are context or refused.
_CATEGORIES = frozenset(
    {"primary", "history", "other-histology", "secondary", "recurrence", "metastasis", "transplant-status"}
)
_CANCER_ITSELF = frozenset({"primary", "history"})
# What a suspicion of is named on the card.
_SPREAD = frozenset({"secondary", "recurrence", "metastasis"})

INTERVENTIONAL = "interventional"
COMPLETED = "completed"
# FHIR R4 event-status of what was begun, completed or not; "unknown" says that nobody knows.
_DONE = frozenset({COMPLETED})
_BEGUN = frozenset({COMPLETED, "in-progress", "on-hold", "stopped", "unknown", ""})


class ExcludedFact(NamedTuple):
    """A Condition or Procedure of ours that does not count, and why. `suspected` is the spread it is a suspicion of."""

    resource_type: str
    reference: str
    code: str
    reason: Reason
    suspected: str = ""


class FactReader:
    """Reads the facts of one patient under one site's mappings."""

    def __init__(
        self,
        mappings: Mappings,
        subjects: SubjectMatcher,
        times: TimeReader,
        diagnoses: Mapping[str, ConceptLike] | None = None,
    ) -> None:
        """Keep what every resource is judged against; `diagnoses` are what reasons of procedures may point to."""
        self._mappings = mappings
        self._subjects = subjects
        self._times = times
        self._dates = FactDates(times)
        self._grounds = GroundsReader(mappings, diagnoses or {})

    def read_conditions(self, conditions: Sequence[ConditionLike]) -> Iterator[ConditionFact | ExcludedFact]:
        """Yield a fact for each category a Condition is coded with; nothing for diagnoses that do not matter.

        A Condition counts when it is this patient's, its verification is confirmed or absent, and no other version
        takes it back.
        """
        taken_back = conditions_taken_back(conditions)
        for condition in conditions:
            for category, code in self._categories(condition).items():
                reference = reference_of(condition.id, "Condition")
                standing = Standing.NEITHER if condition.id in taken_back else standing_of(condition, category)
                refused = self._subjects.refuse(condition.subject)
                if refused is not None:
                    yield ExcludedFact("Condition", reference, code, refused)
                elif standing is not Standing.COUNTS:
                    suspected = category if standing is Standing.SUSPECTED and category in _SPREAD else ""
                    yield ExcludedFact("Condition", reference, code, Reason.STATUS_NOT_ACCEPTED, suspected)
                else:
                    yield self._condition_fact(condition, category, reference, code)

    def read_procedures(self, procedures: Sequence[ProcedureLike]) -> Iterator[ProcedureFact | ExcludedFact]:
        """Yield a fact for each qualifying procedure of this patient that is completed and not in the future.

        One that carries a refused code as well (metastasis, cyst) is excluded as code-conflict, one at another organ as
        body-site-elsewhere, one for another reason as other-indication.
        """
        taken_back = ids_taken_back(procedures)
        for procedure in procedures:
            found = self.therapy_of(procedure.code)
            if found is None:
                continue
            row, code = found
            reference = reference_of(procedure.id, "Procedure")
            refused = self._refuse(procedure, taken_back, _DONE) or self._grounds.refuse(procedure)
            if refused is not None:
                yield ExcludedFact("Procedure", reference, code, refused)
                continue
            performed = self._dates.of_procedure(procedure)
            yield ProcedureFact(row.therapy, reference, procedure.version, code, performed, row.weak)

    def read_operations(self, procedures: Sequence[ProcedureLike]) -> Iterator[OperationFact]:
        """Yield what does not qualify and yet changes blood counts: operations, and what was begun and not completed.

        Statuses and dates as for qualifying procedures; of what was not begun nothing is yielded.
        """
        taken_back = ids_taken_back(procedures)
        for procedure in procedures:
            found = self._operation(procedure)
            if found is None or self._refuse(procedure, taken_back, _BEGUN) is not None:
                continue
            kind, code = found
            if kind == INTERVENTIONAL and self._grounds.refuse(procedure) is not None:
                continue
            reference = reference_of(procedure.id, "Procedure")
            performed = self._dates.of_procedure(procedure)
            yield OperationFact(kind, reference, code, procedure.status == COMPLETED, performed)

    def read_recorded(self, conditions: Sequence[ConditionLike]) -> Iterator[RecordedFact]:
        """Yield diagnoses of this patient that change blood counts on their own."""
        taken_back = conditions_taken_back(conditions)
        for condition in conditions:
            kinds = {row.category: code for row, code in self._rows(condition.code) if row.category in RECORDED_KINDS}
            if not kinds or condition.id in taken_back or self._subjects.refuse(condition.subject) is not None:
                continue
            days = self._dates.of_condition(condition)
            span = (days.first, days.last) if days is not None else (None, None)
            for kind, code in kinds.items():
                is_past = kind == OTHER_CANCER and not is_active(condition)
                if standing_of(condition, kind) is Standing.COUNTS:
                    yield RecordedFact(PAST_CANCER if is_past else kind, code, *span)

    def read_patient(self, patient: PatientLike) -> PatientFact:
        """Read birth date (a partial one by its last day, the youngest the patient may be) and death.

        A date of death that cannot be read still says that the patient died; one that lies ahead does not.
        """
        birth, death, dead = patient.birthDate, patient.deceasedDateTime, patient.deceasedBoolean
        born = self._dates.days(birth) if birth and isinstance(birth, str) else None
        died = self._dates.start_of(death) if death and isinstance(death, str) else None
        lives_on = not death or (died is not None and self._times.is_future(died))
        is_told = dead is None or isinstance(dead, bool)
        is_readable = is_told and (not birth or born is not None) and (not death or died is not None)
        youngest = born.last if born is not None else None
        return PatientFact(youngest, dead is True or not lives_on, is_readable, _is_replaced(patient))

    def _condition_fact(self, condition: ConditionLike, category: str, reference: str, code: str) -> ConditionFact:
        days = self._dates.of_condition(condition)
        return ConditionFact(
            category,
            reference,
            condition.version,
            code,
            recurrence_status=category in _CANCER_ITSELF and came_back(condition),
            last_day=days.last if days is not None else None,
            first_day=days.first if days is not None else None,
            over=is_over(condition),
        )

    def _categories(self, condition: ConditionLike) -> dict[str, str]:
        """Return the categories of a Condition, each with the code that gave it, as sent."""
        found: dict[str, str] = {}
        for row, code in self._rows(condition.code):
            category = row.category
            if category == "metastasis" and row.system == "snomed" and self._is_of_the_liver(condition):
                category = "secondary"
            if category in _CATEGORIES:
                found.setdefault(category, code)
        if "other-histology" in found:
            # One diagnosis under a narrow and a wide code is what the narrow one says.
            found.pop("primary", None)
        return found

    def _is_of_the_liver(self, condition: ConditionLike) -> bool:
        """Tell whether a Condition names the liver and no other organ as its site (SNOMED CT codes leave it open)."""
        return self._grounds.sites(condition.sites).meanings == {"liver"}

    def _rows(self, concept: ConceptLike | None) -> Iterator[tuple[ConceptCode, str]]:
        """Yield the rows that speak for the codes of a concept, each with its code as sent."""
        for coding in concept.coding if concept is not None else ():
            code = coding.code or ""
            row = self._mappings.condition(coding.system or "", code)
            if row is not None:
                yield row, code

    def _refuse(self, procedure: ProcedureLike, taken_back: frozenset[str], statuses: frozenset[str]) -> Reason | None:
        """Name why a procedure does not count: whose it is, what became of it, when, what else it is."""
        refused = self._subjects.refuse(procedure.subject)
        if refused is not None:
            return refused
        if procedure.id in taken_back or (procedure.status or "") not in statuses:
            return Reason.STATUS_NOT_ACCEPTED
        performed = self._dates.of_procedure(procedure)
        if performed is not None and self._times.is_future(performed.first):
            return Reason.FUTURE_TIME
        return Reason.CODE_CONFLICT if self._has_refused_code(procedure.code) else None

    def therapy_of(self, concept: ConceptLike | None) -> tuple[ProcedureCode, str] | None:
        """Return the row that speaks for a qualifying procedure, with its code as sent."""
        found: list[tuple[ProcedureCode, str]] = []
        for coding in concept.coding if concept is not None else ():
            code = coding.code or ""
            row = self._mappings.procedure(coding.system or "", code)
            if row is not None:
                found.append((row, code))
        # A code that names the therapy speaks for one beside it that means more.
        return next((one for one in found if not one[0].weak), found[0] if found else None)

    def _operation(self, procedure: ProcedureLike) -> tuple[str, str] | None:
        """Return kind and code of an operation, or of a qualifying procedure that was not completed."""
        concept = procedure.code
        therapy = self.therapy_of(concept)
        if therapy is not None and procedure.status != COMPLETED:
            return INTERVENTIONAL, therapy[1]
        rows: list[OperationCode | OperationForm | None] = []
        codes: list[str] = []
        for coding in concept.coding if concept is not None else ():
            rows.append(self._mappings.operation(coding.system or "", coding.code or ""))
            codes.append(coding.code or "")
        found = [(row.kind, code) for row, code in zip(rows, codes, strict=True) if row is not None]
        if therapy is None and not found and self._is_surgical(procedure):
            return "other", next(iter(codes), "")
        listed = next((one for one in found if one[0] != "other"), None)
        return listed or (found[0] if found and therapy is None else None)

    def _is_surgical(self, procedure: ProcedureLike) -> bool:
        return any(
            self._mappings.is_surgical_category(coding.system or "", coding.code or "")
            for category in procedure.categories
            for coding in category.coding
        )

    def _has_refused_code(self, concept: ConceptLike | None) -> bool:
        """Tell whether a code speaks of another thing (metastasis, cyst); one merely unspecific does not refuse."""
        codings = concept.coding if concept is not None else ()
        rows = (self._mappings.refused_procedure(c.system or "", c.code or "") for c in codings)
        return any(row is not None and not row.left_out for row in rows)


def _is_replaced(patient: PatientLike) -> bool:
    """Tell whether another record took the place of this one (FHIR R4: Patient.link, link-type)."""
    links = patient.link if isinstance(patient.link, list) else [patient.link]
    return any(isinstance(link, dict) and link.get("type") == "replaced-by" for link in links)
