"""Conditions and Procedures that say nothing to eligibility, each with why: for the person who maps a site's codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_service.normalization.observed import reference_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from cds_service.acquisition.resources import CodeableConcept, Coding, Condition, Procedure
    from fhir_mappings import Mappings

_AMBIGUOUS = "ambiguous"


def unread_conditions(conditions: Sequence[Condition], told: Set[str], mappings: Mappings) -> Iterator[dict[str, Any]]:
    """Yield a row for each Condition that no fact tells of.

    `told` holds the references of those that one does, and the codes of those that have no id. A diagnosis that does
    not say whether the cancer is primary is named by the code that says so, all others by all of their codes.
    """
    for condition in conditions:
        reference = reference_of(condition.id, "Condition")
        codings = _codings(condition.code)
        found = [(row, c) for c in codings if (row := mappings.condition(c.system or "", c.code or "")) is not None]
        ambiguous = next(((row, c) for row, c in found if row.category == _AMBIGUOUS), None)
        if reference in told or (not reference and any(c.code in told for c in codings)):
            continue
        if ambiguous is not None:
            row, coding = ambiguous
            note = f"does not count by itself: {row.meaning}"
            yield _row(reference, coding.code or "", note) | {"category": row.category}
        elif found:
            row, _ = found[0]
            yield _row(reference, _as_sent(codings), f"decides nothing: {row.meaning}") | {"category": row.category}
        else:
            yield _row(reference, _as_sent(codings), _why_unknown(codings, mappings))


def unread_procedures(procedures: Sequence[Procedure], told: Set[str], mappings: Mappings) -> Iterator[dict[str, Any]]:
    """Yield a row for each Procedure that no fact tells of; `told` as for Conditions."""
    for procedure in procedures:
        reference = reference_of(procedure.id, "Procedure")
        codings = _codings(procedure.code)
        if reference in told or (not reference and any(c.code in told for c in codings)):
            continue
        yield _row(reference, _as_sent(codings), _why_not_qualifying(codings, mappings))


def _row(reference: str, code: str, note: str) -> dict[str, Any]:
    return {"reference": reference, "code": code, "treatment": "ignored", "note": note}


def _why_not_qualifying(codings: Sequence[Coding], mappings: Mappings) -> str:
    for coding in codings:
        system, code = coding.system or "", coding.code or ""
        refused = mappings.refused_procedure(system, code)
        if refused is not None:
            return f"does not count: {refused.reason}"
        operation = mappings.operation(system, code)
        if operation is not None:
            return f"an operation that does not qualify: {operation.meaning}"
    return _why_unknown(codings, mappings)


def _why_unknown(codings: Sequence[Coding], mappings: Mappings) -> str:
    """Say whether a code, its system, or the code system's entry in the tables is missing."""
    systems = dict.fromkeys(coding.system or "" for coding in codings if coding.code)
    if not systems:
        return "not read: it has no code"
    unknown = [system for system in systems if system and mappings.canonical_system(system) is None]
    if unknown:
        return f"not read: the code system {', '.join(unknown)} is not known; an overlay can add it"
    if "" in systems:
        return "not read: a code without a system never matches"
    return "not read: the code is not in the tables"


def _codings(concept: CodeableConcept | None) -> Sequence[Coding]:
    return concept.coding if concept is not None else ()


def _as_sent(codings: Sequence[Coding]) -> str:
    return ", ".join(f"{coding.system or ''}|{coding.code or ''}" for coding in codings)
