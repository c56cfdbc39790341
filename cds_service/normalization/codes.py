"""Coding to analyte, by exact match of system and code only.

Display texts change between LOINC releases and borrowed value sets hold near-misses (large platelets, segmented
neutrophils), so neither is ever used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.clinical.models import Analyte
from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from cds_service.normalization.shapes import ConceptLike
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import AnalyteCode

_OURS = frozenset(Analyte)


def match_analyte(concept: ConceptLike | None, mappings: Mappings) -> AnalyteCode | Reason | None:
    """Return the accepted code of a concept, code-conflict, or None when the concept is none of our analytes.

    A concept that also carries a refused code, or accepted codes of different meaning, is a conflict: nobody can
    tell which one the laboratory meant. Among equal meanings the preferred code stands.
    """
    codings = concept.coding if concept is not None else ()
    best: AnalyteCode | None = None
    for coding in codings:
        found = mappings.analyte_code(coding.system or "", coding.code or "")
        if found is None:
            continue
        if best is not None and (found.analyte, found.basis) != (best.analyte, best.basis):
            return Reason.CODE_CONFLICT
        if best is None or found.preference < best.preference:
            best = found
    if best is None or best.analyte not in _OURS:
        return None
    if len(codings) > 1 and any(mappings.refused_code(c.system or "", c.code or "") for c in codings):
        return Reason.CODE_CONFLICT
    return best
