"""The detail: what the number is made of, what it rests on, and what it does not say."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.cards.wording import texts_in
from cds_service.clinical.chart_facts import ProcedureTime
from cds_service.clinical.models import Analyte, BloodDraw, EffectiveTime
from cds_service.clinical.reasons import Reason
from tests.unit.cards.assessments import (
    TAKEN,
    card,
    decided,
    detail,
    draw_of_shares,
    draw_of_units,
    indeterminate,
    reported,
)
from tests.unit.clinical.values import POLICY, at, day, done, draw, result

LOW = ("100", "3", "1.5")


def paragraphs(text: str, start: str) -> list[str]:
    return [paragraph for paragraph in text.split("\n\n") if paragraph.startswith(start)]


def test_detail_of_an_ordinary_card_shows_inputs_and_formula() -> None:
    text = detail(decided(draw_of_units("K/uL", "10*9/L", "10⁹/L")))

    assert "| Platelets | 210 K/uL | 2026-02-18 07:15 CST | LOINC 777-3 |" in text
    assert "| Neutrophils | 6 ×10⁹/L | 2026-02-18 07:15 CST | LOINC 777-3 |" in text
    assert "| Lymphocytes | 1.8 ×10⁹/L | 2026-02-18 07:15 CST | LOINC 777-3 |" in text
    assert "SII = platelets × neutrophils / lymphocytes = 210 × 6 / 1.8 = 700" in text
    assert text.startswith("**SII 700 ×10⁹/L is above the cut-off 405.08 ×10⁹/L.**")
    assert text.endswith("Rule 2.0.0, mappings mappings-1. Decision support for professionals; not a diagnosis.")


def test_detail_of_shares_says_so_and_computes_with_percentages() -> None:
    text = detail(decided(draw_of_shares(("70", "%", "0.70"), ("0.25", "1", "0.25"))))

    assert "| 70 % |" in text
    assert "| 0.25 (read as a fraction: 25 %) |" in text
    assert "= 210 × 70 / 25 = 588" in text
    assert "percentages of the leukocytes" in text
    assert "percentages of the leukocytes" not in detail(decided())


def test_detail_names_a_local_code_without_calling_it_loinc() -> None:
    local = draw(TAKEN)
    origin = local.platelets.origin._replace(system="local", code="PLT*1")
    platelets = local.platelets._replace(origin=origin)

    text = detail(decided(BloodDraw(local.neutrophils, local.lymphocytes, platelets)))

    assert "| PLT\\*1 |" in text


@pytest.mark.parametrize(
    ("draws", "procedures", "expected", "reason"),
    [
        (
            (draw(TAKEN),),
            (at(day(60)),),
            "blood drawn 40 days after the latest interventional procedure (2026-01-09).",
            "after",
        ),
        (
            (draw(at(day(70))),),
            (at(day(60)),),
            "blood drawn 10 days before the latest interventional procedure (2026-01-09).",
            "before",
        ),
        (
            (draw(at(day(61))),),
            (at(day(60)),),
            "blood drawn 1 day before the latest interventional procedure (2026-01-09).",
            "one day",
        ),
        (
            (draw(at(day(60), "07:00")),),
            (at(day(60), "09:00"),),
            "blood drawn on the day of the latest interventional procedure (2026-01-09), before it began.",
            "the same day",
        ),
        (
            (draw(TAKEN),),
            (ProcedureTime(at("2025-12-01"), at("2025-12-31"), "2025-12", "2025-12"),),
            "blood drawn at least 49 days after the latest interventional procedure (2025-12).",
            "known to the month",
        ),
        (
            (draw(TAKEN),),
            (ProcedureTime(at("2025-01-01"), at("2025-12-31"), "2025", "2025"),),
            "blood drawn at least 49 days after the latest interventional procedure (2025).",
            "known to the year",
        ),
        (
            (draw(TAKEN),),
            (done(at("2026-01-09", "22:00"), at("2026-01-10", "02:00")),),
            "blood drawn at least 39 days after the latest interventional procedure (2026-01-09 to 2026-01-10).",
            "a Period",
        ),
        (
            (draw(at("2026-01-08")),),
            (done(at("2026-01-09"), at("2026-01-19")),),
            "blood drawn at most 11 days before the latest interventional procedure (2026-01-09 to 2026-01-19).",
            "before a Period",
        ),
        (
            (draw(TAKEN),),
            (done(at("2026-01-09", "08:00"), at("2026-01-09", "12:00")),),
            "blood drawn 40 days after the latest interventional procedure (2026-01-09).",
            "a Period of hours",
        ),
        ((draw(TAKEN),), (), "blood drawn 2026-02-18 07:15 CST; the chart dates no interventional procedure.", "none"),
    ],
)
def test_detail_tells_the_timing(
    draws: tuple[BloodDraw, ...], procedures: tuple[EffectiveTime | ProcedureTime, ...], expected: str, reason: str
) -> None:
    (timing,) = paragraphs(detail(decided(*draws, procedures=procedures)), "**Timing:**")

    assert expected in timing, reason
    assert "derived, not published" in timing, reason


@pytest.mark.parametrize(
    ("draws", "expected", "reason"),
    [
        ((draw(TAKEN), draw(at(day(70)), LOW)), ["**Before the procedure:** SII 200 on 2025-12-30."], "baseline"),
        ((draw(TAKEN), draw(at(day(25)), LOW)), ["**Earlier:** SII 200 on 2026-02-13."], "an older draw"),
        (
            (draw(TAKEN), draw(at(day(25)), LOW), draw(at(day(70)))),
            ["**Earlier:** SII 200 on 2026-02-13.", "**Before the procedure:** SII 700 on 2025-12-30."],
            "both",
        ),
        ((draw(TAKEN),), [], "none"),
    ],
)
def test_detail_tells_earlier_sii(draws: tuple[BloodDraw, ...], expected: list[str], reason: str) -> None:
    text = detail(decided(*draws))

    assert paragraphs(text, "**Earlier:**") + paragraphs(text, "**Before the procedure:**") == expected, reason


@pytest.mark.parametrize(
    ("platelets", "near", "reason"),
    [
        ("490.08", True, "85 above"),
        ("490.081", False, "85.001 above"),
        ("320.08", True, "85 below"),
        ("320.079", False, "85.001 below"),
        ("405.08", True, "the cut-off itself"),
    ],
)
def test_detail_near_the_cutoff_says_that_imprecision_decides(platelets: str, near: bool, reason: str) -> None:
    found = paragraphs(detail(decided(draw(TAKEN, (platelets, "1", "1")))), "**Close to the cut-off:**")

    assert bool(found) is near, reason
    assert not near or "50–85 (derived, not published)" in found[0], reason


@pytest.mark.parametrize(
    ("cutoff", "note", "reason"),
    [
        ("405.08", False, "the published one"),
        ("405.080", False, "the published one, written longer"),
        ("330", True, "another one"),
    ],
)
def test_detail_says_when_the_cutoff_is_the_sites_own(cutoff: str, note: bool, reason: str) -> None:
    policy = replace(POLICY, cutoff=Decimal(cutoff), cutoff_source="Audit of 2024, n = 120")

    found = paragraphs(detail(decided(policy=policy), policy), "**The cut-off")

    assert bool(found) is note, reason
    assert not note or found == [
        "**The cut-off 330 was set by this site (Audit of 2024, n = 120); the published cut-off is 405.08.**"
    ], reason


@pytest.mark.parametrize(
    ("days_from_draw", "outside", "reason"),
    [(0, "", "the same day"), (7, "", "within"), (8, "taken 8 days from the blood counts", "outside")],
)
def test_detail_shows_albumin_with_its_date(days_from_draw: int, outside: str, reason: str) -> None:
    albumin = result(Analyte.ALBUMIN, "38", at(day(20 + days_from_draw)))

    (found,) = paragraphs(detail(decided(albumin=[albumin])), "**Albumin**")

    assert found.startswith(f"**Albumin** 38 g/L, {day(20 + days_from_draw)}; not part of SII."), reason
    assert ("from the blood counts" in found) is bool(outside), reason
    assert outside in found, reason


def test_detail_one_day_is_no_days() -> None:
    policy = replace(POLICY, albumin_window_days=0)

    text = detail(decided(albumin=[result(Analyte.ALBUMIN, "38", at(day(21)))], policy=policy), policy)

    assert "taken 1 day from the blood counts" in text


def test_detail_without_albumin_says_so() -> None:
    assert paragraphs(detail(decided()), "**Albumin") == ["**Albumin:** no usable result in the data."]


def test_detail_molar_albumin_is_approximate() -> None:
    albumin = reported(Analyte.ALBUMIN, "612", "umol/L", "40.698")

    assert "**Albumin** approximately 40.7 g/L (reported as 612 umol/L)" in detail(decided(albumin=[albumin]))


@pytest.mark.parametrize("truncated", [True, False])
def test_detail_of_a_truncated_chart_says_what_may_be_missing(truncated: bool) -> None:
    text = detail(decided(pages_missing=truncated))

    assert ("a newer blood draw, a later procedure or a recurrence may be missing" in text) is truncated


def test_detail_advice_follows_the_side_of_the_cutoff() -> None:
    above, not_above = detail(decided()), detail(decided(draw(TAKEN, LOW)))

    assert "**Consider** whether" in above
    assert "**Consider** whether" not in not_above
    assert "Low platelets" in not_above
    assert "Low platelets" not in above
    assert "This does not mean that the risk of recurrence is small." in not_above


WINDOW, NO_P = Reason.POST_PROCEDURE_WINDOW, Reason.MISSING_PLATELETS


EVERY_CARD = [
    decided(),
    decided(draw(TAKEN, LOW)),
    decided(draw(TAKEN, ("405.08", "1", "1")), draw(at(day(70))), albumin=[result(Analyte.ALBUMIN, "38", TAKEN)]),
    indeterminate(*texts_in("en").short_reasons, taken={WINDOW: TAKEN}),
]


@pytest.mark.parametrize("assessment", EVERY_CARD)
def test_card_says_nothing_without_a_source(assessment: object) -> None:
    found = card(assessment)  # type: ignore[arg-type]
    text = f"{found.summary}\n{found.detail}".lower()

    # Neither a probability of this patient, nor figures derived but not published, nor an order.
    for word in (
        "low risk", "low-risk", "% risk", "% chance", "probability", "sensitivity", "specificity", "ppv", "npv",
        "odds", "hazard", "relative risk", "likelihood", "percentile", "3.16", "should", "must ",
        "recommend", "critical", "months",
    ):  # fmt: skip
        assert word not in text, word
    percentages = re.findall(r"\d+(?:\.\d+)? ?%", text)
    assert set(percentages) <= {"95 %"}
    assert found.indicator in {"info", "warning"}
