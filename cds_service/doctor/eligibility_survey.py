"""Which diagnosis and procedure codes there are, and what the service's own reader makes of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
from cds_service.doctor.resources import names_of, printable
from cds_service.doctor.tallies import Patients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.acquisition.resources import CodeableConcept, Condition, Procedure
    from cds_service.doctor.lookalikes import Kind
    from cds_service.doctor.names import NameBook
    from cds_service.normalization.eligibility_facts import ExcludedFact, FactReader
    from fhir_mappings.mappings import Mappings

# Codes that bear on eligibility or sound so; all others are only counted.
_MOST_CODES: Final = 2_000
_MOST_NAMES: Final = 20
_FOR_NAMES: Final = 50
COUNTS: Final = "counts"
# Condition categories that speak of the cancer itself.
CANCER: Final = frozenset({"primary", "history"})


class ConceptKey(NamedTuple):
    """What a row is about: a code as sent, or a text where there is no code."""

    kind: Kind
    system: str
    code: str
    text: str = ""


@dataclass(slots=True)
class ConceptTally:
    """Conditions or Procedures of one code.

    `meaning` is the category or therapy where the tables know the code. `treatments` counts what became of each:
    "counts", a reason of the service, "undated" beside it, or "not counted" with the tables' own `refusal`.
    """

    key: ConceptKey
    meaning: str = ""
    refusal: str = ""
    left_out: bool = False
    resources: int = 0
    undated: int = 0
    patients: Patients = field(default_factory=Patients)
    names: dict[str, Patients] = field(default_factory=dict)
    treatments: Counter[str] = field(default_factory=Counter)

    @property
    def is_known(self) -> bool:
        """Tell whether the tables count the code."""
        return bool(self.meaning)

    def shown_name(self, least_patients: int) -> str:
        """Return the name most patients' entries came with; empty where too few share one."""
        if not self.names:
            return ""
        name, patients = max(self.names.items(), key=lambda item: len(item[1]))
        return name if len(patients) >= least_patients else ""


class EligibilitySurvey:
    """Counts every Condition and Procedure that doctor saw; keeps rows for those that bear on eligibility."""

    def __init__(self, mappings: Mappings, names: NameBook) -> None:
        """Count nothing yet."""
        self._mappings = mappings
        self._names = names
        self.rows: dict[ConceptKey, ConceptTally] = {}
        self.resources: Counter[Kind] = Counter()

    def add_condition(self, condition: Condition, patient: str, reader: FactReader) -> bool:
        """Count a Condition; tell whether it is a primary liver cancer that counts."""
        self.resources["condition"] += 1
        read = list(reader.read_conditions((condition,)))
        for fact in read:
            self._count("condition", condition.code, patient, fact)
        if not read:
            self._count_other("condition", condition.code, patient)
        return any(isinstance(fact, ConditionFact) and fact.category in CANCER for fact in read)

    def add_procedure(self, procedure: Procedure, patient: str, reader: FactReader) -> bool:
        """Count a Procedure; tell whether it is a qualifying one."""
        self.resources["procedure"] += 1
        read = list(reader.read_procedures((procedure,)))
        for fact in read:
            tally = self._count("procedure", procedure.code, patient, fact)
            if tally is not None and isinstance(fact, ProcedureFact) and fact.performed is None:
                tally.undated += 1
        if not read:
            self._count_other("procedure", procedure.code, patient)
        return any(isinstance(fact, ProcedureFact) for fact in read)

    def of_kind(self, kind: Kind) -> list[ConceptTally]:
        """Return the rows of a kind, most resources first."""
        rows = (tally for key, tally in self.rows.items() if key.kind == kind)
        return sorted(rows, key=lambda tally: (-tally.resources, tally.key))

    def _count(
        self,
        kind: Kind,
        concept: CodeableConcept | None,
        patient: str,
        fact: ConditionFact | ProcedureFact | ExcludedFact,
    ) -> ConceptTally | None:
        """Count one that the tables know, under the code by which they know it."""
        codings = concept.coding if concept is not None else ()
        key = next(
            (ConceptKey(kind, c.system or "", c.code or "") for c in codings if self._meaning(kind, c.system, c.code)),
            ConceptKey(kind, "", fact.code),
        )
        counted = isinstance(fact, ConditionFact | ProcedureFact)
        return self._note(key, concept, patient, COUNTS if counted else str(getattr(fact, "reason", "")))

    def _count_other(self, kind: Kind, concept: CodeableConcept | None, patient: str) -> None:
        """Count one that the tables do not count, if they refuse it by name or it sounds as if it should count."""
        codings = tuple(concept.coding) if concept is not None else ()
        for coding in codings:
            if self._refusal(kind, coding.system, coding.code):
                self._note(ConceptKey(kind, coding.system or "", coding.code or ""), concept, patient, "not counted")
                return
        names = tuple(names_of(concept))
        if self._names.sounds_eligible(kind, names) or _looks_like_icd(kind, [c.code or "" for c in codings]):
            # What holds spaces is free text in the place of a code.
            first = next((c for c in codings if c.code and not any(map(str.isspace, c.code))), None)
            key = (
                ConceptKey(kind, printable(first.system or ""), printable(first.code or ""))
                if first is not None
                else ConceptKey(kind, "", "", names[0] if names else "")
            )
            self._note(key, concept, patient, "not counted")

    def _note(
        self, key: ConceptKey, concept: CodeableConcept | None, patient: str, treatment: str
    ) -> ConceptTally | None:
        tally = self.rows.get(key)
        if tally is None:
            if len(self.rows) >= _MOST_CODES:
                return None
            tally = self.rows[key] = ConceptTally(key, self._meaning(key.kind, key.system, key.code))
            if not tally.meaning:
                tally.refusal, tally.left_out = self._refusal(key.kind, key.system, key.code) or ("", False)
        tally.resources += 1
        tally.patients.add(patient)
        tally.treatments[treatment] += 1
        for name in names_of(concept):
            if name in tally.names or len(tally.names) < _MOST_NAMES:
                tally.names.setdefault(name, Patients(_FOR_NAMES)).add(patient)
        return tally

    def _meaning(self, kind: Kind, system: str | None, code: str | None) -> str:
        if kind == "procedure":
            procedure = self._mappings.procedure(system or "", code or "")
            return procedure.therapy if procedure is not None else ""
        condition = self._mappings.condition(system or "", code or "")
        return condition.category if condition is not None and condition.category in _READ_CATEGORIES else ""

    def _refusal(self, kind: Kind, system: str | None, code: str | None) -> tuple[str, bool] | None:
        if kind == "procedure":
            refused = self._mappings.refused_procedure(system or "", code or "")
            return (refused.reason, refused.left_out) if refused is not None else None
        condition = self._mappings.condition(system or "", code or "")
        if condition is None or condition.category not in _TOLD_CATEGORIES:
            return None
        return f"{condition.category}: {condition.meaning}", condition.category == "ambiguous"


# Categories of fhir_mappings/conditions.toml that eligibility reads, and those a reader of the report should see.
_READ_CATEGORIES: Final = frozenset({*CANCER, "secondary", "recurrence"})
_TOLD_CATEGORIES: Final = frozenset({"ambiguous", "benign-or-uncertain"})


def _looks_like_icd(kind: Kind, codes: Sequence[str]) -> bool:
    """Tell whether a code is that of primary liver cancer in an ICD, under a system that the tables do not know."""
    plain = [code.replace(".", "").strip().upper() for code in codes]
    return kind == "condition" and any(code.startswith(("C220", "C221")) for code in plain)
