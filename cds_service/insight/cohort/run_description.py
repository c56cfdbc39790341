"""run.json: how the rows of a folder were made, and from what."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from cds_service.insight.cohort.designs import RECORDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.insight.cohort.assessing import Plan
    from cds_service.insight.cohort.inputs import Inputs
    from cds_service.insight.cohort.reading import FileReading
    from cds_service.insight.cohort.request import AssessRequest, Findings
    from cds_service.insight.cohort.tally import Tally

# Of the folder: what reads it asks for this number.
FORMAT: Final = 1


def describe_run(
    request: AssessRequest,
    plan: Plan,
    inputs: Inputs,
    tally: Tally,
    readings: Sequence[FileReading],
    findings: Findings,
) -> dict[str, Any]:
    """Return what run.json says: settings, versions, input, and how many patients were read."""
    return {
        "format": FORMAT,
        "settings": _settings(request, plan),
        "site": request.settings.service.public_url,
        "versions": {
            "sii-cds": version("sii-cds"),
            "rule": plan.site.service.rule_version,
            "mappings": plan.site.mappings.version,
            "python": platform.python_version(),
            "pyarrow": version("pyarrow"),
        },
        "patients": {
            "read": tally.patients,
            "with_index_procedure": tally.with_index_procedure,
            "without_index_procedure": tally.patients - tally.with_index_procedure,
        },
        "manifests": [
            {"file": manifest.path.name, "transaction_time": manifest.transaction_time} for manifest in inputs.manifests
        ],
        "input": [reading.described() for reading in readings],
        "findings": [*findings.incomplete, *findings.notes],
    }


def _settings(request: AssessRequest, plan: Plan) -> dict[str, Any]:
    site = plan.site
    return {
        "designs": [design.name for design in plan.designs] + ([RECORDED] if request.audit else []),
        "index": "first" if plan.only_first else "all",
        "course_days": plan.course.days,
        "follow_up": plan.follow_up.days,
        "data_cutoff": request.data_cutoff.isoformat() if request.data_cutoff is not None else None,
        "last_day": plan.until.isoformat() if plan.until is not None else None,
        "adjudicated_patients": len(plan.adjudicated) if request.outcomes is not None else None,
        "identifiers": "plain" if request.plain else "pseudonym",
        "timezone": str(site.policy.timezone),
        "cutoff": f"{site.policy.cutoff:f}",
        "configuration": site.configuration_hash,
    }
