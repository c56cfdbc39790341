"""The summary: one line of at most 139 characters that names SII, the cut-off and the day of the blood."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.summary import LONGEST_SUMMARY, decided_summary, indeterminate_summary
from cds_service.cards.wording import texts_in
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate
from cds_service.clinical.reasons import Reason
from tests.unit.cards.assessments import TAKEN, card, decided, indeterminate
from tests.unit.clinical.values import POLICY, at, day, draw

ENGLISH = texts_in("en")
CARRIED = tuple(ENGLISH.short_reasons)
NO_L, NO_P, WINDOW = Reason.MISSING_LYMPHOCYTES, Reason.MISSING_PLATELETS, Reason.POST_PROCEDURE_WINDOW


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def assert_fits(summary: str) -> None:
    """Check the form that requirement 88 asks for: clients may count UTF-16 units and show one line."""
    assert len(summary) <= LONGEST_SUMMARY == 139
    assert utf16_units(summary) <= 139
    assert summary.isprintable()
    assert summary == summary.strip()


@pytest.mark.parametrize(
    ("values", "cutoff", "sii", "reason"),
    [
        (("210", "6", "1.8"), "405.08", "700", "an ordinary one"),
        (("2000", "100", "0.05"), "405.08", "4000000", "the largest plausible"),
        (("5", "0.1", "100"), "405.08", "0", "the smallest plausible"),
        (("405.08" + "0" * 27 + "1", "1", "1"), "405.08", "405.1", "above by 34 digits"),
        (
            ("405.08", "1." + "0" * 29 + "1", "1"),
            "405.08",
            "405.1",
            "above in the neutrophils",
        ),
        (
            ("405.08", "1." + "0" * 32 + "1", "0." + "9" * 34),
            "405.08",
            "405.1",
            "a quotient above by as little as digits allow",
        ),
        (("329.99959", "1", "1"), "329.9995900000001", "329.99959", "a cut-off with many decimals, not above"),
    ],
)
def test_decided_summary_of_extreme_values_fits_and_names_all(
    values: tuple[str, str, str], cutoff: str, sii: str, reason: str
) -> None:
    found = decided(draw(TAKEN, values), policy=replace(POLICY, cutoff=Decimal(cutoff)))

    summary = card(found).summary

    assert_fits(summary)
    assert f"SII {sii} " in summary, reason
    assert f"cut-off {cutoff}" in summary, reason
    assert "2026-02-18" in summary, reason


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            ("210", "6", "1.8"),
            "SII 700 (blood drawn 2026-02-18) is above the cut-off 405.08: "
            "higher recurrence risk reported after interventional therapy",
        ),
        (
            ("405.08", "1", "1"),
            "SII 405 (blood drawn 2026-02-18) is not above the cut-off 405.08 "
            "for recurrence after liver cancer therapy",
        ),
        (
            ("405.08" + "0" * 27 + "1", "1", "1"),
            "SII 405.1 (blood drawn 2026-02-18) is above the cut-off 405.08: "
            "higher recurrence risk reported after interventional therapy",
        ),
    ],
)
def test_decided_summary_reads(values: tuple[str, str, str], expected: str) -> None:
    assert card(decided(draw(TAKEN, values))).summary == expected


@pytest.mark.parametrize(("room", "full"), [(0, True), (1, False)], ids=["fits exactly", "one character too many"])
def test_decided_summary_is_brief_only_where_it_must_be(room: int, full: bool) -> None:
    spare = LONGEST_SUMMARY - len(card(decided()).summary)
    policy = replace(POLICY, cutoff=Decimal("405.08" + "1" * (spare + room)))

    summary = card(decided(policy=policy), policy).summary

    assert (len(summary) == LONGEST_SUMMARY, "higher recurrence risk" in summary) == (full, full)


@pytest.mark.parametrize(("room", "whole"), [(0, True), (1, False)], ids=["fits exactly", "one character too many"])
def test_indeterminate_summary_leaves_reasons_out_only_where_it_must(room: int, whole: bool) -> None:
    found = indeterminate(NO_L, NO_P, newest_result=None)
    spare = LONGEST_SUMMARY - len(indeterminate_summary(found, ENGLISH))
    longer = replace(found, cutoff=Decimal("405.08" + "1" * (spare + room)))

    summary = indeterminate_summary(longer, ENGLISH)

    assert ("platelets missing" in summary, ", and 1 more" in summary) == (whole, not whole)


def test_decided_summary_of_an_absurd_cutoff_is_cut_rather_than_too_long() -> None:
    cutoff = Decimal("400." + "1" * 200)

    assert_fits(decided_summary(decided(policy=replace(POLICY, cutoff=cutoff)), ENGLISH))
    assert_fits(indeterminate_summary(indeterminate(*CARRIED[:3], cutoff=cutoff), ENGLISH))


def test_decided_summary_writes_a_cutoff_without_exponent() -> None:
    policy = replace(POLICY, cutoff=Decimal("4E+2"))

    assert "cut-off 400:" in card(decided(policy=policy), policy).summary


@pytest.mark.parametrize("length", [1, 2, 3])
def test_indeterminate_summary_of_any_reasons_fits_and_counts_what_it_leaves_out(length: int) -> None:
    for reasons in combinations(CARRIED, length):
        for dated in (reasons, reasons[:1], ()):
            summary = indeterminate_summary(
                indeterminate(*reasons, taken={r: at(day(n)) for n, r in enumerate(dated)}), ENGLISH
            )
            assert_fits(summary)
            assert "SII" in summary
            assert "405.08" in summary
            assert ENGLISH.short_reasons[reasons[0]] in summary
            assert _named(summary, reasons) + _left_out(summary) == length


def _named(summary: str, reasons: tuple[Reason, ...]) -> int:
    """Count reasons by reading the summary from left to right."""
    place, named = 0, 0
    for reason in reasons:
        found = summary.find(ENGLISH.short_reasons[reason], place)
        if found < 0:
            break
        place, named = found + 1, named + 1
    return named


def _left_out(summary: str) -> int:
    _, found, rest = summary.partition(", and ")
    return int(rest.split()[0]) if found else 0


@given(
    st.lists(st.sampled_from(CARRIED), min_size=1, max_size=12, unique=True),
    st.dictionaries(st.sampled_from(CARRIED), st.dates().map(lambda date: at(date)), max_size=8),
    st.booleans(),
)
def test_indeterminate_summary_of_many_reasons_fits(
    reasons: list[Reason], taken: dict[Reason, object], known: bool
) -> None:
    found = indeterminate(
        *reasons,
        taken={r: t for r, t in taken.items() if r in reasons},  # type: ignore[misc]
        newest_result=TAKEN if known else None,
    )

    summary = indeterminate_summary(found, ENGLISH)

    assert_fits(summary)
    assert ENGLISH.short_reasons[reasons[0]] in summary


NEWER, DRAWN = at("2026-03-08", "07:00"), at("2026-03-05")
START = "SII recurrence risk (cut-off 405.08) could not be assessed: "


@pytest.mark.parametrize(
    ("found", "expected", "reason"),
    [
        (indeterminate(WINDOW, taken={WINDOW: DRAWN}), "too soon after a procedure (blood of 2026-03-05)", "one draw"),
        (
            indeterminate(NO_L, NO_P, taken={NO_L: NEWER, NO_P: NEWER}),
            "lymphocytes missing, platelets missing (blood of 2026-03-08)",
            "a date that reasons share is said once",
        ),
        (
            indeterminate(NO_L, NO_P, Reason.FRACTION_MISLABELLED, taken={NO_L: NEWER, NO_P: NEWER}),
            "lymphocytes missing, platelets missing (blood of 2026-03-08), and 1 more",
            "the date stands by the last reason that fits",
        ),
        (
            indeterminate(WINDOW, NO_L, NO_P, taken={WINDOW: DRAWN, NO_L: NEWER, NO_P: NEWER}),
            "too soon after a procedure (blood of 2026-03-05), and 2 more",
            "each draw by its own date",
        ),
        (
            indeterminate(Reason.ZERO_LYMPHOCYTES, Reason.TRUNCATED, taken={Reason.ZERO_LYMPHOCYTES: DRAWN}),
            "lymphocytes are zero (blood of 2026-03-05), chart not delivered in full",
            "a reason that speaks of no draw",
        ),
        (
            indeterminate(Reason.PROCEDURE_DATE_MISSING, newest_result=NEWER),
            "procedure without a date; newest blood count 2026-03-08",
            "no reason speaks of a draw: the newest blood count",
        ),
        (
            indeterminate(Reason.MISSING_NEUTROPHILS, NO_L, NO_P, newest_result=None),
            "neutrophils missing, lymphocytes missing, platelets missing",
            "no blood at all",
        ),
    ],
)
def test_indeterminate_summary_names_what_is_missing_and_from_when(
    found: Indeterminate, expected: str, reason: str
) -> None:
    assert card(found).summary == START + expected, reason


def test_summary_side_follows_the_outcome() -> None:
    above, not_above = decided(), decided(draw(TAKEN, ("100", "1", "1")))

    assert isinstance(above, AboveCutoff)
    assert " is above " in card(above).summary
    assert " is not above " in card(not_above).summary
