"""Doctor on the data of other makers: what the samples are known for is found, and nothing else.

What each file holds was read from the files and their README by hand. An eligible diagnosis and procedure are added.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.clinical.test_samples import read
from tests.support.charts import condition, procedure
from tests.unit.insight.doctor.examining import examined_folder, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json

NO_ALBUMIN = ("warning", "analyte-missing")
NOTHING = ("blocks", "few-complete-draws")
MISSING = ("blocks", "analyte-missing")

ROWS: list[tuple[str, str, set[tuple[str, str]], str]] = [
    ("be-lab-two-reports.json", "2021-12-01T00:00:00Z", {NO_ALBUMIN}, "/uL beside 10*3/uL: all of it is read"),
    ("converter-lri-cbc.json", "2011-02-01T00:00:00Z", {NO_ALBUMIN}, "unit words beside UCUM codes: all of it is read"),
    (
        "be-lab-molis-1a.json",
        "2023-01-01T00:00:00Z",
        {NO_ALBUMIN, NOTHING, ("blocks", "no-effective-time")},
        "only the report tells the time",
    ),
    (
        "r4-diagnostic-report.json",
        "2011-04-01T00:00:00Z",
        {NO_ALBUMIN, NOTHING, ("blocks", "no-effective-time"), ("warning", "export-without-patients")},
        "results without a time of their own, and no Patient",
    ),
    (
        "converter-oru.json",
        "2020-01-01T00:00:00Z",
        {NO_ALBUMIN, MISSING, NOTHING, ("blocks", "status-not-accepted"), ("blocks", "local-code-doubtful")},
        "preliminary results, and platelets under the LOINC code of their morphology",
    ),
    (
        "smart-jordan-r4.json",
        "2020-01-01T00:00:00Z",
        {
            MISSING,
            ("blocks", "subject-mismatch"),
            ("warning", "subject-mismatch"),
            ("note", "near-miss-code"),
            ("warning", "mostly-indeterminate"),
        },
        "subjects by urn:uuid, which only a Bundle resolves; no differential; platelet distribution width",
    ),
    (
        "smart-1137192-stu3.json",
        "2020-01-01T00:00:00Z",
        {MISSING, NOTHING, ("warning", "status-not-accepted")},
        "albumin of status unknown, and no blood count",
    ),
    (
        "synthea-agatha.ndjson",
        "2001-05-01T00:00:00Z",
        {MISSING, NOTHING, ("note", "near-miss-code")},
        "platelets and albumin without a differential; platelet distribution width",
    ),
]


@pytest.mark.parametrize(("file", "at", "expected", "reason"), ROWS, ids=[row[0] for row in ROWS])
def test_sample_shows_what_it_is_known_for(
    file: str, at: str, expected: set[tuple[str, str]], reason: str, tmp_path: Path
) -> None:
    resources = list(flat(read(file)))
    patients = sorted({patient_of(resource) for resource in resources} - {""})
    for patient_id in patients:
        subject = {"reference": f"Patient/{patient_id}"}
        resources += [condition(subject=subject), procedure(subject=subject, when=f"{int(at[:4]) - 2}-01-01")]
    (tmp_path / "all.ndjson").write_text("".join(json.dumps(resource) + "\n" for resource in resources))

    report = examined_folder(tmp_path, mask=0, now=datetime.fromisoformat(at))

    assert found(report) == expected, (reason, [(f.id, f.what) for f in report.findings])


def flat(bundle: Json) -> Iterator[Json]:
    """Every resource of a Bundle, and of the Bundles in it."""
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Bundle":
            yield from flat(entry["resource"])
        else:
            yield entry["resource"]


def patient_of(resource: Json) -> str:
    """The patient a resource is, or is about."""
    if resource["resourceType"] == "Patient":
        return str(resource.get("id", ""))
    reference = str(resource.get("subject", {}).get("reference", ""))
    return reference.removeprefix("Patient/") if reference.startswith("Patient/") else ""
