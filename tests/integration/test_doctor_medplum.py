"""Doctor against a FHIR server that others wrote: the planted problems are the data's, none are Medplum's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.support.charts import LYMPHOCYTES, NOW, PLATELETS
from tests.support.hospital import hospital, measured, of_code, of_type, recoded
from tests.support.medplum import TOKEN, Medplum, running_medplum

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json
    from tests.support.hospital import Hospital

LOCAL = "https://laboratory.hospital.example/tests"
# The server searches slowly, in one thread.
PATIENTS = 10
DEADLINE = {"SII_CDS__SERVER__HOOK_DEADLINE_SECONDS": "30"}


@pytest.fixture(scope="module")
def running() -> Iterator[Medplum]:
    with running_medplum() as server:
        yield server


def examined(server: Medplum, plan: Hospital, folder: Path) -> Json:
    server.clear()
    for resources in plan.patients.values():
        server.load(*resources)
    (folder / "token").write_text(TOKEN)
    command = ["doctor", "--fhir-server", server.url, "--token-file", str(folder / "token"), "--json", "-"]
    result = CliRunner().invoke(main, [*command, "--at", NOW.isoformat()], env=DEADLINE)
    report: Json = json.loads(result.stdout)
    return report


def laboratory(patients: int = PATIENTS) -> Hospital:
    coding = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    return hospital(patients).change(of_type("Observation", category=[{"coding": [coding]}]))


def test_clean_hospital_on_medplum_gives_no_finding(running: Medplum, tmp_path: Path) -> None:
    report = examined(running, laboratory(), tmp_path)

    assert report["findings"] == []
    assert report["draws"]["withCompleteDraw"] == PATIENTS


def test_local_code_and_wrong_scale_on_medplum_are_found(running: Medplum, tmp_path: Path) -> None:
    plan = (
        laboratory()
        .change(of_code(LYMPHOCYTES, change=recoded(LOCAL, "4712", "Lymphozyten absolut")))
        .change(of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True)))
    )

    report = examined(running, plan, tmp_path)

    assert {finding["id"] for finding in report["findings"]} == {
        "analyte-missing",
        "local-code",
        "unit-scale",
        "few-complete-draws",
    }
