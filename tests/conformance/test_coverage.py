"""Every one of the 185 requirements is tested here, or the README says why it is not."""

import ast
import csv
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
TEST_NAME = re.compile(r"test_requirement((?:_\d{3})+)_[a-z]")
# A row of the table: one number or a range, then the reason.
ROW = re.compile(r"\| (\d{1,3})(?:-(\d{1,3}))? \| (.+?) \|")


def numbers_in_names(sources: list[str]) -> set[int]:
    """Numbers in the names of test functions."""
    names = [
        node.name
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_requirement_")
    ]
    matches = [(name, TEST_NAME.match(name)) for name in names]
    assert not [name for name, match in matches if match is None]
    return {int(number) for _, match in matches if match for number in match[1].strip("_").split("_")}


def left_out(text: str) -> set[int]:
    """Numbers that the README lists with a reason."""
    numbers: list[int] = []
    for line in text.splitlines():
        if row := ROW.fullmatch(line):
            first = int(row[1])
            numbers += range(first, int(row[2] or first) + 1)
    assert len(numbers) == len(set(numbers)), "listed twice"
    return set(numbers)


def numbered() -> set[int]:
    """Numbers of the table of requirements."""
    with (FOLDER / "requirements.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["no"]) for row in csv.DictReader(file)}


def sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("test_*.py"))]


def test_requirements_are_tested_or_left_out_for_a_reason() -> None:
    listed = left_out((FOLDER / "README.md").read_text(encoding="utf-8"))
    covered = numbers_in_names(sources())
    every = numbered()

    assert sorted(every - covered - listed) == [], "neither tested nor listed"
    assert sorted(covered & listed) == [], "tested and listed"
    assert covered | listed == every == set(range(1, 186)), "numbers that do not exist"


@pytest.mark.parametrize(
    ("source", "numbers"),
    [
        ("def test_requirement_007_x(): ...", {7}),
        ("def test_requirement_014_015_018_texts(): ...", {14, 15, 18}),
        ("def test_other_009_x(): ...", set()),
        ("class A:\n    def test_requirement_100_x(self): ...", {100}),
    ],
)
def test_numbers_are_read_from_names(source: str, numbers: set[int]) -> None:
    assert numbers_in_names([source]) == numbers


def test_rows_are_read_as_numbers_and_ranges() -> None:
    assert left_out("| no | reason |\n|---|---|\n| 8 | client |\n| 157-159 | elsewhere |\n") == {8, 157, 158, 159}
