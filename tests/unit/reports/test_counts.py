"""Counts as they are read: thousands apart, one of something without a plural."""

import re

import pytest

from cds_service.reports.counts import counted, thousands
from tests.architecture.checkout import python_files, read

# A plural made by hand from a number is forgotten at the next place.
_BY_HAND = re.compile(r"""\{['"]s['"] if |['"]s['"] if [\w.]+ (?:!=|>) 1""")


@pytest.mark.parametrize(
    ("count", "noun", "told"),
    [
        (0, "user", "0 users"),
        (1, "user", "1 user"),
        (2, "user", "2 users"),
        (1_204, "hook call", "1,204 hook calls"),
        (-1, "day", "-1 days"),
    ],
)
def test_counted_names_one_without_a_plural(count: int, noun: str, told: str) -> None:
    assert counted(count, noun) == told


def test_counted_takes_an_irregular_plural() -> None:
    assert [counted(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]


@pytest.mark.parametrize(("count", "told"), [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")])
def test_thousands_stand_apart(count: int, told: str) -> None:
    assert thousands(count) == told


def test_no_plural_is_made_by_hand() -> None:
    found = [str(path) for path in python_files() if path.parts[0] == "cds_service" and _BY_HAND.search(read(path))]

    assert found == []
