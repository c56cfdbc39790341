"""Results that a laboratory corrected or took back: which version stands, and in which draw."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.charts import LYMPHOCYTES, NEUTROPHILS, Json, draw, observation
from tests.unit.normalization.reading import paired, values

# Draws by time; corrections among them; what is found.
CORRECTIONS: list[tuple[list[Json], list[tuple[Any, ...]], str]] = [
    (
        [
            *draw(200, 4, 1, when="2026-10-14T08:00:00Z", status="corrected"),
            *draw(300, 5, 2, when="2026-10-14T08:40:00Z"),
        ],
        [(300, 5, 2), (200, 4, 1)],
        "a corrected draw does not take the place of a later one of the same hour",
    ),
    (
        [
            *draw(200, None, 1, when="2026-10-14T08:00:00Z"),
            observation(NEUTROPHILS, 4, when="2026-10-14T08:00:00Z", status="corrected"),
            *draw(300, 5, 2, when="2026-10-14T08:40:00Z"),
        ],
        [(300, 5, 2), (200, 4, 1)],
        "nor does one corrected result of it",
    ),
    (
        [
            *draw(300, 5, 2, when="2026-10-14T08:40:00Z"),
            observation(NEUTROPHILS, 4, when="2026-10-14T08:00:00Z", status="corrected"),
        ],
        [(300, 4, 2)],
        "a correction that is of no other draw is one of this",
    ),
    (
        [
            *draw(300, 5, 2, when="2026-10-14T08:40:00Z"),
            observation(NEUTROPHILS, 4, when="2026-10-14T07:39:59Z", status="corrected"),
        ],
        [(300, 5, 2)],
        "a second more than an hour before it is another matter",
    ),
    (
        [
            *draw(300, 5, 2, when="2026-10-14T08:40:00Z"),
            observation(NEUTROPHILS, 4, when="2026-10-15", status="corrected"),
        ],
        [(300, 5, 2)],
        "and so is another day",
    ),
    (
        [
            *draw(300, 5, 2, when="2026-10-14T08:40:00Z"),
            observation(LYMPHOCYTES, 0, when="2026-10-14", status="amended"),
        ],
        [(300, 5, 0, "zero-lymphocytes")],
        "a correction may make a draw undecidable",
    ),
    (
        [
            *draw(300, 5, 2, when="2026-10-14T08:40:00Z"),
            observation(NEUTROPHILS, 4, when="2026-10-14", status="corrected"),
            observation(NEUTROPHILS, 6, when="2026-10-14", status="amended"),
        ],
        [(300, 4, 2, "conflicting-results")],
        "two corrections that contradict each other",
    ),
]


@pytest.mark.parametrize(("rows", "expected", "reason"), CORRECTIONS)
def test_correction_stands_in_the_draw_it_belongs_to(rows: list[Json], expected: list[Any], reason: str) -> None:
    assert values(paired(*rows)) == expected, reason
    assert values(paired(*rows[::-1])) == expected, f"in either order: {reason}"
