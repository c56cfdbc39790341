"""Several results of one kind in one draw: which one stands, and when nobody can tell."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    observation,
)
from tests.unit.normalization.reading import paired

WHEN = "2026-10-14T08:00:00Z"
MANUAL = "753-4"
DAY, BEFORE, AFTER = "2026-10-14", "2026-10-14T07:40:00Z", "2026-10-14T08:10:00Z"
EARLY, LATE = "2026-10-14T09:00:00Z", "2026-10-14T11:00:00Z"


def neutrophils(value: float, code: str = NEUTROPHILS, **members: Any) -> Json:
    return observation(code, value, **({"when": WHEN} | members))


def rest(**members: Any) -> list[Json]:
    return [
        observation(LYMPHOCYTES, 2, **({"when": WHEN} | members)),
        observation(PLATELETS, 200, **({"when": WHEN} | members)),
    ]


# The neutrophils of one draw, and the value that stands; None where they are conflicting.
DUPLICATES = [
    ([neutrophils(4), neutrophils(4, oid="again")], 4, "two equal results"),
    ([neutrophils(4), neutrophils(4.0, oid="again")], 4, "4 and 4.0 are one number"),
    ([neutrophils(4), observation(NEUTROPHILS, 4000, "/uL", when=WHEN)], 4, "one number in two units"),
    ([neutrophils(4), neutrophils(5)], None, "two final results"),
    ([neutrophils(4, status="amended"), neutrophils(5)], 4, "amended before final"),
    ([neutrophils(4, status="corrected"), neutrophils(5)], 4, "corrected before final"),
    ([neutrophils(4, status="amended"), neutrophils(5, status="corrected")], None, "amended and corrected rank alike"),
    ([neutrophils(4, status="amended", issued=EARLY), neutrophils(5, issued=LATE)], 4, "the status goes before issued"),
    ([neutrophils(4, issued=EARLY), neutrophils(5, issued=LATE)], 5, "the latest issued"),
    ([neutrophils(4, issued=LATE), neutrophils(5, issued=LATE)], None, "issued together"),
    ([neutrophils(4, issued=LATE), neutrophils(5, issued="2026-10-14T13:00:00+02:00")], None, "issued together, zones"),
    ([neutrophils(4, issued=LATE), neutrophils(5)], None, "one does not tell when it was issued, and may be the later"),
    ([neutrophils(4, issued=LATE), neutrophils(4, oid="again")], 4, "nor need it, where both say the same"),
    (
        [neutrophils(4, issued=LATE), neutrophils(5, issued=EARLY), neutrophils(4, oid="again")],
        None,
        "one of three does not tell it, and not all say the same",
    ),
    ([neutrophils(4, issued="2026-10-14"), neutrophils(5, issued=EARLY)], None, "a date tells no instant"),
    ([neutrophils(4, status="amended", issued=LATE), neutrophils(5)], 4, "a correction need not be compared"),
    (
        [neutrophils(4, status="amended"), neutrophils(5, status="amended", issued=LATE)],
        None,
        "two corrections, one tells",
    ),
    ([neutrophils(4, status="corrected", when=DAY), neutrophils(5)], 4, "a correction that tells the day only"),
    ([neutrophils(4, status="corrected"), neutrophils(5, when=DAY)], 4, "a correction of a result that does so"),
    ([neutrophils(4, status="corrected", when=BEFORE), neutrophils(5)], 4, "a correction with an earlier time"),
    (
        [neutrophils(4, status="corrected", when=BEFORE), neutrophils(5, MANUAL, status="corrected")],
        4,
        "of its own code",
    ),
    ([neutrophils(4, MANUAL, status="corrected", when=AFTER), neutrophils(5)], 5, "a correction of the second choice"),
    ([neutrophils(4, when=BEFORE), neutrophils(5)], 5, "neither is corrected: the newer"),
    ([neutrophils(4, when=BEFORE, issued=LATE), neutrophils(5)], 5, "the time goes before issued"),
    (
        [neutrophils(4, status="corrected", when=BEFORE), neutrophils(5, status="amended")],
        5,
        "both are corrected: the newer",
    ),
    ([neutrophils(4, issued="later"), neutrophils(5)], None, "garbage ranks as no instant"),
    ([neutrophils(4, MANUAL), neutrophils(5)], 5, "a preferred code before a second choice"),
    ([neutrophils(4, MANUAL, status="corrected"), neutrophils(5)], 5, "the code goes before the status"),
    ([neutrophils(4, MANUAL, issued=LATE), neutrophils(5)], 5, "the code goes before issued"),
    ([neutrophils(4, "26499-4"), neutrophils(5)], None, "two preferred codes"),
    ([neutrophils(4, MANUAL), neutrophils(5, MANUAL)], None, "two second choices"),
    ([neutrophils(4, MANUAL), neutrophils(5, MANUAL), neutrophils(6)], 6, "a preferred code settles it"),
    ([neutrophils(4), neutrophils(5), neutrophils(6, status="amended")], 6, "a correction settles it"),
    ([neutrophils(4, status="entered-in-error"), neutrophils(5)], 5, "what does not count is no duplicate"),
]


@pytest.mark.parametrize("specimen", [None, {"reference": "Specimen/s"}], ids=["by-time", "by-specimen"])
@pytest.mark.parametrize(("duplicates", "expected", "reason"), DUPLICATES)
def test_duplicates_are_ranked_or_conflict(
    duplicates: list[Json], expected: float | None, reason: str, specimen: Json | None
) -> None:
    resources = [
        row if specimen is None else row | {"specimen": specimen} for row in itertools.chain(duplicates, rest())
    ]
    for order in (resources, resources[::-1]):
        (draw,) = paired(*order).draws

        assert draw.problems == (("conflicting-results",) if expected is None else ()), reason
        assert expected is None or draw.neutrophils.quantity.value == expected, reason


def test_any_of_the_three_may_conflict() -> None:
    for code, value in ((NEUTROPHILS, 4), (LYMPHOCYTES, 2), (PLATELETS, 200)):
        double = observation(code, value + 1, when=WHEN)
        (draw,) = paired(neutrophils(4), *rest(), double).draws

        assert draw.problems == ("conflicting-results",), code


def test_conflict_is_named_before_zero_lymphocytes() -> None:
    (draw,) = paired(
        neutrophils(4), neutrophils(5), observation(LYMPHOCYTES, 0, when=WHEN), observation(PLATELETS, 200, when=WHEN)
    ).draws

    assert draw.problems == ("conflicting-results",)


def test_conflicting_albumin_is_no_problem_of_a_draw() -> None:
    albumin = [observation("1751-7", value, "g/L", when=WHEN) for value in (30, 40)]
    (draw,) = paired(neutrophils(4), *rest(), *albumin).draws

    assert draw.problems == ()


SHARES = [
    ([(NEUTROPHILS_SHARE, 60), (NEUTROPHILS_SHARE, 61), (LYMPHOCYTES_SHARE, 20)], ("conflicting-results",), "shares"),
    ([(NEUTROPHILS_SHARE, 60), ("23761-0", 61), (LYMPHOCYTES_SHARE, 20)], (), "a preferred share settles it"),
]


@pytest.mark.parametrize(("shares", "problems", "reason"), SHARES)
def test_duplicate_shares_are_ranked_like_counts(
    shares: list[tuple[str, float]], problems: tuple[str, ...], reason: str
) -> None:
    (draw,) = paired(
        *(observation(code, value, "%", when=WHEN) for code, value in shares), observation(PLATELETS, 200, when=WHEN)
    ).draws

    assert draw.problems == problems, reason


def test_two_versions_of_one_result_are_duplicates() -> None:
    first = neutrophils(4, oid="n", meta={"versionId": "1"})
    second = neutrophils(5, oid="n", meta={"versionId": "2"}, status="corrected")
    (draw,) = paired(first, second, *rest()).draws

    assert draw.neutrophils.quantity.value == 5
    assert draw.neutrophils.origin.version == "2"
    assert draw.problems == ()


def test_preferred_code_wins_over_a_newer_second_choice_of_the_same_draw() -> None:
    newer = observation(MANUAL, 9, when="2026-10-14T08:20:00Z")
    (draw,) = paired(neutrophils(4), newer, *rest()).draws

    assert draw.neutrophils.quantity.value == 4
