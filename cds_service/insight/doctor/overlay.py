"""The site overlay that doctor proposes: what names, values and diagnoses agree on to paste, all else as comments.

What it proposes to paste was put before the checks of `sii-cds config check`; a row that they refuse is a comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.doctor.overlay_rows import OverlayRow, code_rows, concept_rows, system_rows, unit_rows
from cds_service.settings.overlays.adding import problems_of
from cds_service.settings.overlays.forms import UNAPPROVED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
