"""Folders that cannot be used are refused in a sentence that names the place, and none of its content."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pandas
import pytest

from cds_service.errors import CohortFolderError
from cds_service.insight.cohort.validation.cohort import read_cohort
from tests.support.cohort.assessed_folders import drawn_rows, write_folder

if TYPE_CHECKING:
    from pathlib import Path

ROWS = drawn_rows(40, seed=5, designs=("draw", "baseline"))
ENTERED = next(place for place, row in enumerate(sorted(ROWS)) if row.entered)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "assessed", ROWS)


def change(folder: Path, column: str, text: str) -> None:
    """Write another cell into the first row that entered."""
    file = folder / "assessments.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[ENTERED][column] = text
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def refusal(*folders: Path, follow_up: int | None = None) -> str:
    with pytest.raises(CohortFolderError) as refused:
        read_cohort(folders, follow_up)
    return str(refused.value)


@pytest.mark.parametrize(
    ("column", "text", "problem"),
    [
        ("sii", "", "sii is not a number"),
        ("sii", "NaN", "sii is not a number of 0 or more"),
        ("sii", "-4", "sii is not a number of 0 or more"),
        ("cutoff", "high", "cutoff is not a number"),
        ("time", "12.5", "time is not a whole number"),
        ("time", "-1", "time is not a whole number"),
        ("time", "²", "time is not a whole number"),
        ("event", "3", "event is none of 0, 1 and 2"),
        ("entered", "", "entered is neither 0 nor 1"),
        ("decision", "last year", "decision is not a day"),
        ("patient", "", "patient is missing"),
        ("design", "", "design or outcome is missing"),
        ("outcome", "indeterminate", "outcome does not fit SII and cut-off"),
        ("age", "old", "age is not a number"),
    ],
)
def test_read_cohort_damaged_cell_is_named_by_line(folder: Path, column: str, text: str, problem: str) -> None:
    change(folder, column, text)

    assert refusal(folder) == f"{folder / 'assessments.csv'}, line {ENTERED + 2}: {problem}"


def test_read_cohort_folder_of_another_version_is_refused(folder: Path) -> None:
    (folder / "run.json").write_text('{"format": 2}', encoding="utf-8")

    assert "another version of cohort assess (format 2, not 1)" in refusal(folder)


def test_read_cohort_run_that_names_no_format_is_taken_as_it_is(folder: Path) -> None:
    (folder / "run.json").write_text('{"settings": {"follow_up": 900}}', encoding="utf-8")

    assert read_cohort((folder,), None).follow_up == 900


def test_read_cohort_columns_of_another_version_are_refused(folder: Path) -> None:
    file = folder / "assessments.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("mapping_version", "mappings", 1), encoding="utf-8")

    assert "lacks columns (mapping_version)" in refusal(folder)


def test_read_cohort_no_folder_or_an_empty_one_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in refusal(tmp_path / "missing")
    assert "holds no assessments.csv" in refusal(tmp_path)


def test_read_cohort_same_folder_twice_is_refused(folder: Path) -> None:
    assert "is named twice" in refusal(folder, folder / ".." / folder.name)


def test_read_cohort_follow_up_can_be_shortened_only(tmp_path: Path) -> None:
    long = write_folder(tmp_path / "long", ROWS, settings={"follow_up": 1_826})
    short = write_folder(tmp_path / "short", ROWS, settings={"follow_up": 1_000})

    assert "--follow-up 1500 is longer than the 1000 days" in refusal(long, short, follow_up=1_500)
    assert read_cohort((long, short), None).follow_up == 1_000
    assert read_cohort((long,), 500).designs[0].patients.time.max() == 500


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("run.json", "{", "run.json: is not JSON"),
        ("run.json", "[]", "run.json: is not an object"),
        ("flow.json", '{"draw": {"index_procedures": 3}}', "'draw' has no counts"),
        ("assessments.csv", 'patient,"torn', "lacks columns"),
        ("assessments.csv", "", "lacks columns"),
    ],
)
def test_read_cohort_damaged_file_is_refused(folder: Path, name: str, content: str, problem: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")

    assert problem in refusal(folder)


def test_read_cohort_row_torn_in_the_middle_is_refused(folder: Path) -> None:
    file = folder / "assessments.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.rindex(",", 0, len(text) - 40)], encoding="utf-8")

    assert "cells are missing" in refusal(folder)


def test_read_cohort_not_utf8_is_refused(folder: Path) -> None:
    (folder / "assessments.csv").write_bytes(b"\xff\xfe\x00")

    assert "is not CSV in UTF-8" in refusal(folder)


def test_read_cohort_parquet_alone_gives_the_same(folder: Path, tmp_path: Path) -> None:
    by_csv = read_cohort((folder,), None)
    (folder / "assessments.csv").unlink()
    by_parquet = read_cohort((folder,), None)

    for one, other in zip(by_csv.designs, by_parquet.designs, strict=True):
        assert (one.name, one.flow, one.cutoffs) == (other.name, other.flow, other.cutoffs)
        assert one.patients.sii.tolist() == other.patients.sii.tolist()
        assert one.patients.labels == other.patients.labels


def test_read_cohort_parquet_that_pandas_wrote_again_gives_the_same(folder: Path) -> None:
    before = read_cohort((folder,), None)
    (folder / "assessments.csv").unlink()
    pandas.read_parquet(folder / "assessments.parquet").to_parquet(folder / "assessments.parquet")
    after = read_cohort((folder,), None)

    assert [design.flow for design in after.designs] == [design.flow for design in before.designs]
    assert after.designs[0].patients.time.tolist() == before.designs[0].patients.time.tolist()


def test_read_cohort_parquet_damaged_is_refused(folder: Path) -> None:
    (folder / "assessments.csv").unlink()
    (folder / "assessments.parquet").write_bytes(b"PAR1 torn")

    assert "is damaged" in refusal(folder)


def test_read_cohort_without_run_and_flow_says_what_is_taken_for_granted(folder: Path) -> None:
    (folder / "run.json").unlink()
    (folder / "flow.json").unlink()
    cohort = read_cohort((folder,), None)

    assert cohort.follow_up == 1_826
    assert [remark.split()[0] for remark in cohort.remarks] == ["run.json", "flow.json"]


def test_read_cohort_flow_that_does_not_fit_the_rows_is_remarked_on(folder: Path) -> None:
    flow = json.loads((folder / "flow.json").read_text(encoding="utf-8"))
    flow["draw"]["outcomes"]["above-cutoff"] += 1
    (folder / "flow.json").write_text(json.dumps(flow), encoding="utf-8")

    assert read_cohort((folder,), None).remarks == ("flow.json does not count what the rows of draw hold; "
                                                    "the rows are used.",)  # fmt: skip


def test_read_cohort_designs_stand_in_the_order_of_the_study(tmp_path: Path) -> None:
    rows = drawn_rows(30, 1, ("recorded", "draw", "landmark:365", "landmark:90", "baseline"))
    cohort = read_cohort((write_folder(tmp_path / "many", rows),), None)

    assert [design.name for design in cohort.designs] == ["baseline", "landmark:90", "landmark:365", "draw", "recorded"]


def test_read_cohort_patients_of_two_sites_are_two_though_they_share_a_name(tmp_path: Path) -> None:
    folders = [write_folder(tmp_path / name, ROWS) for name in ("north", "south")]
    cohort = read_cohort(folders, None)
    patients = cohort.designs[0].patients

    assert int(patients.patient.max()) + 1 == len(patients) == 2 * int((patients.site == 0).sum())
    assert "Some patients stand in several folders" in cohort.remarks[0]


def test_read_cohort_disagreements_are_counted(folder: Path) -> None:
    assert read_cohort((folder,), None).disagreements is None

    lines = "record,explanation\n4,other-version\n9,other-version\n10,\n"
    (folder / "disagreements.csv").write_text(lines, encoding="utf-8")

    assert read_cohort((folder,), None).disagreements == {"other-version": 2, "unexplained": 1}


def test_read_cohort_patients_without_an_index_procedure_are_added_up_where_every_folder_says(tmp_path: Path) -> None:
    one = write_folder(tmp_path / "one", ROWS, patients={"without_index_procedure": 30})
    two = write_folder(tmp_path / "two", ROWS, patients={"without_index_procedure": 12})
    silent = write_folder(tmp_path / "silent", ROWS)

    assert read_cohort((one, two), None).designs[0].flow.without_index_procedure == 42
    assert read_cohort((one, silent), None).designs[0].flow.without_index_procedure is None


def test_read_cohort_what_was_wrong_with_the_export_is_remarked_on(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "assessed", ROWS, findings=["Condition.ndjson is shorter than the manifest says"])
    (folder / "problems.jsonl").write_text('{"line": 3}\n{"line": 9}\n', encoding="utf-8")
    remarks = " ".join(read_cohort((folder,), None).remarks)

    assert "run.json lists it (1)" in remarks
    assert "could not be read: 2; problems.jsonl" in remarks
