"""The report as text for a terminal of any width. Colors are click's, which leaves them out where nobody sees them."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cds_service.doctor.report import CodeRow, FindingRow, Report, UnitRow

NARROWEST: Final = 60
WIDEST: Final = 120
_COLORS: Final = {"blocks": "red", "warning": "yellow", "note": "blue"}
_LONGEST_CELL: Final = 44
_NARROWEST_CELL: Final = 12
_SYSTEMS: Final = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://hl7.org/fhir/sid/icd-9-cm": "ICD-9-CM",
    "http://www.cms.gov/Medicare/Coding/ICD10": "ICD-10-PCS",
    "http://hl7.org/fhir/sid/icd-10-pcs": "ICD-10-PCS",
    "http://terminology.hl7.org/CodeSystem/icd10PCS": "ICD-10-PCS",
    "http://www.ama-assn.org/go/cpt": "CPT",
}


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
    source = source_of(report)
    drawn = "listed" if report.options["listed"] else f"drawn with seed {report.options['seed']}"
    facts = (
        f"{source}; {report.sample['patients']} patients examined ({drawn}), "
        f"{report.sample['withQualifyingDiagnosis']} with a qualifying diagnosis; as of {report.made}; "
        f"{masking_of(report)}."
    )
    blocking = report.count("blocks")
    verdict = (
        click.style(f"{counted(blocking, 'finding')} against go-live", fg="red", bold=True)
        if blocking
        else click.style("Nothing stands against go-live", fg="green", bold=True)
    )
    rest = f", {counted(report.count('warning'), 'warning')}, {counted(report.count('note'), 'note')}."
    return f"{_wrapped(facts, width)}\n\n{verdict}{rest}"


def source_of(report: Report) -> str:
    """Name what was examined."""
    source = report.source
    return f"Export of {counted(source['files'], 'file')}" if "files" in source else f"FHIR server {source['server']}"


def masking_of(report: Report) -> str:
    """Say which counts are masked."""
    below = report.options["maskBelow"]
    return f"counts below {below} are masked" if below > 1 else "no count is masked"


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
    rest = f"{counted(report.other_codes, 'other laboratory code')} seen, none of which looks like ours."
    return f"{_title('Laboratory codes')}\n{_table(heads, rows, width)}\n{_wrapped(rest, width)}"


def _code_rows(code: CodeRow) -> Iterator[tuple[str, ...]]:
    meaning = f"{code.analyte} {code.basis}".strip()
    if code.treatment != "accepted":
        meaning = f"{code.treatment}: {meaning}"
    label = (coded(code.system, code.code), code.name, meaning)
    if not code.units:
        yield *label, "", code.reason, str(code.results), str(code.used), ""
    for number, unit in enumerate(code.units):
        told = label if number == 0 else ("", "", "")
        used = str(code.used) if number == 0 else ""
        yield (*told, unit.unit or unit.ucum_code or "(none)", _read(unit), str(unit.results), used, _quartiles(unit))


def _read(unit: UnitRow) -> str:
    if unit.factor is None:
        return unit.refusal or ""
    return f"× {unit.factor}"


def _quartiles(unit: UnitRow) -> str:
    found = unit.quantiles
    return f"{number(found['p50'])} ({number(found['p25'])}–{number(found['p75'])})" if found else ""


def number(value: float) -> str:
    """Return a value in three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _patients(report: Report, width: int) -> str:
    draws, outcomes = report.draws, report.outcomes
    lines = [
        f"Complete blood draw: {draws['withCompleteDraw']} of {draws['withBloodCounts']} patients with blood counts"
        f" ({draws['patients']} examined){_because(draws['missing'])}",
        f"The service would answer: {_listed(outcomes['counts']) or 'nothing'}",
    ]
    lines += [
        f"{title}: {_listed(outcomes[key])}"
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
    rows = concept_cells(report)
    heads = ("", "code", "name", "means", "entries", "patients", "treatment")
    return f"{_title('Eligibility')}\n{_table(heads, rows, width)}" if rows else ""


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


def concept_cells(report: Report) -> tuple[tuple[str, ...], ...]:
    """Return a line of cells for each code that bears on eligibility, or sounds so; the last tells its treatment."""
    return tuple(
        (
            row.kind,
            coded(row.system, row.code),
            row.name,
            row.meaning or row.reason,
            str(row.entries),
            str(row.patients),
            _listed(row.treatments),
        )
        for row in report.eligibility_codes
    )


def coded(system: str, code: str) -> str:
    """Return a code with its system as people say it; findings name the whole URI."""
    return f"{_SYSTEMS.get(system, 'local')} {code}" if code else "text only"


def _because(reasons: Mapping[str, Any]) -> str:
    return f"; the others lack it for {_listed(reasons)}" if reasons else ""


def _listed(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


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
