"""Examine an export: two passes, then the decision of the service for every patient of the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.acquisition.delivery import OBSERVATIONS
from cds_service.insight.doctor.charts import bundle
from cds_service.insight.doctor.evidence import NOBODY, Evidence, Options
from cds_service.insight.doctor.export.judging import NEEDED, judge_export
from cds_service.insight.doctor.export.passes import FirstPass, SecondPass
from cds_service.insight.doctor.resources import CONDITIONS, PROCEDURES
from cds_service.insight.sources.export_files import ExportError, read_lines
from cds_service.services.decision import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cds_service.insight.doctor.charts import Chart
    from cds_service.services.site import Site


def examine_export(files: Sequence[Path], site: Site, options: Options, advance: Callable[[int], None]) -> Evidence:
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
    files: Sequence[Path],
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
    evidence.patients.add_decision(decide(chart.request(patient_id), NOBODY, evidence.site, evidence.options.now))
    evidence.add_draws(
        patient_id, OBSERVATIONS.read(bundle(chart.blood_counts)), OBSERVATIONS.read(bundle(chart.albumin))
    )
