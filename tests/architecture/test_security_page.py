"""docs/security.md names tests as proof: each of them exists, and every attack of its tables has one."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from tests.architecture.checkout import python_files, read

PAGE = PurePosixPath("docs/security.md")
NAMED = re.compile(r"`(test_[a-z0-9_]+)`")
DEFINED = re.compile(r"^def (test_[a-z0-9_]+)\(", re.MULTILINE)


def defined_tests() -> set[str]:
    files = [path for path in python_files() if path.parts[0] == "tests"]
    return {name for path in files for name in DEFINED.findall(read(path))}


def missing(page: str, defined: set[str]) -> set[str]:
    return set(NAMED.findall(page)) - defined


def unproved(page: str) -> list[str]:
    """Give the attacks without a test: rows of the tables whose last column is "proved by"."""
    rows, is_proof_table = [], False
    for line in page.splitlines():
        if line.startswith("| attack "):
            is_proof_table = line.endswith("| proved by |")
        elif not line.startswith("|"):
            is_proof_table = False
        elif is_proof_table and not line.startswith("|---") and not NAMED.search(line):
            rows.append(line)
    return rows


def test_security_page_names_tests_that_exist() -> None:
    page = read(PAGE)

    assert len(set(NAMED.findall(page))) > 50
    assert missing(page, defined_tests()) == set()


def test_security_page_proves_every_attack() -> None:
    assert unproved(read(PAGE)) == []


def test_page_with_a_gap_is_found() -> None:
    page = "| attack | what stops it | proved by |\n|---|---|---|\n| a | b | `test_gone` |\n| c | d | nothing |\n"

    assert missing(page, {"test_here"}) == {"test_gone"}
    assert unproved(page) == ["| c | d | nothing |"]
