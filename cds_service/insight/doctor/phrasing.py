"""How doctor names the sample, codes with their systems, units and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cds_service.reports.counts import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cds_service.insight.doctor.report import CodeRow, ConceptRow, Count, Report, UnitRow

_LONGEST_SYSTEM: Final = 16
_LONGEST_UNIT: Final = 12
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


def source_of(report: Report) -> str:
    """Name what was examined."""
    source = report.source
    return f"Export of {counted(source['files'], 'file')}" if "files" in source else f"FHIR server {source['server']}"


def sample_of(report: Report) -> str:
    """Say who was examined, out of how many, and how many of them have a diagnosis."""
    examined, source = report.sample["patients"], report.source
    population, without = source["population"], source["withoutData"]
    where = "export" if source["kind"] == "export" else "server's first pages of searches"
    if not examined:
        return "no patient examined"
    if report.options["listed"]:
        noun = "patient" if examined == 1 else "patients"
        who = f"{examined} listed {noun}" + (f", of {without} of whom there is nothing" if without else "")
    elif not population:
        noun = "patient" if examined == 1 else "patients"
        who = f"{examined} {noun} examined (named by results, drawn with seed {report.options['seed']})"
    elif isinstance(examined, int) and examined >= population:
        who = (
            f"all {examined} patients of the {where} examined"
            if examined > 1
            else f"the one patient of the {where} examined"
        )
    else:
        who = (
            f"{examined} of {population:,} patients of the {where} examined (those with a diagnosis first, "
            f"drawn with seed {report.options['seed']})"
        )
    suspected = source["withSuspectedDiagnosis"]
    perhaps = f" and {suspected} with one under a code that is not read" if suspected else ""
    return f"{who}, {report.sample['withQualifyingDiagnosis']} with a qualifying diagnosis{perhaps}"


def counted_over(report: Report) -> str:
    """Say over what the tables of codes are counted."""
    over_export = report.source["codesCountedOver"] == "export"
    return "all results of the export" if over_export else "the results of the patients examined"


def masking_of(report: Report) -> str:
    """Say which counts are masked."""
    below = report.options["maskBelow"]
    return f"counts below {below} are masked" if below > 1 else "no count is masked"


def alike_codes(report: Report) -> list[tuple[str, list[str]]]:
    """Name each code whose values alone are like ours, with what they are like."""
    likes: dict[tuple[str, str, str], list[str]] = {}
    for row in report.alike_by_values:
        likes.setdefault((row.system, row.code, row.name), []).append(f"{row.analyte} {row.basis}")
    return [(f"{coded(system, code)} {name}".strip(), analytes) for (system, code, name), analytes in likes.items()]


def meaning_of(code: CodeRow) -> str:
    """Say what a code is read as, or with a question mark, what it may be."""
    meaning = f"{code.analyte} {code.basis}".strip()
    return {"accepted": meaning, "suspected": f"{meaning}?"}.get(code.treatment, f"{code.treatment}: {meaning}")


def used_of(code: CodeRow, count: Count) -> str:
    """Show how many results are used; nothing for codes that are not read."""
    return str(count) if code.treatment == "accepted" else ""


def spelling_of(unit: UnitRow) -> str:
    """Show a unit: its text, and its code where that is another; of a long text the code alone."""
    if unit.ucum_code and len(unit.unit) > _LONGEST_UNIT:
        return unit.ucum_code
    if unit.unit and unit.ucum_code and unit.unit != unit.ucum_code:
        return f"{unit.unit} [{unit.ucum_code}]"
    return unit.unit or unit.ucum_code or "(none)"


def number(value: float) -> str:
    """Return a value in three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def concept_cells(rows: Sequence[ConceptRow]) -> tuple[tuple[str, ...], ...]:
    """Return a line of cells for each code of a diagnosis or procedure; the last tells its treatment."""
    return tuple(
        (
            row.kind,
            _concept_code(row.system, row.code),
            row.name,
            row.meaning or row.reason,
            str(row.entries),
            str(row.patients),
            listed(row.treatments),
        )
        for row in rows
    )


def _concept_code(system: str, code: str) -> str:
    """Return a code with its system, a system that has no name here by the last part of its URI."""
    last = system.rpartition("/")[2]
    named = system in _SYSTEMS or not code or not 0 < len(last) <= _LONGEST_SYSTEM or ":" in last
    return coded(system, code) if named else f"{last} {code}"


def coded(system: str, code: str) -> str:
    """Return a code with its system as people say it; findings name the whole URI."""
    return f"{_SYSTEMS.get(system, 'local')} {code}" if code else "text only"


def listed(counts: Mapping[str, Any]) -> str:
    """Return counts by name, one after the other."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())
