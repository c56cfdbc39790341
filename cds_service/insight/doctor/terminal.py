"""The report as text for a terminal of any width. Colors are click's, which leaves them out where nobody sees them."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import click

from cds_service.insight.doctor.phrasing import (
    alike_codes,
    coded,
    concept_cells,
    counted,
    counted_over,
    listed,
    masking_of,
    meaning_of,
    number,
    sample_of,
    source_of,
    spelling_of,
    used_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cds_service.insight.doctor.report import CodeRow, FindingRow, Report, UnitRow

NARROWEST: Final = 60
WIDEST: Final = 120
_COLORS: Final = {"blocks": "red", "warning": "yellow", "note": "blue"}
_LONGEST_CELL: Final = 44
# Of codes in one sentence, and of procedures in the table; page and JSON hold all.
_MOST_TOLD: Final = 12
_MOST_UNREAD: Final = 20
_NARROWEST_CELL: Final = 12


def as_text(report: Report, width: int) -> str:
    """Lay the report out: verdict, findings, codes, draws and outcomes, eligibility, searches, overlay."""
    width = max(NARROWEST, min(width, WIDEST))
    sections = (
        _verdict(report, width),
        _findings(report.findings, width),
        _codes(report, width),
        _patients(report, width),
        _eligibility(report, width),
        _searches(report, width),
        _overlay(report),
    )
    return "\n\n".join(section for section in sections if section)


def _verdict(report: Report, width: int) -> str:
    facts = f"{source_of(report)}; {sample_of(report)}; as of {report.made}; {masking_of(report)}."
    blocking = report.count("blocks")
    verdict = (
        click.style(f"{counted(blocking, 'finding')} against go-live", fg="red", bold=True)
        if blocking
        else click.style("Nothing stands against go-live", fg="green", bold=True)
    )
    rest = f", {counted(report.count('warning'), 'warning')}, {counted(report.count('note'), 'note')}."
    return f"{_wrapped(facts, width)}\n\n{verdict}{rest}"


def _findings(findings: Sequence[FindingRow], width: int) -> str:
    return "\n\n".join(_finding(row, width) for row in findings)


def _finding(row: FindingRow, width: int) -> str:
    severity = click.style(row.severity.upper().ljust(8), fg=_COLORS[row.severity], bold=True)
    what, action = _wrapped(row.what, width, "  "), _wrapped(row.action, width, "  → ", "    ")
    return f"{severity} {click.style(row.id, bold=True)}\n{what}\n{action}"


def _codes(report: Report, width: int) -> str:
    rows = [row for code in report.laboratory_codes for row in _code_rows(code)]
    if not rows:
        return ""
    heads = ("Code", "name", "as", "unit", "read", "results", "used", "median (quartiles)")
    over = f"Counted over {counted_over(report)}."
    rest = "No other laboratory code was seen."
    if report.other_codes:
        rest = f"{counted(report.other_codes, 'other laboratory code')} seen, not named like ours."
    lines = (f"{_title('Laboratory codes')}  {over}", _table(heads, rows, width), _wrapped(rest, width))
    alike = [f"{name} (like {', '.join(analytes)})" for name, analytes in alike_codes(report)]
    if not alike:
        return "\n".join(lines)
    told = "; ".join(alike[:_MOST_TOLD]) + (f"; and {len(alike) - _MOST_TOLD} more" if len(alike) > _MOST_TOLD else "")
    return "\n".join((*lines, _wrapped(f"Values like ours, but named otherwise or not needed: {told}.", width)))


def _code_rows(code: CodeRow) -> Iterator[tuple[str, ...]]:
    label = (coded(code.system, code.code), code.name, meaning_of(code))
    if not code.units:
        yield *label, "(no quantity)", "", str(code.results), used_of(code, code.used), ""
    for place, unit in enumerate(code.units):
        told = label if place == 0 else ("", "", "")
        spelled = spelling_of(unit)
        yield (*told, spelled, _read(unit), str(unit.results), used_of(code, unit.used), _quartiles(unit))
    if code.units and code.without_quantity:
        yield "", "", "", "(no quantity)", "", str(code.without_quantity), used_of(code, 0), ""


def _read(unit: UnitRow) -> str:
    if unit.factor is None:
        return unit.refusal or ""
    return f"× {unit.factor}"


def _quartiles(unit: UnitRow) -> str:
    found = unit.quantiles
    return f"{number(found['p50'])} ({number(found['p25'])}–{number(found['p75'])})" if found else ""


def _patients(report: Report, width: int) -> str:
    draws, outcomes = report.draws, report.outcomes
    lines = [
        f"Complete blood draw: {draws['withCompleteDraw']} of {draws['withBloodCounts']} patients with blood counts"
        f" ({draws['patients']} examined){_because(draws['missing'])}",
        f"The service would answer: {listed(outcomes['counts']) or 'nothing'}",
    ]
    lines += [
        f"{title}: {listed(outcomes[key])}"
        for title, key in (
            ("not eligible", "notEligible"),
            ("indeterminate", "indeterminate"),
            ("data missing", "unavailable"),
        )
        if outcomes[key]
    ]
    if outcomes["sii"]:
        sii = outcomes["sii"]
        lines.append(f"SII: median {sii['p50']:.0f}, quartiles {sii['p25']:.0f} to {sii['p75']:.0f}")
    return "\n".join([_title("Draws and outcomes"), *(_wrapped(line, width, "", "  ") for line in lines)])


def _eligibility(report: Report, width: int) -> str:
    rows = concept_cells(report.eligibility_codes)
    heads = ("", "code", "name", "means", "entries", "patients", "treatment")
    parts = [f"{_title('Eligibility')}\n{_table(heads, rows, width)}"] if rows else []
    unread = concept_cells(report.other_procedures)
    if unread:
        title = f"{_title('Other procedures of examined patients with a diagnosis')}"
        shown = tuple(row[1:6] for row in unread)
        lines = [title, _table(("code", "name", "means", "entries", "patients"), shown[:_MOST_UNREAD], width)]
        if len(shown) > _MOST_UNREAD:
            lines.append(f"and {len(shown) - _MOST_UNREAD} more (--html or --json lists all).")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _searches(report: Report, width: int) -> str:
    rows = [
        (row.search, str(row.sent), str(row.failed), *(f"{row.milliseconds.get(key, 0):.0f}" for key in ("p50", "max")))
        for row in report.searches
    ]
    heads = ("search", "sent", "failed", "median ms", "longest ms")
    return f"{_title('Searches')}\n{_table(heads, rows, width)}" if rows else ""


def _overlay(report: Report) -> str:
    return f"{_title('Proposed overlay')}\n{report.overlay.rstrip()}" if report.overlay else ""


def _title(text: str) -> str:
    return click.style(text, bold=True)


def _because(reasons: Mapping[str, Any]) -> str:
    return f"; the others lack it for {listed(reasons)}" if reasons else ""


def _wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> str:
    """Align columns. Where they do not fit, names give way first, then the widest columns."""
    table = [tuple(heads), *(tuple(_cut(cell, _LONGEST_CELL) for cell in row) for row in rows)]
    if sum(min(_NARROWEST_CELL, size) + 2 for size in _widths(table)) > width and "name" in heads:
        place = heads.index("name")
        table = [(*row[:place], *row[place + 1 :]) for row in table]
    widths = _widths(table)
    name = table[0].index("name") if "name" in table[0] else None
    while sum(widths) + 2 * len(widths) > width and max(widths) > 1:
        gives_way = widths.index(max(widths))
        if name is not None and widths[name] > _NARROWEST_CELL:
            gives_way = name
        widths[gives_way] -= 1
    head, *body = (
        "  " + "  ".join(_padded(_cut(cell, size), size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
    return "\n".join([click.style(head, dim=True), *body])


def _widths(table: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_columns, column)) for column in zip(*table, strict=True)]


def _columns(text: str) -> int:
    """Return how many columns a text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cut(text: str, size: int) -> str:
    if _columns(text) <= size:
        return text
    while text and _columns(text) > size - 1:
        text = text[:-1]
    return f"{text}…"


def _padded(text: str, size: int) -> str:
    return text + " " * (size - _columns(text))
