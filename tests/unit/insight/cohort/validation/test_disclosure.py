"""Nothing that leaves names a patient or a day, or tells of fewer people than was promised, whatever the cohort."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cohort.assessed_folders import drawn_rows, write_folder
from tests.unit.insight.cohort.validation.cohorts import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAST = 10
# Whatever counts people: not days, settings, keys or the checklist.
NOT_PEOPLE = ("settings", "tripod_ai", "years", "remarks", "rule_versions")
NOT_COUNTS = ("cutoff", "bounds", "per_week", "flagged_for_one", "resamples")
DAY = re.compile(r"\b(?:19|20)\d\d-\d\d(?:-\d\d)?\b")


@pytest.fixture(
    scope="module",
    params=[(12, 1, 1), (40, 3, 1), (90, 5, 2), (200, 7, 1), (320, 8, 1)],
    ids=lambda param: f"{param[0]}-patients",
)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], Path]:
    """Rows of two sites, and the folder that holds what was made of them."""
    patients, seed, designs = request.param
    folder = tmp_path_factory.mktemp("made")
    names = ("baseline", "landmark:90")[:designs]
    parts = [drawn_rows(patients, seed, names), drawn_rows(patients // 2 + 1, seed + 100, names)]
    sites = [write_folder(folder / f"site{place}", rows) for place, rows in enumerate(parts)]
    options = ("--json", folder / "out.json", "--csv", folder / "out.csv", "--html", folder / "out.html")
    code, text, problem = run(*sites, *options, "--bootstrap", 20, "--min-cell", LEAST)
    assert (code, problem) == (0, "")
    (folder / "out.txt").write_text(text, encoding="utf-8")
    return parts[0] + parts[1], folder


@pytest.mark.parametrize("name", ["out.json", "out.csv", "out.txt", "out.html"])
def test_output_names_no_patient_and_no_day(made: tuple[list[Any], Path], name: str) -> None:
    rows, folder = made
    text = (folder / name).read_text(encoding="utf-8")

    assert not any(row.patient in text or row.patient.removeprefix("hmac:")[:16] in text for row in rows)
    assert not any(row.decision.isoformat() in text for row in rows)
    assert DAY.findall(text) == []


def test_json_holds_no_small_count(made: tuple[list[Any], Path]) -> None:
    data = json.loads((made[1] / "out.json").read_text(encoding="utf-8"))
    people = {name: part for name, part in data.items() if name not in NOT_PEOPLE}
    small = [(path, count) for path, count in counts(people) if 0 < count < LEAST]

    assert small == []


def counts(value: Any, path: str = "") -> Iterator[tuple[str, int]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from counts(inner, f"{path}/{key}")
        case list():
            for place, inner in enumerate(value):
                yield from counts(inner, f"{path}/{place}")
        case bool():
            return
        case int():
            if not any(word in path for word in NOT_COUNTS):
                yield path, value


def test_hidden_count_cannot_be_had_from_a_sum(made: tuple[list[Any], Path]) -> None:
    """In each group of numbers that add up to a known one, what is hidden adds up to no small number."""
    data = json.loads((made[1] / "out.json").read_text(encoding="utf-8"))
    for name, design in data["designs"].items():
        for total, parts in sums(design):
            if total is None:
                continue
            hidden = total - sum(part for part in parts if part is not None)
            if None in parts:
                assert hidden == 0 or hidden >= LEAST, (name, total, parts)


def sums(design: Any) -> Iterator[tuple[int | None, list[int | None]]]:
    table = design["binary"]
    yield design["n"], [design[part] for part in ("events", "deaths", "censored")]
    yield table["n"], [table[cell] for cell in ("tp", "fp", "fn", "tn")]
    yield table["events"], [table["tp"], table["fn"]]
    yield design["n"], list(design["flow"]["entered"].values())
    if design["n"] is not None and design["flow"]["rows"] is not None:
        yield design["flow"]["rows"] - design["n"], list(design["flow"]["left_out"].values())
    for shares in design["shares"].values():
        for group, total in (("event", table["events"]), ("no_event", less(table["n"], table["events"]))):
            yield total, [pair[group] for pair in shares["categories"].values()]
    parts = [*design["subgroups"].values(), design["sites"]]
    for members in parts:
        for cell in ("tp", "fp", "fn", "tn"):
            yield table[cell], [None if part is None else part["binary"][cell] for part in members.values()]


def less(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def test_cutoffs_tell_of_no_small_group_by_subtraction(made: tuple[list[Any], Path]) -> None:
    data = json.loads((made[1] / "out.json").read_text(encoding="utf-8"))
    for design in data["designs"].values():
        for one, other in combinations(design["thresholds"], 2):
            found = abs(one["found"] - other["found"])
            needless = abs(one["flagged"] - other["flagged"]) - found
            assert found == 0 or found >= LEAST
            assert needless == 0 or needless >= LEAST


def test_curves_end_before_few_are_at_risk(made: tuple[list[Any], Path]) -> None:
    rows, folder = made
    data = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    for name, design in data["designs"].items():
        mine = [row for row in rows if row.design == name and row.entered]
        for group, outcome in (("above", "above-cutoff"), ("not_above", "not-above-cutoff")):
            for day, value in design["kaplan_meier"][group].items():
                at_risk = sum(row.outcome == outcome and row.time >= int(day) for row in mine)
                assert value["estimate"] is None or at_risk >= LEAST
