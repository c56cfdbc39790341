"""Examine a made-up hospital as the command does, in a zone that is not UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cds_service.decision.site import site_from_settings
from cds_service.insight.doctor.evidence import Options
from cds_service.insight.doctor.examination import conclude
from cds_service.insight.doctor.export.examine import examine_export
from cds_service.insight.doctor.masking import Mask
from cds_service.insight.sources.export_files import find_files
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from cds_service.settings import settings_from_dict
from tests.support.charts import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.insight.doctor.report import Report
    from tests.support.hospital import Hospital

OPTIONS = Options(patients=100, seed=1, now=NOW)


def examined(hospital: Hospital, folder: Path, **options: Any) -> Report:
    """Export a hospital into a folder and examine the export."""
    return examined_folder(hospital.export(folder / "export"), **options)


def examined_folder(
    export: Path,
    *,
    mask: int = 5,
    overlays: tuple[Path, ...] = (),
    eligibility: dict[str, str] | None = None,
    **changes: Any,
) -> Report:
    """Examine the files of a folder; `changes` are of the options."""
    sections: dict[str, object] = {
        "service": {"timezone": "Asia/Shanghai"},
        "authentication": {"required": False},
        "mappings": {"overlays": [str(path) for path in overlays]},
        "eligibility": eligibility or {},
    }
    site = site_from_settings(settings_from_dict(sections, export), SII)
    options = replace(OPTIONS, **changes)
    evidence = examine_export(find_files([export]), site, options, lambda _read: None)
    return conclude(evidence, Mask(mask))


def found(report: Report) -> set[tuple[str, str]]:
    """Ids and severities of the findings."""
    return {(finding.severity, finding.id) for finding in report.findings}


def finding(report: Report, identifier: str, about: str = "") -> str:
    """What the finding of an id says, about something if several have it."""
    (said,) = (f.what for f in report.findings if f.id == identifier and about in f.about)
    return said
