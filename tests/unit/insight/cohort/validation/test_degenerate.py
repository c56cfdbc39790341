"""Cohorts that answer little: a clear sentence each, exit code 0, and nothing half written."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cohort.assessed_folders import drawn_rows, write_folder
from tests.unit.insight.cohort.validation.cohorts import entered, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.insight.cohort.rows import AssessedRow

    Change = Callable[[list[AssessedRow]], list[AssessedRow]]

ROWS = entered(300, 8)
FLAGGED = "above-cutoff"


@pytest.mark.parametrize(
    ("change", "told", "untold", "sentence"),
    [
        (lambda rows: rows[:1], {}, ("n", "auc/estimate", "binary/tp"), "<10, or hidden"),
        (lambda rows: [row._replace(event=0) for row in rows], {"events": 0, "binary/tp": 0},
         ("auc/estimate", "sensitivity/estimate", "cox/flag/coefficient", "youden/cutoff"), "Too few events"),
        (lambda rows: [row._replace(event=1) for row in rows], {"events": len(ROWS), "binary/tn": 0},
         ("auc/estimate", "specificity/estimate", "t_test/p"), "Too few events"),
        (lambda rows: [row for row in rows if row.outcome == FLAGGED], {"sensitivity/estimate": 1.0, "binary/fn": 0},
         ("npv/estimate", "relative_risk/estimate", "log_rank/p", "cox/flag/coefficient"), "100.0 % ("),
        (lambda rows: [row for row in rows if row.outcome != FLAGGED], {"specificity/estimate": 1.0, "binary/tp": 0},
         ("ppv/estimate", "relative_risk/estimate", "log_rank/p", "cox/flag/coefficient"), "100.0 % ("),
        (lambda rows: [row._replace(time=0, event=0) for row in rows], {"binary/n": 0, "binary/left_out": len(ROWS)},
         ("auc/estimate", "cox/log2_sii/coefficient", "kaplan_meier/above/365/estimate"), "Too few events"),
    ],
    ids=["one-patient", "no-events", "all-events", "all-flagged", "none-flagged", "no-follow-up"],
)  # fmt: skip
def test_validate_degenerate_cohort_says_what_it_can(
    tmp_path: Path, change: Change, told: dict[str, Any], untold: tuple[str, ...], sentence: str
) -> None:
    folder = write_folder(tmp_path / "assessed", change(ROWS))
    code, output, problem = run(folder, "--json", tmp_path / "out.json", "--bootstrap", 20)
    design = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["designs"]["baseline"]

    assert (code, problem) == (0, "")
    assert sentence in output
    assert {path: at(design, path) for path in told} == told
    assert [path for path in untold if at(design, path) is not None] == []


def at(data: Any, path: str) -> Any:
    for step in path.split("/"):
        data = data[step]
    return data


def test_validate_five_recurrences_among_many_leave_no_trace(tmp_path: Path) -> None:
    rows = [row._replace(event=int(place < 5), time=1_826 - place) for place, row in enumerate(ROWS[:200])]
    output = run(write_folder(tmp_path / "assessed", rows), "--bootstrap", 20, "--json")[1]
    design = json.loads(output)["designs"]["baseline"]

    paths = [
        *("events", "binary/n", "binary/tp", "sensitivity/estimate", "auc/estimate", "youden/index", "t_test/p"),
        *("kaplan_meier/above/1826/estimate", "cox/flag/se", "cox/log2_sii/se", "recommendation/youden_loss"),
        *("net_benefit_of_all/0.2", "measures/age/event/mean", "quantiles/event/median"),
    ]
    assert design["n"] == 200
    assert [path for path in paths if at(design, path) is not None] == []
    assert (design["thresholds"], design["distribution"]["bounds"]) == ([], [])


def test_validate_no_row_at_all_says_so(tmp_path: Path) -> None:
    code, output, _ = run(write_folder(tmp_path / "assessed", []), "--json", tmp_path / "out.json")

    assert code == 0
    assert "no assessed row" in output
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (found["designs"], found["recommendation"]["answer"]) == ({}, "too-few-events")


def test_validate_nobody_entered_still_shows_the_flow(tmp_path: Path) -> None:
    rows = [row for row in drawn_rows(900, 3, ("baseline",)) if not row.entered]
    code, _, _ = run(write_folder(tmp_path / "assessed", rows), "--json", tmp_path / "out.json")
    design = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["designs"]["baseline"]

    assert (code, design["n"]) == (0, 0)
    assert design["flow"]["left_out"]["undatable"] >= 10


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--follow-up", 2_000), "can be shortened only"),
        (("--follow-up", 0), "not in the range"),
        (("--horizons", "365,,730"), "not a list of days"),
        (("--horizons", "1e3"), "not a list of days"),
        (("--subgroups", "sex,postcode"), "'postcode' is none of sex, age, therapy"),
        (("--min-cell", 0), "not in the range"),
        (("--bootstrap", "many"), "not a valid integer range"),
    ],
)
def test_validate_bad_option_is_usage(tmp_path: Path, options: tuple[object, ...], problem: str) -> None:
    code, output, text = run(write_folder(tmp_path / "assessed", ROWS), *options)

    assert (code, output) == (2, "")
    assert problem in text


def test_validate_missing_folder_writes_nothing(tmp_path: Path) -> None:
    code, output, problem = run(tmp_path / "missing", "--json", tmp_path / "out.json")

    assert (code, output) == (2, "")
    assert problem == f"{tmp_path / 'missing'}: there is no such folder\n"
    assert not (tmp_path / "out.json").exists()


def test_validate_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    code, _, problem = run(write_folder(tmp_path / "assessed", ROWS), "--json", tmp_path / "none" / "out.json")

    assert code == 1
    assert "cannot be written" in problem


def test_validate_same_input_gives_the_same_figures(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "assessed", ROWS)
    options = ("--bootstrap", 50, "--json")
    first, again = (run(folder, *options)[1] for _ in range(2))
    other = run(folder, "--seed", 2, *options)[1]

    assert first == again
    assert json.loads(first)["designs"]["baseline"]["auc"] == json.loads(other)["designs"]["baseline"]["auc"]
    assert first != other


def test_validate_answers_keep_on_the_study_and_not_supported_where_values_run_high(tmp_path: Path) -> None:
    """The cut-off stems from the study's figures; a laboratory whose values are twice as high has no use for it."""
    rows = entered(700, 1)
    high = [
        row._replace(sii=2 * row.sii, outcome=FLAGGED if 2 * row.sii > row.cutoff else row.outcome)
        for row in rows
        if row.sii is not None and row.cutoff is not None
    ]
    answers = []
    for name, cohort in (("study", rows), ("high", high), ("few", rows[:150])):
        output = run(write_folder(tmp_path / name, cohort), "--bootstrap", 200, "--json")[1]
        answers.append(json.loads(output)["recommendation"]["answer"])

    assert answers == ["keep", "not-supported", "too-few-events"]


