"""docs/doctor.md is true: its example is what the command prints, and every finding is explained."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.insight.doctor.judging.results import ACTIONS
from cds_service.insight.doctor.server.conclusions import FEATURES
from tests.architecture.checkout import ROOT
from tests.integration.test_doctor_server import PLANTED as PLANTED_IN_SERVERS
from tests.support.charts import LYMPHOCYTES, NEUTROPHILS, NOW, PLATELETS
from tests.support.hospital import hospital, measured, of_code, recoded
from tests.unit.insight.doctor.test_planted_problems import PLANTED

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "doctor.md"
_CONFIGURATION = re.compile(r"configuration [0-9a-f]{12}")
LOCAL = "https://laboratory.hospital.example/tests"


def documented_run(folder: Path) -> list[str]:
    """Write the export of the example, and return the command that examines it."""
    plan = (
        hospital()
        .change(of_code(NEUTROPHILS, change=recoded(LOCAL, "NEUT-ABS", "Neutrophile Granulozyten absolut")))
        .change(of_code(LYMPHOCYTES, change=recoded(LOCAL, "LYMPH-ABS", "Lymphozyten absolut")))
        .change(of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True)), every=2)
    )
    return ["doctor", str(plan.export(folder / "export")), "--at", NOW.isoformat()]


def test_documented_run_is_what_the_command_prints(tmp_path: Path) -> None:
    command = documented_run(tmp_path)

    printed = CliRunner().invoke(main, command, env={"COLUMNS": "100", "SII_CDS_CONFIG": None}).output

    documented = re.search(r"```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert documented is not None
    # The hash of a configuration covers its paths, and so the folder in which the test runs.
    assert _CONFIGURATION.sub("configuration", documented[1]) == _CONFIGURATION.sub("configuration", printed)


def test_every_finding_is_documented() -> None:
    page = PAGE.read_text("utf-8")
    planted = {identifier for row in (*PLANTED, *PLANTED_IN_SERVERS) for _, identifier in row[2]}
    identifiers = planted | set(FEATURES) | set(map(str, ACTIONS))

    assert not [identifier for identifier in sorted(identifiers) if f"`{identifier}`" not in page]
