"""`cohort assess` on synthetic exports: every row is the one that the patient's history tells."""

import json
from pathlib import Path

import pytest

from cds_service.insight.cohort import spill
from tests.support.cohort.assessed import assess, read_rows, wrong_stories
from tests.support.cohort.exports import Bad, lines_of, write_dirty_export, write_export
from tests.support.cohort.one_large_patient import cohort_with_one_large_patient
from tests.support.cohort.stories import RARE, cohort

FILES = ("assessments.csv", "assessments.parquet", "flow.json")


def problems(folder: Path) -> list[Bad]:
    lines = (folder / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert all(problem.keys() == {"file", "line", "reason"} for problem in found)
    return [Bad(problem["file"], problem["line"]) for problem in found]


# Six thousand rows take a quarter of a minute of one core.
@pytest.mark.timeout(600)
def test_assess_2000_patients_dirty_and_gzipped_rows_are_the_truth(tmp_path: Path) -> None:
    histories = cohort(2_000, seed=17)
    export, bad = write_dirty_export(tmp_path / "export", histories, seed=3, zipped=True)
    summary = assess(export, tmp_path / "out", workers=2)

    assert wrong_stories(tmp_path / "out", histories) == {}
    assert problems(tmp_path / "out") == bad
    assert summary.bad_lines == len(bad)
    assert {history.story for history in histories} >= {story.__name__ for story in RARE}


def test_assess_bytes_depend_on_nothing_but_the_patients(tmp_path: Path) -> None:
    histories = cohort(120, seed=5)
    lines = lines_of(histories)
    write_export(tmp_path / "one", lines)
    write_export(tmp_path / "other", {f"Z{name}": content[::-1] for name, content in lines.items()}, zipped=True)
    assess(tmp_path / "one", tmp_path / "a")
    assess(tmp_path / "other", tmp_path / "b", workers=2)

    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_assess_one_patient_larger_than_a_part_rows_are_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    histories = cohort_with_one_large_patient(80, 10_000, seed=11)
    export = write_export(tmp_path / "export", lines_of(histories))
    monkeypatch.setattr(spill, "_PART_BYTES", 500_000)
    summary = assess(export, tmp_path / "out", workers=2)

    assert wrong_stories(tmp_path / "out", histories) == {}
    assert summary.tally.patients == 80
    assert problems(tmp_path / "out") == []


def test_assess_every_patient_is_a_row_or_without_procedure(tmp_path: Path) -> None:
    histories = cohort(120, seed=6)
    summary = assess(write_export(tmp_path / "export", lines_of(histories)), tmp_path / "out")
    rows = read_rows(tmp_path / "out")
    flow = json.loads((tmp_path / "out/flow.json").read_text(encoding="utf-8"))
    run = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))

    without = sum(not history.has_index for history in histories)
    assert without > 0
    for design, told in flow.items():
        of_design = [row for row in rows if row["design"] == design]
        assert len(of_design) == told["index_procedures"] == sum(told["outcomes"].values()) == 120 - without
    assert run["patients"] == {
        "read": 120,
        "with_index_procedure": 120 - without,
        "without_index_procedure": without,
    }
    assert summary.tally.patients == 120
    assert [row["patient"] for row in rows] == sorted(row["patient"] for row in rows)


@pytest.mark.parametrize("story", RARE, ids=lambda story: story.__name__)
def test_assess_story_of_one_patient_alone(tmp_path: Path, story: object) -> None:
    histories = [history for history in cohort(len(RARE), seed=8) if history.story == getattr(story, "__name__", "")]
    assess(write_export(tmp_path / "export", lines_of(histories)), tmp_path / "out")

    assert histories
    assert wrong_stories(tmp_path / "out", histories) == {}
