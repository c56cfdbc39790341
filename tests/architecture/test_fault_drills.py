"""Every row of the fault drills names a test, and the test is there."""

import re

from tests.architecture.checkout import python_files, read, repository_files

GUIDE = "docs/operations.md"


def drill_rows(guide: str) -> list[list[str]]:
    """Rows of the table under the heading, as cells."""
    section = guide.partition("\n## Fault drills\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[1:]]


def unproved(rows: list[list[str]], tests: set[str]) -> list[str]:
    """Rows whose last cell is not the name of a test that exists."""
    return [row[0] for row in rows if row[-1].strip("`") not in tests]


def test_fault_drills_every_row_is_proved_by_a_test_that_exists() -> None:
    (path,) = (path for path in repository_files() if str(path) == GUIDE)
    rows = drill_rows(read(path))
    sources = [read(file) for file in python_files() if file.parts[0] == "tests"]
    tests = {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}

    assert len(rows) >= 10
    assert unproved(rows, tests) == []


def test_fault_drills_every_drill_has_a_row() -> None:
    named = {row[-1].strip("`") for row in drill_rows(next(read(p) for p in repository_files() if str(p) == GUIDE))}
    sources = [read(file) for file in python_files() if file.name.startswith("test_drills")]
    drills = {name for source in sources for name in re.findall(r"^def (test_drill_\w+)", source, re.MULTILINE)}

    assert drills
    assert drills <= named


def test_fault_drill_without_a_test_is_reported() -> None:
    table = "| fault | proved by |\n|---|---|\n| fire | `test_fire` |\n| flood | none |\n"
    guide = f"# O\n\n## Fault drills\n\n{table}\n## Next\n"

    assert unproved(drill_rows(guide), {"test_fire"}) == ["flood"]
