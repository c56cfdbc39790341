"""What a record keeps of Conditions and Procedures: of texts only the words that the tables list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.acquisition.resources import CodeableConcept, Coding
from cds_service.audit.chart_entries import DiagnosisEntry, TherapyEntry
from cds_service.normalization.condition_status import is_for_an_encounter
from cds_service.normalization.procedure_grounds import GroundsReader
from cds_service.normalization.taken_back import TAKEN_BACK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cds_service.acquisition.resources import Condition, Procedure
    from cds_service.normalization.procedure_grounds import Listed
    from cds_service.normalization.subject import SubjectMatcher
    from fhir_mappings.mappings import Mappings

    LookUp = Callable[[str, str], object]

# Kept of every version of a resource that one version takes back: that one may have no code, and is not kept then.
_IN_ERROR: Final = CodeableConcept((Coding(code=TAKEN_BACK),))


class HistoryKeeper:
    """Keeps diagnoses and procedures of one site's charts."""

    def __init__(self, mappings: Mappings) -> None:
        """Keep the tables that say which codes and words are of interest."""
        self._mappings = mappings

    def procedure(self, system: str, code: str) -> object:
        """Return what the tables know of a code, be it to be refused."""
        mappings = self._mappings
        qualifying = mappings.procedure(system, code) or mappings.refused_procedure(system, code)
        return qualifying or mappings.operation(system, code)

    def is_of_interest(self, procedure: Procedure) -> bool:
        """Tell whether the tables know a Procedure."""
        return is_known(procedure.code, self.procedure) or bool(self._surgical(procedure))

    def _surgical(self, procedure: Procedure) -> tuple[Coding, ...]:
        codings = (coding for category in procedure.categories for coding in category.coding)
        known = (c for c in codings if self._mappings.is_surgical_category(c.system or "", c.code or ""))
        return tuple(Coding(c.system, c.code) for c in known)

    def therapies(
        self,
        procedures: Sequence[Procedure],
        conditions: Sequence[Condition],
        subjects: SubjectMatcher,
        taken_back: frozenset[str],
    ) -> tuple[TherapyEntry, ...]:
        """Return what is kept of Procedures; reasons may point to the Conditions."""
        grounds = GroundsReader(self._mappings, {c.id: c.code for c in conditions if c.id and c.code is not None})
        return tuple(
            _therapy(p, subjects, taken_back, grounds.sites(p.sites), grounds.reasons(p), self._surgical(p))
            for p in procedures
        )

    def diagnoses(
        self, conditions: Sequence[Condition], subjects: SubjectMatcher, taken_back: frozenset[str]
    ) -> tuple[DiagnosisEntry, ...]:
        """Return what is kept of Conditions."""
        grounds = GroundsReader(self._mappings, {})
        return tuple(_diagnosis(c, subjects, taken_back, grounds.sites(c.sites)) for c in conditions)


def is_known(concept: CodeableConcept | None, look_up: LookUp) -> bool:
    """Tell whether the tables know a code of a concept."""
    if concept is not None:
        for coding in concept.coding:
            if look_up(coding.system or "", coding.code or "") is not None:
                return True
    return False


def _diagnosis(
    condition: Condition, subjects: SubjectMatcher, taken_back: frozenset[str], sites: Listed
) -> DiagnosisEntry:
    return DiagnosisEntry(
        id=condition.id,
        code=condition.code,
        subject=subjects.refuse(condition.subject) or "",
        clinical=condition.clinicalStatus,
        verification=_IN_ERROR if condition.id in taken_back else condition.verificationStatus,
        onset=condition.onsetDateTime,
        onset_period=condition.onsetPeriod,
        recorded=condition.recordedDate,
        for_encounter=is_for_an_encounter(condition),
        sites=_codings(sites),
        site_words=tuple(sorted(sites.words)),
    )


def _codings(listed: Listed) -> tuple[Coding, ...]:
    return tuple(Coding(coding.system, coding.code) for coding, _ in listed.codings)


def _therapy(
    procedure: Procedure,
    subjects: SubjectMatcher,
    taken_back: frozenset[str],
    sites: Listed,
    reasons: Listed,
    categories: tuple[Coding, ...],
) -> TherapyEntry:
    return TherapyEntry(
        id=procedure.id,
        code=procedure.code,
        subject=subjects.refuse(procedure.subject) or "",
        status=TAKEN_BACK if procedure.id in taken_back else procedure.status,
        performed=procedure.performedDateTime,
        performed_period=procedure.performedPeriod,
        categories=categories,
        sites=_codings(sites),
        site_words=tuple(sorted(sites.words)),
        reasons=_codings(reasons),
        reason_words=tuple(sorted(reasons.words)),
    )
