"""The rows of a cohort as files."""

import csv
import os
import stat
from datetime import date
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import pytest

from cds_service.errors import MissingExtraError
from cds_service.insight.cohort.rows import COLUMNS, AssessedRow
from cds_service.insight.cohort.tables import require_pyarrow, write_rows
from tests.support.cohort.assessed_folders import drawn_rows, write_folder

# The order in which others rely on the columns.
CONTRACT = (
    "patient, design, decision, outcome, reason, sii, relation, days, time, event, entered, cutoff, basis, sex, age, "
    "therapy, neutrophils, lymphocytes, platelets, albumin, record, rule_version, mapping_version"
)


def test_columns_are_those_of_the_contract() -> None:
    assert ", ".join(COLUMNS) == CONTRACT


def test_tables_hold_the_same_rows_in_both_files(tmp_path: Path) -> None:
    rows = drawn_rows(40, seed=3)
    folder = write_folder(tmp_path / "site", rows)
    with (folder / "assessments.csv").open(encoding="utf-8", newline="") as stream:
        heading, *texts = csv.reader(stream)
    table = require_pyarrow().parquet.read_table(folder / "assessments.parquet")

    assert tuple(heading) == COLUMNS == tuple(table.column_names)
    assert [tuple(text) for text in texts] == [row.cells for row in rows]
    values = [["" if value is None else str(value) for value in row.values()] for row in table.to_pylist()]
    assert values == texts


def test_tables_number_is_written_in_full_digits(tmp_path: Path) -> None:
    row = AssessedRow("p", "draw", date(2020, 2, 29), "above-cutoff", sii=Decimal("1.2E+3"), days=0, entered=1)

    assert row.cells[COLUMNS.index("sii")] == "1200"
    assert row.cells[COLUMNS.index("days")] == "0", "nought is a number, not nothing"
    assert row.cells[COLUMNS.index("time")] == ""


def test_tables_are_for_their_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_rows(tmp_path, [])
    finally:
        os.umask(old)

    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_tables_without_pyarrow_say_what_to_install() -> None:
    with (
        patch.dict("sys.modules", {"pyarrow.parquet": None}),
        pytest.raises(MissingExtraError, match=r"pip install --require-hashes -r requirements\.lock"),
    ):
        require_pyarrow()
