"""From evidence and findings to the report: here counts are masked and names withheld."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cds_service.clinical.models import MAIN_ANALYTES, Analyte
from cds_service.insight.doctor.findings import by_severity
from cds_service.insight.doctor.laboratory_survey import USABLE, meaning_of
from cds_service.insight.doctor.report import (
    FORMAT_VERSION,
    AlikeRow,
    CodeRow,
    ConceptRow,
    Count,
    Report,
    UnitRow,
)
from cds_service.insight.row import UNAVAILABLE

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cds_service.insight.doctor.eligibility_survey import ConceptTally
    from cds_service.insight.doctor.findings import Finding
    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.judging.local_codes import Likeness, LocalCode, Suspects
    from cds_service.insight.doctor.laboratory_survey import CodeTally, UnitTally


# Names in the JSON, where they are others.
_OUTCOMES: Final = {UNAVAILABLE: "unavailable"}


def make_report(case: Case, findings: Iterable[Finding], suspects: Suspects, overlay: str) -> Report:
    """Return the report of one examination."""
    evidence = case.evidence
    options = evidence.options
    rows = tuple(_code_rows(case, suspects.codes))
    return Report(
        format_version=FORMAT_VERSION,
        made=options.now.astimezone(evidence.site.policy.timezone).isoformat(timespec="seconds"),
        versions=evidence.version._asdict(),
        options={
            "patients": options.patients,
            "listed": options.patient_ids is not None,
            "seed": options.seed,
            "since": options.since.isoformat() if options.since is not None else None,
            "maskBelow": case.mask.below,
        },
        source=dict(evidence.source) | _sampling(case),
        sample={
            "patients": evidence.patients.patients,
            "withQualifyingDiagnosis": case.mask.count(evidence.qualifying),
        },
        findings=by_severity(findings),
        laboratory_codes=rows,
        other_codes=len(evidence.laboratory.codes) - len(rows),
        alike_by_values=tuple(_alike_row(case, found) for found in suspects.alike),
        eligibility_codes=tuple(_concept_rows(case)),
        other_procedures=tuple(_concept_row(case, row) for row in evidence.eligibility.other_procedures()),
        draws=_draws(case),
        outcomes=_outcomes(case),
        searches=tuple(evidence.searches),
        overlay=overlay,
    )


def _sampling(case: Case) -> dict[str, object]:
    """Say whom the figures are about: the sample, and what the tables of codes are counted over."""
    evidence = case.evidence
    of_export = evidence.source.get("kind") == "export"
    listed = evidence.options.patient_ids is not None
    return {
        "population": evidence.population,
        "withoutData": case.mask.count(evidence.without_data),
        "withSuspectedDiagnosis": case.mask.count(evidence.suspected),
        "codesCountedOver": "export" if of_export and not listed else "sample",
    }


def _code_rows(case: Case, local_codes: Sequence[LocalCode]) -> Iterator[CodeRow]:
    """Yield accepted codes by analyte, then suspected ones, then refused ones."""
    laboratory = case.evidence.laboratory
    for analyte in MAIN_ANALYTES:
        for tally in laboratory.accepted(analyte):
            yield _code_row(case, tally, "accepted", tally.analyte, tally.basis, "")
    told = set()
    for code in local_codes:
        if code.tally.key not in told:
            told.add(code.tally.key)
            reason = code.doubt or "name and values agree"
            yield _code_row(case, code.tally, "suspected", code.analyte, code.basis, reason)
    for tally in laboratory.with_treatment("refused"):
        yield _code_row(case, tally, "refused", ", ".join(tally.resembles), "", tally.refusal)


def _code_row(case: Case, tally: CodeTally, treatment: str, analyte: str, basis: str, reason: str) -> CodeRow:
    mask = case.mask
    excluded = {name: count for name, count in tally.treatments.most_common() if name != USABLE}
    units = sorted(tally.units.values(), key=lambda unit: -unit.results)
    return CodeRow(
        system=tally.key.system,
        code=tally.key.code,
        name=tally.shown_name(mask.below),
        treatment=treatment,
        analyte=analyte,
        basis=basis,
        reason=reason,
        results=mask.count(tally.results),
        patients=mask.count(len(tally.patients)),
        used=mask.count(tally.treatments[USABLE]),
        not_used=_masked(case, excluded),
        statuses=_masked(case, dict(tally.statuses.most_common())),
        in_components=mask.count(tally.in_components),
        without_quantity=mask.count(tally.results - sum(unit.results for unit in units)),
        units=tuple(_unit_row(case, unit, basis) for unit in units),
    )


def _unit_row(case: Case, unit: UnitTally, basis: str) -> UnitRow:
    meaning = meaning_of(unit, basis, case.mappings) if basis else None
    factor = meaning.factor if meaning is not None else None
    return UnitRow(
        unit=unit.spelling,
        ucum_code=unit.ucum,
        factor=f"{factor.normalize():f}" if factor is not None else None,
        canonical_unit=case.mappings.units.canonical.get(basis, ""),
        refusal=meaning.refusal or None if meaning is not None else None,
        results=case.mask.count(unit.results),
        patients=case.mask.count(len(unit.patients)),
        used=case.mask.count(unit.treatments[USABLE]),
        not_used=_masked(case, {name: count for name, count in unit.treatments.most_common() if name != USABLE}),
        quantiles=case.mask.quantiles(unit.values.values, len(unit.patients)),
    )


def _alike_row(case: Case, found: Likeness) -> AlikeRow:
    tally = found.tally
    return AlikeRow(
        system=tally.key.system,
        code=tally.key.code,
        name=tally.shown_name(case.mask.below),
        named_otherwise=found.named_otherwise,
        analyte=found.analyte,
        basis=found.basis,
        results=case.mask.count(tally.results),
        patients=case.mask.count(len(tally.patients)),
    )


def _concept_rows(case: Case) -> Iterator[ConceptRow]:
    for kind in ("condition", "procedure"):
        for row in case.evidence.eligibility.of_kind(kind):
            yield _concept_row(case, row)


def _concept_row(case: Case, row: ConceptTally) -> ConceptRow:
    return ConceptRow(
        kind=row.key.kind,
        system=row.key.system,
        code=row.key.code,
        name=row.shown_name(case.mask.below),
        meaning=row.meaning,
        reason=_reason(row),
        entries=case.mask.count(row.resources),
        patients=case.mask.count(len(row.patients)),
        of_diagnosed=case.mask.count(len(row.of_diagnosed)),
        treatments=_masked(case, dict(row.treatments.most_common())),
    )


def _reason(row: ConceptTally) -> str:
    if row.is_known:
        return ""
    if row.edition is not None:
        return f"not known; {row.edition.parent} calls it {row.edition.category}"
    return row.refusal or "not known to the tables"


def _draws(case: Case) -> dict[str, Any]:
    patients = case.evidence.patients
    return {
        "patients": case.mask.count(patients.patients),
        "withBloodCounts": case.mask.count(patients.with_results),
        "withCompleteDraw": case.mask.count(patients.with_draw),
        "missing": _masked(case, dict(patients.draw_reasons.most_common())),
        "problemsOfNewest": _masked(case, dict(patients.draw_problems.most_common())),
    }


def _outcomes(case: Case) -> dict[str, Any]:
    patients = case.evidence.patients
    decisions = patients.decisions
    counts = {_OUTCOMES.get(name, name): count for name, count in decisions.outcomes.most_common()}
    return {
        "counts": _masked(case, counts),
        "notEligible": _masked(case, _sorted(decisions.refusals)),
        "indeterminate": _masked(case, _sorted(decisions.reasons)),
        "unavailable": _masked(case, _sorted(decisions.missing)),
        "withAlbumin": case.mask.count(decisions.analytes[Analyte.ALBUMIN]),
        "sii": case.mask.quantiles(patients.sii, decisions.decided),
    }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common())


def _masked(case: Case, counts: Mapping[str, int]) -> dict[str, Count]:
    return {name: case.mask.count(count) for name, count in counts.items() if count}
