"""Which diagnosis and procedure codes there are, and what the service's own reader makes of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
from cds_service.insight.doctor.editions import EXCLUDING, EditionReading, read_as_edition
from cds_service.insight.doctor.resources import names_of, printable
from cds_service.insight.doctor.tallies import Patients

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.acquisition.resources import CodeableConcept, Condition, Procedure
    from cds_service.insight.doctor.lookalikes import Kind
    from cds_service.insight.doctor.names import NameBook
    from cds_service.normalization.eligibility_facts import ExcludedFact, FactReader
    from fhir_mappings.mappings import Mappings

# Codes that bear on eligibility or sound so; all others are only counted.
_MOST_CODES: Final = 2_000
_MOST_NAMES: Final = 20
_FOR_NAMES: Final = 50
COUNTS: Final = "counts"
NOT_COUNTED: Final = "not counted"
# Condition categories that speak of the cancer itself.
CANCER: Final = frozenset({"primary", "history"})


class Standing(StrEnum):
    """What a Condition says of its patient: primary liver cancer, perhaps (under a code that is not read), or not."""

    COUNTS = "counts"
    SUSPECTED = "suspected"
    NONE = "none"


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
    `edition` is what the code would say if its system were an edition of an ICD. `of_diagnosed` are the patients of
    the sample with a diagnosis, counted or suspected.
    """

    key: ConceptKey
    meaning: str = ""
    refusal: str = ""
    left_out: bool = False
    edition: EditionReading | None = None
    resources: int = 0
    undated: int = 0
    patients: Patients = field(default_factory=Patients)
    of_diagnosed: Patients = field(default_factory=Patients)
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
    """Counts every Condition and Procedure that doctor saw; keeps rows for those that bear on eligibility.

    `excluding` are the patients of diagnoses that would keep them from a card, by system and kind. `others` holds the
    other procedures of diagnosed patients of the sample: whatever they are called, one of them may be the treatment.
    """

    def __init__(self, mappings: Mappings, names: NameBook) -> None:
        self._mappings = mappings
        self._names = names
        self.rows: dict[ConceptKey, ConceptTally] = {}
        self.others: dict[ConceptKey, ConceptTally] = {}
        self.excluding: dict[tuple[str, str], Patients] = {}
        self.resources: Counter[Kind] = Counter()

    def add_condition(self, condition: Condition, patient: str, reader: FactReader) -> Standing:
        """Count a Condition; tell whether it is a primary liver cancer that counts, or may be one."""
        self.resources["condition"] += 1
        read = list(reader.read_conditions((condition,)))
        for fact in read:
            self._count("condition", condition.code, patient, fact)
        if not read:
            self._count_other("condition", condition.code, patient)
        return self._standing(condition.code, read)

    def standing(self, conditions: Iterable[Condition], reader: FactReader) -> Standing:
        """Tell what the Conditions of one patient say, without counting them again."""
        found = {self._standing(c.code, list(reader.read_conditions((c,)))) for c in conditions}
        return next((standing for standing in Standing if standing in found), Standing.NONE)

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

    def add_other_procedures(self, procedures: Iterable[Procedure], patient: str, reader: FactReader) -> None:
        """Count the procedures that the tables do not know of a sampled patient who has a diagnosis."""
        for procedure in procedures:
            if not any(reader.read_procedures((procedure,))) and self._refused_key("procedure", procedure.code) is None:
                key = _key_of("procedure", procedure.code)
                if key in self.rows:
                    self.rows[key].of_diagnosed.add(patient)
                elif (tally := self._other_tally(key._replace(text=""))) is not None:
                    tally.of_diagnosed.add(patient)
                    tally.refusal = tally.refusal or self._operation(procedure.code)
                    self._tell(tally, procedure.code, patient, NOT_COUNTED)

    def of_kind(self, kind: Kind) -> list[ConceptTally]:
        """Return the rows of a kind, most resources first."""
        return _most_first(tally for key, tally in self.rows.items() if key.kind == kind)

    def other_procedures(self) -> list[ConceptTally]:
        """Return the other procedures of diagnosed patients, most resources first."""
        return _most_first(self.others.values())

    def _standing(self, concept: CodeableConcept | None, read: list[ConditionFact | ExcludedFact]) -> Standing:
        if any(isinstance(fact, ConditionFact) and fact.category in CANCER for fact in read):
            return Standing.COUNTS
        if read or self._refused_key("condition", concept) is not None:
            return Standing.NONE
        edition = self._edition("condition", concept)
        if edition is not None:
            return Standing.SUSPECTED if edition[1].category in CANCER else Standing.NONE
        sounds = self._names.sounds_eligible("condition", names_of(concept))
        return Standing.SUSPECTED if sounds else Standing.NONE

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
        """Count one that the tables do not count, if they refuse it by name or it seems as if it should count."""
        refused = self._refused_key(kind, concept)
        if refused is not None:
            self._note(refused, concept, patient, NOT_COUNTED)
            return
        edition = self._edition(kind, concept)
        if edition is not None:
            key, reading = edition
            tally = self._note(key, concept, patient, NOT_COUNTED)
            if tally is not None:
                tally.edition = reading
            if reading.category in EXCLUDING:
                self.excluding.setdefault((key.system, EXCLUDING[reading.category]), Patients()).add(patient)
        elif self._names.sounds_eligible(kind, names_of(concept)):
            self._note(_key_of(kind, concept), concept, patient, NOT_COUNTED)

    def _refused_key(self, kind: Kind, concept: CodeableConcept | None) -> ConceptKey | None:
        """Return the code that the tables know and do not count."""
        for coding in concept.coding if concept is not None else ():
            if self._refusal(kind, coding.system, coding.code):
                return ConceptKey(kind, coding.system or "", coding.code or "")
        return None

    def _edition(self, kind: Kind, concept: CodeableConcept | None) -> tuple[ConceptKey, EditionReading] | None:
        if kind != "condition":
            return None
        for coding in concept.coding if concept is not None else ():
            system, code = printable(coding.system or ""), printable((coding.code or "").strip())
            reading = read_as_edition(system, code, self._mappings)
            if reading is not None:
                return ConceptKey(kind, system, code), reading
        return None

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
        self._tell(tally, concept, patient, treatment)
        return tally

    def _other_tally(self, key: ConceptKey) -> ConceptTally | None:
        if key not in self.others and len(self.others) < _MOST_CODES:
            self.others[key] = ConceptTally(key)
        return self.others.get(key)

    def _operation(self, concept: CodeableConcept | None) -> str:
        """Say as what operation the tables know a procedure; empty for none."""
        for coding in concept.coding if concept is not None else ():
            found = self._mappings.operation(coding.system or "", coding.code or "")
            if found is not None:
                return f"no interventional procedure but an operation: {found.kind}"
        return ""

    @staticmethod
    def _tell(tally: ConceptTally, concept: CodeableConcept | None, patient: str, treatment: str) -> None:
        tally.resources += 1
        tally.patients.add(patient)
        tally.treatments[treatment] += 1
        for name in names_of(concept):
            if name in tally.names or len(tally.names) < _MOST_NAMES:
                tally.names.setdefault(name, Patients(_FOR_NAMES)).add(patient)

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
_READ_CATEGORIES: Final = frozenset(
    {*CANCER, "other-histology", "secondary", "recurrence", "metastasis", "transplant-status"}
)
_TOLD_CATEGORIES: Final = frozenset({"ambiguous", "benign-or-uncertain"})


def _key_of(kind: Kind, concept: CodeableConcept | None) -> ConceptKey:
    """Return the code that stands for a concept, else its name. What holds spaces is free text in a code's place."""
    codings = concept.coding if concept is not None else ()
    first = next((c for c in codings if c.code and not any(map(str.isspace, c.code))), None)
    if first is not None:
        return ConceptKey(kind, printable(first.system or ""), printable(first.code or ""))
    return ConceptKey(kind, "", "", next(names_of(concept), ""))


def _most_first(tallies: Iterable[ConceptTally]) -> list[ConceptTally]:
    return sorted(tallies, key=lambda tally: (-tally.resources, tally.key))
