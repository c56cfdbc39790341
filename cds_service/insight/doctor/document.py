"""What doctor says to people as one document, for the terminal, the page and CSV. It reads masked counts only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.insight.doctor.lookalikes import load_lookalikes
from cds_service.insight.doctor.phrasing import (
    alike_codes,
    coded,
    concept_cells,
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
from cds_service.reports.content import (
    Column,
    Document,
    Figure,
    Figures,
    Listing,
    Notice,
    Remark,
    Remarks,
    Section,
    Table,
    Tone,
)
from cds_service.reports.counts import counted
from cds_service.reports.plots import Bar, HorizontalBars, Range, ValueRanges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cds_service.insight.doctor.findings import Finding
    from cds_service.insight.doctor.report import CodeRow, Count, Report, UnitRow

_TONES: Final[Mapping[str, Tone]] = {"blocks": "bad", "warning": "warning", "note": "neutral"}
_UNITS: Final = {"count": "10⁹/L", "percent": "share of leukocytes", "mass": "g/L"}
# Bases that share a plot.
_PLOTTED: Final = {"fraction": "percent", "moles": "mass"}
# Of procedures and of codes that only have values like ours, in a terminal.
_MOST_UNREAD: Final = 20
_MOST_ALIKE: Final = 12


def document(report: Report) -> Document:
    """Return the document: verdict, findings, draws and outcomes, codes, eligibility, searches, overlay."""
    return Document(
        kind="Doctor",
        title="Can the rule read these data?",
        lead="Codes, units, blood draws and eligibility as the service itself reads them, before go-live.",
        facts=tuple(_facts(report)),
        notices=(_verdict(report),),
        sections=tuple(section for section in _sections(report) if section.blocks),
        footer="This report holds no ids, names, dates or texts of patients.",
    )


def _facts(report: Report) -> Iterator[str]:
    yield source_of(report)
    yield sample_of(report)
    yield masking_of(report)
    yield f"as of {report.made}"
    yield from (f"{name} {version}" for name, version in report.versions.items())


def _verdict(report: Report) -> Notice:
    rest = f"{counted(report.count('warning'), 'warning')}, {counted(report.count('note'), 'note')}"
    if report.is_blocked:
        return Notice(f"Not ready: {counted(report.count('blocks'), 'finding')} against go-live; {rest}.", "bad")
    return Notice(f"Nothing stands against go-live; {rest}.", "fine")


def _sections(report: Report) -> Iterator[Section]:
    remarks = Remarks(tuple(map(_remark, report.findings)), empty="No finding.")
    yield Section(id="findings", title="Findings", blocks=(remarks,))
    yield Section(
        id="patients",
        title="Draws and outcomes",
        text="What the service would answer for the patients of the sample.",
        blocks=(_figures(report), *_patient_plots(report)),
    )
    yield Section(
        id="codes",
        title="Laboratory codes",
        text=f"Counted over {counted_over(report)}. The factor leads from the reported unit to the canonical one; "
        "quartiles are of the values as reported.",
        blocks=(_codes(report), *_alike(report), *_value_plots(report)),
    )
    yield Section(id="eligibility", title="Diagnoses and procedures", blocks=(_concepts(report), *_unread(report)))
    if report.searches:
        yield Section(id="searches", title="Searches", blocks=(_searches(report),))
    if report.overlay:
        yield Section(
            id="overlay",
            title="Proposed overlay",
            text="Write it to a file with --overlay, have it approved, and list it under mappings.overlays.",
            blocks=(Listing(report.overlay),),
        )


def _remark(finding: Finding) -> Remark:
    severity = finding.severity.value
    return Remark(tag=severity, tone=_TONES[severity], code=finding.id, text=finding.what, actions=(finding.action,))


def _figures(report: Report) -> Figures:
    draws, counts, sii = report.draws, report.outcomes["counts"], report.outcomes["sii"]
    items = [
        Figure("patients examined", str(draws["patients"])),
        Figure("with blood counts", str(draws["withBloodCounts"])),
        Figure("with a complete draw", str(draws["withCompleteDraw"])),
        Figure("above the cut-off", str(counts.get("above-cutoff", 0))),
        Figure("not above", str(counts.get("not-above-cutoff", 0))),
    ]
    if sii:
        items.append(Figure("median SII", f"{sii['p50']:.0f}", f"quartiles {sii['p25']:.0f} to {sii['p75']:.0f}"))
    return Figures(tuple(items))


def _patient_plots(report: Report) -> Iterator[HorizontalBars]:
    draws, outcomes = report.draws, report.outcomes
    yield from _bars("outcomes", "What the service would answer", "outcome", outcomes["counts"])
    yield from _bars("not-eligible", "Why patients are not eligible", "reason", outcomes["notEligible"])
    yield from _bars("indeterminate", "Why SII cannot be told", "reason", outcomes["indeterminate"])
    yield from _bars("unavailable", "Which data could not be had", "prefetch key", outcomes["unavailable"])
    yield from _bars("no-draw", "Why patients lack a complete draw", "reason", draws["missing"])


def _bars(identifier: str, title: str, item: str, counts: Mapping[str, Count]) -> Iterator[HorizontalBars]:
    """Draw counts; a masked one has no bar, and says so where its number would stand."""
    if counts:
        yield HorizontalBars(
            id=identifier,
            title=title,
            description=f"Number of patients by {item}.",
            item_label=item.capitalize(),
            value_label="Patients",
            bars=tuple(
                Bar(name, count) if isinstance(count, int) else Bar(name, 0, text=count)
                for name, count in counts.items()
            ),
        )


def _codes(report: Report) -> Table:
    rows = tuple(row for code in report.laboratory_codes for row in _code_rows(code))
    columns = (
        Column("Code"),
        Column("Name", minor=True),
        Column("As"),
        Column("Unit"),
        Column("Read"),
        Column("Results", numeric=True),
        Column("Used", numeric=True),
        Column("Statuses", minor=True),
        Column("Quartiles", numeric=True),
        Column("Not used", minor=True),
    )
    caption = f"Codes of the four analytes and what resembles them; {report.other_codes} other codes were seen"
    return Table(caption=caption, columns=columns, rows=rows, empty="No code of the four analytes.")


def _code_rows(code: CodeRow) -> Iterator[tuple[str, ...]]:
    """Yield a line for each unit with the figures of that unit; what is of the whole code stands in the first."""
    label = (coded(code.system, code.code), code.name, meaning_of(code))
    statuses = listed(code.statuses)
    if not code.units:
        reasons = listed(code.not_used) or code.reason
        yield (*label, "(no quantity)", "", str(code.results), used_of(code, code.used), statuses, "", reasons)
        return
    for place, unit in enumerate(code.units):
        yield (
            *(label if place == 0 else ("", "", "")),
            spelling_of(unit),
            f"× {unit.factor}" if unit.factor is not None else unit.refusal or "",
            str(unit.results),
            used_of(code, unit.used),
            statuses if place == 0 else "",
            _quartiles(unit),
            listed(unit.not_used) or (code.reason if place == 0 else ""),
        )
    if code.without_quantity:
        count = str(code.without_quantity)
        yield ("", "", "", "(no quantity)", "", count, used_of(code, 0), "", "", "")


def _alike(report: Report) -> Iterator[Table]:
    """Name codes that are not named like ours and whose values are like ours."""
    alike = alike_codes(report)
    if alike:
        columns = (Column("Code"), Column("Values like"))
        rows = tuple((name, ", ".join(analytes)) for name, analytes in alike)
        yield Table(
            caption="Values like ours, but named otherwise or not needed", columns=columns, rows=rows, brief=_MOST_ALIKE
        )


def _quartiles(unit: UnitRow) -> str:
    found = unit.quantiles
    return " · ".join(number(found[key]) for key in ("p25", "p50", "p75")) if found else ""


def _value_plots(report: Report) -> Iterator[ValueRanges]:
    """IdSample, for each analyte and basis, the values of every code and unit in the canonical unit."""
    groups: dict[tuple[str, str], list[Range]] = {}
    suspicious = {row.about for row in report.findings if row.id == "unit-scale"}
    for code in report.laboratory_codes:
        for unit in code.units if code.treatment != "refused" else ():
            found = _range(code, unit, suspicious)
            if found is not None:
                groups.setdefault((code.analyte, _PLOTTED.get(code.basis, code.basis)), []).append(found)
    typical = load_lookalikes().typical
    for (analyte, basis), ranges in groups.items():
        if (analyte, basis) in typical:
            yield ValueRanges(
                id=f"values-{analyte}-{basis}",
                title=f"{analyte.capitalize()}, {basis}: values by code and unit",
                description="Median, quartiles (thick) and 5 % to 95 % (thin) in the canonical unit, beside the adult "
                "reference interval. A group that lies a power of ten away has the wrong unit.",
                item_label="Code and unit",
                value_label=_UNITS[basis],
                ranges=tuple(ranges),
                band=typical[analyte, basis].reference,
                band_label="reference interval",
            )


def _range(code: CodeRow, unit: UnitRow, suspicious: set[str]) -> Range | None:
    found = unit.quantiles
    if not found or unit.factor is None or min(found.values()) <= 0:
        return None
    factor = float(unit.factor)
    shown = unit.unit or unit.ucum_code or "no unit"
    return Range(
        f"{code.code} in {shown}",
        first=found["p25"] * factor,
        middle=found["p50"] * factor,
        third=found["p75"] * factor,
        low=found["p5"] * factor if "p5" in found else None,
        high=found["p95"] * factor if "p95" in found else None,
        alarm=f"{code.system}|{code.code} {shown}" in suspicious,
    )


def _concepts(report: Report) -> Table:
    columns = (
        Column("Kind"),
        Column("Code"),
        Column("Name", minor=True),
        Column("Means"),
        Column("Entries", numeric=True),
        Column("Patients", numeric=True),
        Column("Treatment"),
    )
    rows = concept_cells(report.eligibility_codes)
    return Table(caption="Codes that bear on eligibility, or sound so", columns=columns, rows=rows, stacks=True)


def _unread(report: Report) -> Iterator[Table]:
    """List the other procedures of patients with a diagnosis, whatever they are called."""
    cells = concept_cells(report.other_procedures)
    if cells:
        columns = (
            Column("Code"),
            Column("Name", minor=True),
            Column("Means"),
            Column("Entries", numeric=True),
            Column("Patients", numeric=True),
        )
        rows = tuple(row[1:6] for row in cells)
        caption = "Other procedures of examined patients with a diagnosis"
        yield Table(caption=caption, columns=columns, rows=rows, brief=_MOST_UNREAD)


def _searches(report: Report) -> Table:
    rows = tuple(
        (row.search, str(row.sent), str(row.failed), *(f"{row.milliseconds.get(key, 0):.0f}" for key in ("p50", "max")))
        for row in report.searches
    )
    titles = ("Sent", "Failed", "Median ms", "Longest ms")
    columns = (Column("Search"), *(Column(title, numeric=True) for title in titles))
    return Table(caption="Searches of the service, one after the other", columns=columns, rows=rows)
