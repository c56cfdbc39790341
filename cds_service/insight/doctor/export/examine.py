"""Examine an export: two passes, the decision for every patient of the sample, and what the export itself lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.acquisition.delivery import OBSERVATIONS
from cds_service.decision.flow import decide
from cds_service.insight.doctor.evidence import NOBODY, Evidence, Options
from cds_service.insight.doctor.export.passes import FirstPass, SecondPass
from cds_service.insight.doctor.findings import Finding, Severity, by_share
from cds_service.insight.doctor.laboratory_survey import MOST_CODES
from cds_service.insight.doctor.masking import Mask
from cds_service.insight.doctor.patient_charts import MOST_RESULTS, bundle
from cds_service.insight.doctor.resources import CONDITIONS, PROCEDURES
from cds_service.insight.sources.export_files import LONGEST_LINE, ExportError, NotNDJSONError, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cds_service.decision.site import Site
    from cds_service.insight.doctor.patient_charts import Chart
    from cds_service.insight.sources.remote_files import ExportPath


def examine_export(
    files: Sequence[ExportPath], site: Site, options: Options, advance: Callable[[int], None]
) -> Evidence:
    """Read the files twice and return what was found. `advance` is told the bytes read, of twice the size of all."""
    evidence = Evidence.empty(site, options)
    damaged: dict[str, ExportError] = {}
    first = FirstPass(evidence)
    _read_all(files, first.read, advance, damaged)
    second = SecondPass(evidence, first.sample(), first.subjects)
    _read_all(files, second.read, advance, damaged)
    for patient_id, chart in second.charts.items():
        _assess(evidence, patient_id, chart)
    evidence.source = {
        "kind": "export",
        "files": len(files),
        "resources": {name: first.types[name] for name in ("Patient", "Condition", "Procedure", "Observation")},
        "unreadableLines": first.unreadable,
    }
    evidence.population = len(first.people)
    evidence.unanswered = frozenset(name for name in NEEDED if not first.types[name])
    evidence.findings += judge_export(first, second, tuple(damaged.values()))
    return evidence


def _read_all(
    files: Sequence[ExportPath],
    read: Callable[[bytes], None],
    advance: Callable[[int], None],
    damaged: dict[str, ExportError],
) -> None:
    """Read every file as far as it goes."""
    for path in files:
        try:
            for line in read_lines(path, advance):
                read(line)
        except ExportError as error:
            damaged[str(path)] = error


def _assess(evidence: Evidence, patient_id: str, chart: Chart) -> None:
    evidence.without_data += chart.is_empty
    reader = evidence.reader(patient_id).facts
    standing = evidence.eligibility.standing(CONDITIONS.read(bundle(chart.conditions)).resources, reader)
    evidence.add_diagnosed(patient_id, standing, PROCEDURES.read(bundle(chart.procedures)).resources, reader)
    decision = decide(chart.request(patient_id), NOBODY, evidence.site, evidence.options.now)
    evidence.add_decision(patient_id, decision)
    evidence.add_draws(
        patient_id, OBSERVATIONS.read(bundle(chart.blood_counts)), OBSERVATIONS.read(bundle(chart.albumin))
    )


NEEDED: Final = ("Condition", "Procedure", "Observation")


def judge_export(first: FirstPass, second: SecondPass, damaged: Sequence[ExportError]) -> Iterator[Finding]:
    """Yield findings about files, types and references."""
    for error in damaged:
        yield _unread_file(error)
    bundles = first.types["Bundle"]
    if bundles:
        hold = "holds" if bundles == 1 else "hold"
        yield _not_ndjson(f"{Mask(0).words(bundles, 'line')} {hold} a Bundle", _FROM_BUNDLE)
    if (damaged or bundles) and not any(first.types[name] for name in ("Patient", *NEEDED)):
        # What else is missing is missing for that.
        return
    yield from _own_limits(first, second)
    if first.unreadable:
        yield Finding(
            id="export-unreadable-lines",
            severity=Severity.WARNING,
            what=f"{Mask(0).words(first.unreadable, 'line')} cannot be read as a FHIR resource in JSON.",
            action="Export again, or see whether the files were changed; each line holds one resource.",
            evidence={"lines": first.unreadable},
        )
    missing = [name for name in NEEDED if not first.types[name]]
    if missing:
        yield Finding(
            id="export-incomplete",
            severity=Severity.BLOCKS,
            what=f"The export holds no {' and no '.join(missing)}.",
            action="Export Patient, Observation, Condition and Procedure together (_type of the Bulk Data request).",
            evidence={"missing": missing},
        )
    yield from _judge_patients(first, second)


def _unread_file(error: ExportError) -> Finding:
    if isinstance(error, NotNDJSONError):
        said = str(error)
        return _not_ndjson(said.replace(": is ", " is ", 1), _FROM_UTF_16 if "UTF" in said else _FROM_BUNDLE)
    return Finding(
        id="export-damaged",
        severity=Severity.BLOCKS,
        what=f"A file of the export could not be read to its end: {error}.",
        action="Export or copy it again; what stood behind that place is missing from this report.",
        about=str(error).partition(":")[0],
    )


def _not_ndjson(what: str, action: str) -> Finding:
    return Finding(
        id="export-not-ndjson",
        severity=Severity.BLOCKS,
        what=f"{what}. Doctor reads NDJSON: one resource a line, in UTF-8.",
        action=action,
    )


_FROM_BUNDLE: Final = (
    "Write the resources of a Bundle one a line, for example: jq -c '.entry[].resource' bundle.json > all.ndjson"
)
_FROM_UTF_16: Final = "Write it in UTF-8, for example: iconv -f UTF-16 -t UTF-8 export.ndjson > all.ndjson"


def _own_limits(first: FirstPass, second: SecondPass) -> Iterator[Finding]:
    """Yield what doctor itself does not read."""
    if first.overlong:
        yield _limit(f"{Mask(0).words(first.overlong, 'line')} are longer than {LONGEST_LINE // 1024**2} MiB")
    cut = sum(chart.is_cut for chart in second.charts.values())
    if cut:
        yield _limit(f"{Mask().words(cut, 'patient')} have more than {MOST_RESULTS:,} results")
    left_out = second.laboratory.results_left_out
    if left_out:
        yield _limit(f"{Mask().words(left_out, 'result')} stand under codes beyond the first {MOST_CODES:,}")


def _limit(what: str) -> Finding:
    return Finding(
        id="doctor-limit",
        severity=Severity.NOTE,
        what=f"{what}. What lies beyond is not examined: a limit of doctor itself, no fault of the export.",
        action="Export fewer patients, or name some with --patient-file, if it matters.",
    )


def _judge_patients(first: FirstPass, second: SecondPass) -> Iterator[Finding]:
    if not first.types["Patient"]:
        yield Finding(
            id="export-without-patients",
            severity=Severity.WARNING,
            what="The export holds no Patient, so age and death could not be checked.",
            action="Export Patient too, and see that the service gets it (prefetch key patient).",
        )
        return
    unknown = len(second.subjects_without_patient)
    severity = by_share(unknown, second.subjects)
    if severity is not None:
        share = round(100 * unknown / second.subjects)
        yield Finding(
            id="subjects-unknown",
            severity=severity,
            what=f"{share} % of the patients that Observations name are not among the exported Patients.",
            action="Results filed for another identity never reach the chart: see that Observation.subject names the "
            "id under which the EHR opens the chart.",
            evidence={"sharePercent": share},
        )
