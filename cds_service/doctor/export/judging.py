"""What an export itself lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.doctor.findings import Finding, Severity
from cds_service.doctor.judging.thresholds import by_share
from cds_service.doctor.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cds_service.doctor.export.passes import FirstPass, SecondPass

NEEDED: Final = ("Condition", "Procedure", "Observation")


def judge_export(first: FirstPass, second: SecondPass, damaged: Sequence[str]) -> Iterator[Finding]:
    """Yield findings about files, types and references."""
    for text in damaged:
        yield Finding(
            "export-damaged",
            Severity.BLOCKS,
            f"A file of the export could not be read to its end: {text}.",
            "Export or copy it again; what stood behind that place is missing from this report.",
            text.partition(":")[0],
        )
    if first.unreadable:
        yield Finding(
            "export-unreadable-lines",
            Severity.WARNING,
            f"{Mask(0).words(first.unreadable, 'line')} cannot be read as a FHIR resource in JSON.",
            "Export again, or see whether the files were changed; each line holds one resource.",
            evidence={"lines": first.unreadable},
        )
    missing = [name for name in NEEDED if not first.types[name]]
    if missing:
        yield Finding(
            "export-incomplete",
            Severity.BLOCKS,
            f"The export holds no {' and no '.join(missing)}.",
            "Export Patient, Observation, Condition and Procedure together (_type of the Bulk Data request).",
            evidence={"missing": missing},
        )
    yield from _judge_patients(first, second)


def _judge_patients(first: FirstPass, second: SecondPass) -> Iterator[Finding]:
    if not first.types["Patient"]:
        yield Finding(
            "export-without-patients",
            Severity.WARNING,
            "The export holds no Patient, so age and death could not be checked.",
            "Export Patient too, and see that the service gets it (prefetch key patient).",
        )
        return
    unknown = len(second.subjects_without_patient)
    severity = by_share(unknown, second.subjects)
    if severity is not None:
        share = round(100 * unknown / second.subjects)
        yield Finding(
            "subjects-unknown",
            severity,
            f"{share} % of the patients that Observations name are not among the exported Patients.",
            "Results filed for another identity never reach the chart: see that Observation.subject names the id "
            "under which the EHR opens the chart.",
            evidence={"sharePercent": share},
        )
