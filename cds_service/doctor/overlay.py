"""The site overlay that doctor proposes: what names and values agree on to paste, all else as comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.doctor.judging.local_codes import cannot_be_mapped
from cds_service.doctor.judging.values import FACTORS, fitting_factors
from cds_service.doctor.laboratory_survey import meaning_of
from cds_service.normalization.units import normalize_spelling
from cds_service.settings.overlays.forms import UNAPPROVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cds_service.doctor.eligibility_survey import ConceptTally
    from cds_service.doctor.judging.case import Case
    from cds_service.doctor.judging.local_codes import LocalCode

_HEAD: Final = f"""\
# Proposed by sii-cds doctor. Every row is a suspicion until laboratory and clinical owner have
# confirmed it. Then put their names into approved_by, list this file under mappings.overlays, and
# run `sii-cds config check`.
about:
  what: Local codes and units that sii-cds doctor found
  approved_by: {UNAPPROVED}
"""


class UnitRow(NamedTuple):
    """A unit spelling with the factor that the values speak for."""

    spelling: str
    kind: str
    factor: str


class Proposal(NamedTuple):
    """Rows to put into use, and rows that only a person can decide about."""

    codes: tuple[LocalCode, ...]
    units: tuple[UnitRow, ...]
    doubtful: tuple[LocalCode, ...]
    concepts: tuple[ConceptTally, ...]


def propose(codes: Sequence[LocalCode], case: Case) -> Proposal:
    """Sort what was found into rows to paste and rows to decide about."""
    mappable = [code for code in codes if not cannot_be_mapped(code.tally, case) and code.basis]
    concepts = (
        row
        for kind in ("condition", "procedure")
        for row in case.evidence.eligibility.of_kind(kind)
        if not row.is_known and not row.refusal and row.key.code and ":" in row.key.system
    )
    return Proposal(
        codes=tuple(code for code in mappable if not code.doubt),
        units=_units(codes, case),
        doubtful=tuple(code for code in mappable if code.doubt),
        concepts=tuple(concepts),
    )


def overlay_text(proposal: Proposal, case: Case) -> str:
    """Return the overlay; empty when there is nothing to propose."""
    if not any(proposal):
        return ""
    lines = [*_systems(proposal.codes, case)]
    if proposal.codes:
        lines += ["laboratory_codes:", *(_code_row(code, case) for code in proposal.codes)]
    if proposal.units:
        lines += ["units:", *(_unit_row(unit) for unit in proposal.units)]
    if proposal.doubtful:
        lines += ["# Only after the laboratory has said what these are (and their systems under systems:)"]
        lines += ["# laboratory_codes:", *(f"# {_code_row(code, case)}  # {code.doubt}" for code in proposal.doubtful)]
    for kind, title, rest in _CONCEPTS:
        rows = [row for row in proposal.concepts if row.key.kind == kind]
        if rows:
            lines += ["# Only after the clinical owner has decided (and their systems under systems:)", f"# {title}:"]
            lines += [f"#   - {{{_coded(row.key.system, row.key.code)}, {rest}}}" for row in rows]
    return _HEAD + "\n".join(lines) + "\n"


_CONCEPTS: Final = (
    ("condition", "condition_codes", "category: primary"),
    ("procedure", "procedure_codes", "therapy: embolization/chemo, liver_specific: true"),
)


def _systems(codes: Iterable[LocalCode], case: Case) -> Iterator[str]:
    uris = dict.fromkeys(code.tally.key.system for code in codes)
    new = [uri for uri in uris if case.mappings.canonical_system(uri) is None]
    if new:
        yield "systems:"
        yield from (f"  - uri: {_quoted(uri)}" for uri in new)


def _code_row(code: LocalCode, case: Case) -> str:
    name = code.tally.shown_name(case.mask.below)
    named = f", name: {_quoted(name)}" if name else ""
    coded = _coded(code.tally.key.system, code.tally.key.code)
    return f"  - {{{coded}{named}, analyte: {code.analyte}, basis: {code.basis}}}"


def _coded(system: str, code: str) -> str:
    return f"system: {_quoted(system)}, code: {_quoted(code)}"


def _unit_row(unit: UnitRow) -> str:
    return f"  - {{spelling: {_quoted(unit.spelling)}, kind: {unit.kind}, factor: {unit.factor}}}"


def _quoted(text: str) -> str:
    """Return a text in double quotes, which YAML reads as JSON does."""
    return json.dumps(text, ensure_ascii=False)


def _units(codes: Sequence[LocalCode], case: Case) -> tuple[UnitRow, ...]:
    """Return spellings on whose factor all values agree, those of accepted and of local codes together."""
    votes: dict[tuple[str, str], frozenset[str]] = {}
    for spelling, kind, factors in (*_of_accepted(case), *_of_local(codes)):
        known = votes.get((spelling, kind), frozenset(FACTORS[kind]))
        votes[spelling, kind] = known & factors
    kinds: dict[str, int] = {}
    for spelling, _ in votes:
        kinds[spelling] = kinds.get(spelling, 0) + 1
    return tuple(
        UnitRow(spelling, kind, next(iter(factors)))
        for (spelling, kind), factors in sorted(votes.items())
        if len(factors) == 1 and kinds[spelling] == 1 and not case.mappings.units.refused(normalize_spelling(spelling))
    )


def _of_accepted(case: Case) -> Iterator[tuple[str, str, frozenset[str]]]:
    for tally in case.evidence.laboratory.with_treatment("accepted"):
        for unit in tally.units.values():
            spelling = unit.spelling or unit.ucum
            if spelling and meaning_of(unit, tally.basis, case.mappings).refusal == "unit-unknown":
                factors = fitting_factors(unit, tally.analyte, tally.basis, case)
                if factors:
                    yield spelling, tally.basis, factors


def _of_local(codes: Sequence[LocalCode]) -> Iterator[tuple[str, str, frozenset[str]]]:
    for code in codes:
        if code.unit_factor and code.unit is not None:
            yield code.unit.spelling or code.unit.ucum, code.basis, frozenset({code.unit_factor})
