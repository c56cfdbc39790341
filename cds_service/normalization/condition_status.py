"""Does a diagnosis hold? Verification, clinical status and kind of record of a FHIR R4 Condition."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from cds_service.normalization.taken_back import TAKEN_BACK

if TYPE_CHECKING:
    from cds_service.normalization.shapes import ConceptLike, ConditionLike, DescribedConceptLike

# FHIR R4 condition-ver-status. Beside "confirmed" may stand the same in a code system of the site, but none of these.
_CONFIRMED: Final = "confirmed"
_SUSPECTED: Final = frozenset({"unconfirmed", "provisional", "differential"})
_DENIED: Final = frozenset({"refuted", TAKEN_BACK})
# FHIR R4 condition-clinical: the cancer itself came back.
_RECURRENCE: Final = frozenset({"recurrence", "relapse"})
_OVER: Final = frozenset({"resolved", "inactive", "remission"})
# FHIR R4 condition-category: a diagnosis for one encounter is closed with it, whatever became of the disease.
FOR_AN_ENCOUNTER: Final = "encounter-diagnosis"
# What makes a patient eligible has to be sure.
_HAVE_TO_BE_CONFIRMED: Final = frozenset({"primary", "history", "other-histology"})


class Standing(Enum):
    """Whether a diagnosis counts, is a suspicion only, or is neither."""

    COUNTS = "counts"
    SUSPECTED = "suspected"
    NEITHER = "neither"


def standing_of(condition: ConditionLike, category: str) -> Standing:
    """Tell whether a diagnosis of a category counts: confirmed, or without any status.

    A status without a known code (text, a code of the site) is neither; it makes no cancer, and takes no recurrence
    back.
    """
    verification = condition.verificationStatus
    codes = codes_of(verification)
    if codes & _DENIED:
        return Standing.NEITHER
    if codes & _SUSPECTED:
        return Standing.SUSPECTED
    known = verification is None or _CONFIRMED in codes
    return Standing.COUNTS if known or category not in _HAVE_TO_BE_CONFIRMED else Standing.NEITHER


def came_back(condition: ConditionLike) -> bool:
    """Tell whether the clinical status says that the disease itself came back."""
    return bool(codes_of(condition.clinicalStatus) & _RECURRENCE)


def is_over(condition: ConditionLike) -> bool:
    """Tell whether a disease is said to be over: by its clinical status, and not as the diagnosis of an encounter."""
    codes = codes_of(condition.clinicalStatus)
    if not codes or not codes <= _OVER:
        return False
    return not is_for_an_encounter(condition)


def is_active(condition: ConditionLike) -> bool:
    """Tell whether a disease is active, or nothing says that it is not."""
    codes = codes_of(condition.clinicalStatus)
    return not codes or not codes <= _OVER


def is_for_an_encounter(condition: ConditionLike) -> bool:
    """Tell whether a diagnosis was written down for one encounter and closed with it."""
    return any(FOR_AN_ENCOUNTER in codes_of(category) for category in condition.categories)


def codes_of(concept: ConceptLike | DescribedConceptLike | None) -> frozenset[str]:
    """Return the codes of a concept, whatever their system."""
    return frozenset(coding.code for coding in concept.coding if coding.code) if concept is not None else frozenset()