def test_validate_flag_that_is_worth_nothing_is_not_supported(tmp_path: Path) -> None:
    """SII without any relation to recurrence."""
    rows = entered(700, 1)
    shuffled = [row._replace(event=other.event, time=other.time) for row, other in pairwise(rows)]
    output = run(write_folder(tmp_path / "assessed", shuffled), "--bootstrap", 200, "--json")[1]
    answer = json.loads(output)["recommendation"]

    assert answer["answer"] == "not-supported"
    assert "better than chance" in answer["reasons"][0]


def test_validate_decisions_of_one_day_have_no_rate(tmp_path: Path) -> None:
    day = ROWS[0].decision
    rows = [row._replace(decision=day) for row in ROWS]
    spread = [row._replace(decision=day + timedelta(days=7 * (place % 2))) for place, row in enumerate(ROWS)]
    rates = []
    for name, cohort in (("one", rows), ("two", spread)):
        output = run(write_folder(tmp_path / name, cohort), "--bootstrap", 20, "--json")[1]
        used = [row for row in json.loads(output)["designs"]["baseline"]["thresholds"] if row["cutoff"] == 405.08]
        rates.append((used[0]["per_week"], used[0]["flagged"]))

    assert rates[0][0] is None
    assert rates[1][0] == rates[1][1]
