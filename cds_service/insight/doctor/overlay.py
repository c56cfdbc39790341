"""The site overlay that doctor proposes: what names, values and diagnoses agree on to paste, all else as comments.

What it proposes to paste was put before the checks of `sii-cds config check`; a row that they refuse is a comment.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.doctor.eligibility_survey import CANCER
from cds_service.insight.doctor.judging.local_codes import cannot_be_mapped
from cds_service.insight.doctor.judging.values import FACTORS, fitting_factors
from cds_service.insight.doctor.laboratory_survey import meaning_of
from cds_service.insight.doctor.names import UNKNOWN_THERAPY
from cds_service.normalization.units import normalize_spelling
from cds_service.settings.overlays.adding import problems_of
from cds_service.settings.overlays.forms import UNAPPROVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cds_service.insight.doctor.eligibility_survey import ConceptTally
    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.judging.local_codes import LocalCode

_HEAD: Final = f"""\
# Proposed by sii-cds doctor. Every row is a suspicion until laboratory and clinical owner have
# confirmed it. Then put their names into approved_by, list this file under mappings.overlays, and
# run `sii-cds config check`.
about:
  what: Local codes and units that sii-cds doctor found
  approved_by: {UNAPPROVED}
"""
# In the order in which they are written, with what has to come before a comment becomes a row.
_SECTIONS: Final = {
    "systems": "Only with rows below that name them",
    "laboratory_codes": "Only after the laboratory has said what these are",
    "units": "Only after the laboratory has said what these mean",
    "condition_codes": "Only after the clinical owner has decided",
    "procedure_codes": "Only after the clinical owner has decided; therapy is one of fhir_mappings/procedures.toml",
    "operation_codes": "Only after the clinical owner has decided",
}
# Of one section; an overlay is limited in size, and nobody confirms more at a time.
_MOST_ROWS: Final = 200
_ROUNDS: Final = 8


class Proposal(NamedTuple):
    """The overlay, empty where there is nothing to propose, and why the rows of some codes are comments in it."""

    text: str
    refused: Mapping[str, str]


def propose(codes: Sequence[LocalCode], case: Case) -> Proposal:
    """Return what to paste, and as comments what only a person can decide about."""
    found = (*code_rows(codes, case), *unit_rows(codes, case), *concept_rows(case))
    wanted = (*system_rows(found, case), *found)
    if not wanted:
        return Proposal("", {})
    rows = _accepted(wanted, case)
    refused = {
        new.about: new.doubt for new, old in zip(rows, wanted, strict=True) if new.about and not old.doubt and new.doubt
    }
    return Proposal(_written(rows)[0], refused)


def _accepted(rows: tuple[OverlayRow, ...], case: Case) -> tuple[OverlayRow, ...]:
    """Return the rows with those that `config check` refuses as comments; what rests on them falls a round later."""
    for _ in range(_ROUNDS):
        text, places = _written(rows)
        problems = problems_of(text, case.mappings)
        if not problems:
            return rows
        refused = {places.get(problem.place.order[1]): problem.sentence for problem in problems}
        rows = tuple(
            row._replace(doubt=f"config check refuses it: {refused[number]}") if number in refused else row
            for number, row in enumerate(rows)
        )
    return tuple(row._replace(doubt=row.doubt or "config check refuses it") for row in rows)


def _written(rows: Sequence[OverlayRow]) -> tuple[str, dict[int, int]]:
    """Return the text, and of each line that holds a row to paste the number of the row."""
    lines, places = _HEAD.splitlines(), {}
    for section in _SECTIONS:
        own = [(number, row) for number, row in enumerate(rows) if row.section == section]
        for line, number in _section(section, own):
            lines.append(line)
            if number is not None:
                places[len(lines)] = number
    return "\n".join(lines) + "\n", places


def _section(section: str, rows: Sequence[tuple[int, OverlayRow]]) -> Iterator[tuple[str, int | None]]:
    live = [(number, row) for number, row in rows if not row.doubt][:_MOST_ROWS]
    asked = [row for _, row in rows if row.doubt]
    if live:
        yield f"{section}:", None
        yield from ((f"  - {row.text}", number) for number, row in live)
    if asked:
        indent = "  # " if live else "# "
        yield f"{indent}{_SECTIONS[section]}:", None
        if not live:
            yield f"# {section}:", None
        mark = "  # - " if live else "#   - "
        yield from ((f"{mark}{row.text}  # {row.doubt}", None) for row in asked[:_MOST_ROWS])
    left_out = len(rows) - len(live) - min(len(asked), _MOST_ROWS)
    if left_out > 0:
        yield f"# and {left_out} more under {section}: run doctor again once these are in use", None


# Codes of a system that look like those of an ICD, from which on the system is taken for an edition of it.
_CODES_OF_AN_EDITION: Final = 2
_MOST_NAMELESS: Final = 30
_OWNER: Final = "the clinical owner decides"


class OverlayRow(NamedTuple):
    """A row of a section. `system` is the URI it needs, `about` the code it is for."""

    section: str
    text: str
    doubt: str = ""
    system: str = ""
    about: str = ""


def code_rows(codes: Sequence[LocalCode], case: Case) -> Iterator[OverlayRow]:
    """Yield the laboratory codes that an overlay can name."""
    for code in codes:
        key = code.tally.key
        if code.basis and not cannot_be_mapped(code.tally, case):
            name = _named(code.tally.shown_name(case.mask.below))
            text = f"{{{_coded(key.system, key.code)}{name}, analyte: {code.analyte}, basis: {code.basis}}}"
            yield OverlayRow("laboratory_codes", text, code.doubt, key.system, code.about)


def concept_rows(case: Case) -> Iterator[OverlayRow]:
    """Yield diagnoses and procedures that are not read. A diagnosis of a whole edition needs no row of its own."""
    eligibility = case.evidence.eligibility
    for row in eligibility.of_kind("condition"):
        if _is_open(row) and (row.edition is None or not row.edition.is_edition):
            category = row.edition.category if row.edition is not None else "primary"
            text = f"{{{_coded(row.key.system, row.key.code)}, category: {category}}}"
            yield OverlayRow("condition_codes", text, _OWNER, row.key.system)
    yield from (_procedure_row(row, case) for row in eligibility.of_kind("procedure") if _is_open(row))
    named = (row for row in eligibility.other_procedures() if _is_open(row) and case.names.operation(row.names))
    yield from (_procedure_row(row, case) for row in named)
    nameless = [row for row in eligibility.other_procedures() if _is_open(row) and not row.names]
    yield from (_procedure_row(row, case) for row in nameless[:_MOST_NAMELESS])


def system_rows(rows: Iterable[OverlayRow], case: Case) -> Iterator[OverlayRow]:
    """Yield the code systems that rows need, and those that are editions of an ICD."""
    editions = dict(_editions(case))
    yield from editions.values()
    needed: dict[str, bool] = {}
    for row in rows:
        if row.system and row.system not in editions:
            needed[row.system] = needed.get(row.system, False) or not row.doubt
    for uri, is_live in needed.items():
        if case.mappings.canonical_system(uri) is None:
            yield OverlayRow("systems", f"uri: {_quoted(uri)}", "" if is_live else "only with a row that names it")


def unit_rows(codes: Sequence[LocalCode], case: Case) -> Iterator[OverlayRow]:
    """Yield spellings on whose factor all values agree, those of accepted and of local codes together."""
    votes: dict[tuple[str, str], frozenset[str]] = {}
    for spelling, kind, factors in (*_of_accepted(case), *_of_local(codes)):
        votes[spelling, kind] = votes.get((spelling, kind), frozenset(FACTORS[kind])) & factors
    kinds = [spelling for spelling, _ in votes]
    table = case.mappings.units
    for (spelling, kind), factors in sorted(votes.items()):
        normal = normalize_spelling(spelling)
        # A spelling that the table knows has its meaning already.
        if (
            len(factors) == 1
            and kinds.count(spelling) == 1
            and not table.refused(normal)
            and not table.kinds_of(normal)
        ):
            text = f"{{spelling: {_quoted(spelling)}, kind: {kind}, factor: {next(iter(factors))}}}"
            yield OverlayRow("units", text)


def _is_open(row: ConceptTally) -> bool:
    """Tell whether the tables say nothing of a code that an overlay can name."""
    return not row.is_known and not row.refusal and bool(row.key.code) and ":" in row.key.system


def _procedure_row(row: ConceptTally, case: Case) -> OverlayRow:
    """Return a row to paste where the name tells therapy and liver, and patients with a diagnosis had it.

    A name that tells an operation and no therapy is proposed as one; one that tells both is for a person to decide.
    """
    therapy, names_liver = case.names.therapy(row.names)
    operation = case.names.operation(row.names)
    name = row.shown_name(case.mask.below)
    if operation and therapy == UNKNOWN_THERAPY:
        text = f"{{{_coded(row.key.system, row.key.code)}{_named(name)}, kind: {operation}}}"
        return OverlayRow("operation_codes", text, _OWNER, row.key.system, _about(row))
    explained = "liver_specific: true" if names_liver else 'note: "counts because primary liver cancer is demanded too"'
    text = f"{{{_coded(row.key.system, row.key.code)}{_named(name)}, therapy: {therapy}, {explained}}}"
    is_clear = therapy != UNKNOWN_THERAPY and not operation and names_liver and len(row.of_diagnosed) > 0
    return OverlayRow("procedure_codes", text, "" if is_clear else _OWNER, row.key.system, _about(row))


def _editions(case: Case) -> Iterator[tuple[str, OverlayRow]]:
    by_system: dict[str, list[ConceptTally]] = {}
    for row in case.evidence.eligibility.of_kind("condition"):
        if row.edition is not None and row.edition.is_edition:
            by_system.setdefault(row.key.system, []).append(row)
    for uri, rows in by_system.items():
        readings = [row.edition for row in rows if row.edition is not None]
        prefix = ", prefix: true" if any(reading.is_longer for reading in readings) else ""
        text = f"{{uri: {_quoted(uri)}, edition: {readings[0].parent}{prefix}}}"
        is_clear = len(rows) >= _CODES_OF_AN_EDITION or any(reading.category in CANCER for reading in readings)
        doubt = "" if is_clear else f"one code of it alone looks like {readings[0].parent}"
        yield uri, OverlayRow("systems", text, doubt)


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


def _about(row: ConceptTally) -> str:
    return f"{row.key.system}|{row.key.code}"


def _named(name: str) -> str:
    return f", name: {_quoted(name)}" if name else ""


def _coded(system: str, code: str) -> str:
    return f"system: {_quoted(system)}, code: {_quoted(code)}"


def _quoted(text: str) -> str:
    """Return a text in double quotes, which YAML reads as JSON does."""
    return json.dumps(text, ensure_ascii=False)
