"""An export goes in, figures come out: `cohort assess` and `cohort validate` fit each other."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from click.testing import CliRunner

from cds_service.cli.main import main
from tests.support.cohort.assessed import assess, read_rows
from tests.support.cohort.exports import lines_of, write_export
from tests.support.cohort.stories import cohort

if TYPE_CHECKING:
    from pathlib import Path


def test_figures_of_an_export_count_the_rows_of_its_assessment(tmp_path: Path) -> None:
    histories = cohort(250, seed=3)
    assess(write_export(tmp_path / "export", lines_of(histories)), tmp_path / "out")
    command = ["cohort", "validate", str(tmp_path / "out"), "--min-cell", "1", "--bootstrap", "20", "--json"]
    done = CliRunner().invoke(main, command)
    data = json.loads(done.stdout)
    rows = read_rows(tmp_path / "out")

    assert done.exit_code == 0
    assert list(data["designs"]) == ["baseline", "landmark:90", "draw"]
    for name, found in data["designs"].items():
        mine = [row for row in rows if row["design"] == name]
        ends = Counter(row["event"] for row in mine if row["entered"] == "1")
        assert (found["n"], found["censored"], found["events"], found["deaths"]) == (
            ends.total(), ends["0"], ends["1"], ends["2"],
        )  # fmt: skip
        flow = found["flow"]
        assert flow["rows"] == len(mine) == sum(flow["left_out"].values()) + sum(flow["entered"].values())
        assert flow["without_index_procedure"] == sum(not history.has_index for history in histories)
    assert data["remarks"] == []


def test_text_of_an_export_names_no_patient_though_the_rows_do(tmp_path: Path) -> None:
    histories = cohort(120, seed=4)
    assess(write_export(tmp_path / "export", lines_of(histories)), tmp_path / "out", plain=True)
    done = CliRunner().invoke(main, ["cohort", "validate", str(tmp_path / "out"), "--bootstrap", "20"])
    patients = {row["patient"] for row in read_rows(tmp_path / "out")}

    assert done.exit_code == 0
    assert patients.isdisjoint(re.findall(r"[\w.:-]+", done.stdout))
