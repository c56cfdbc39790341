"""Results that a laboratory corrected or took back: which version stands, and in which draw."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from tests.support.charts import LYMPHOCYTES, NEUTROPHILS, PLATELETS, Json, bundle, draw, hook_request, observation
from tests.unit.normalization.reading import decided, paired, values

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


FINAL = observation(PLATELETS, 210, oid="plt", meta={"versionId": "1"})
ERROR: Json = {"resourceType": "Observation", "id": "plt", "status": "entered-in-error", "meta": {"versionId": "2"}}

# What else is delivered of platelets that are final; whether they still count.
TAKEN_BACK: list[tuple[Json, bool, str]] = [
    (FINAL | {"status": "entered-in-error", "meta": {"versionId": "2"}}, False, "a later version takes them back"),
    (FINAL | {"status": "entered-in-error"}, False, "no version tells which is the later: doubt is enough"),
    (ERROR, False, "nothing is left in it, not even the code"),
    (ERROR | {"subject": {"reference": "Patient/p2"}}, False, "whoever it is said to be of now"),
    (ERROR | {"id": "other"}, True, "another result"),
    (ERROR | {"id": None}, True, "nobody knows which one"),
    (ERROR | {"status": "cancelled"}, True, "another status that does not count says nothing of other versions"),
    (FINAL | {"status": "preliminary"}, True, "the final one came later"),
]


@pytest.mark.parametrize("key", ["bloodCounts", "albumin"])
@pytest.mark.parametrize(("other", "counts", "reason"), TAKEN_BACK)
def test_result_that_is_delivered_as_an_error_too_does_not_count(
    other: Json, counts: bool, reason: str, key: str
) -> None:
    rest = draw(platelets=None)
    for ours in ([FINAL, other, *rest], [other, FINAL, *rest]):
        body = hook_request(*ours) if key == "bloodCounts" else hook_request(FINAL, *rest, albumin=bundle(other))
        found = assessment_extension(RULE_VERSION, decided(body).assessment)

        assert (found["outcome"] == "above-cutoff") is counts, reason
        if not counts:
            assert found["reasons"] == ["missing-platelets", "status-not-accepted"]


def test_panel_that_is_an_error_takes_its_components_back() -> None:
    rows = [{"code": row["code"], "valueQuantity": row["valueQuantity"]} for row in draw()]
    panel = observation("58410-2", 0, oid="cbc", valueQuantity=None, component=rows)
    error = {"resourceType": "Observation", "id": "cbc", "status": "entered-in-error"}

    assert len(paired(panel).draws) == 1
    assert (
        assessment_extension(RULE_VERSION, decided(hook_request(panel, error)).assessment)["outcome"] == "indeterminate"
    )
