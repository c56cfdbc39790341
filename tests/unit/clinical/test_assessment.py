"""Which draw decides, and what stands beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cds_service.clinical.assessment import assess, refuse_ineligible
from cds_service.clinical.models import Analyte, BloodCounts, BloodDraw, EffectiveTime, Reading
from cds_service.clinical.outcomes import AboveCutoff, Assessment, Indeterminate, NotAboveCutoff, NotEligible
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii
from cds_service.clinical.timing import Relation
from tests.unit.clinical.values import NOW, POLICY, at, day, done, draw, eligible, excluded, result

PROCEDURE = at(day(60))
HIGH, LOW = ("210", "6", "1.8"), ("100", "3", "1.5")
BASELINE, LATER, NEWEST = at(day(70)), at(day(20)), at(day(3))
STALE = Reason.STALE
WINDOW = Reason.POST_PROCEDURE_WINDOW


def assessed(*draws: BloodDraw, procedures: tuple[EffectiveTime, ...] = (PROCEDURE,)) -> Assessment:
    return assess(compute_sii, eligible(*procedures), BloodCounts(draws), (), POLICY, NOW)


@pytest.mark.parametrize(
    ("draws", "taken", "relation", "days", "reason"),
    [
        ((draw(NEWEST), draw(LATER)), NEWEST, Relation.AFTER, 57, "the newest after the procedure"),
        ((draw(LATER), draw(BASELINE)), LATER, Relation.AFTER, 40, "after goes before baseline"),
        ((draw(BASELINE), draw(at(day(80)))), BASELINE, Relation.BEFORE, 10, "the newest baseline"),
        ((draw(at(day(50))), draw(BASELINE)), BASELINE, Relation.BEFORE, 10, "too soon: the baseline serves"),
        ((draw(at(day(33))), draw(at(day(32)))), at(day(32)), Relation.AFTER, 28, "27 and 28 days after"),
    ],
)
def test_assessment_is_made_from_the_newest_usable_draw(
    draws: tuple[BloodDraw, ...], taken: EffectiveTime, relation: Relation, days: int, reason: str
) -> None:
    newest_first = sorted(draws, key=lambda d: d.effective.order, reverse=True)

    found = assessed(*newest_first)

    assert isinstance(found, AboveCutoff), reason
    assert (found.timed.draw.effective, found.timed.relation, found.timed.days) == (taken, relation, days), reason
    assert (found.sii, found.cutoff, found.latest_procedure) == (Decimal("700.000"), POLICY.cutoff, done(PROCEDURE))


def test_assessment_with_a_stale_draw_falls_back_on_the_baseline() -> None:
    procedure = at(day(200))

    found = assessed(draw(at(day(91))), draw(at(day(205))), procedures=(procedure,))

    assert isinstance(found, AboveCutoff)
    assert found.timed.draw.effective == at(day(205))


@pytest.mark.parametrize(
    ("values", "outcome", "sii"),
    [
        (HIGH, "above-cutoff", "700.000"),
        (LOW, "not-above-cutoff", "200.000"),
        (("405.08", "1", "1"), "not-above-cutoff", "405.080"),
        (("405.081", "1", "1"), "above-cutoff", "405.081"),
    ],
)
def test_assessment_outcome_names_the_side_of_the_cutoff(values: tuple[str, str, str], outcome: str, sii: str) -> None:
    found = assessed(draw(LATER, values))

    assert isinstance(found, AboveCutoff | NotAboveCutoff)
    assert (found.outcome, f"{found.sii}") == (outcome, sii)


def test_assessment_uses_the_cutoff_of_the_site() -> None:
    policy = replace(POLICY, cutoff=Decimal("700"))

    found = assess(compute_sii, eligible(PROCEDURE), BloodCounts((draw(LATER),)), (), policy, NOW)

    assert (found.outcome, found.cutoff) == ("not-above-cutoff", Decimal("700"))


PROBLEMS = (Reason.ZERO_LYMPHOCYTES, Reason.CONFLICTING_RESULTS, Reason.DIFFERENTIAL_INCONSISTENT)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(
    ("newest", "older", "reason"),
    [
        (LATER, BASELINE, "a sound baseline"),
        (NEWEST, LATER, "a sound later draw"),
        (BASELINE, at(day(80)), "a sound older baseline"),
    ],
)
def test_assessment_newest_problem_is_never_hidden_behind_an_older_draw(
    problem: Reason, newest: EffectiveTime, older: EffectiveTime, reason: str
) -> None:
    found = assessed(draw(newest, HIGH, problem), draw(older))

    assert isinstance(found, Indeterminate), reason
    assert (found.reasons, dict(found.taken)) == ((problem,), {problem: newest}), reason


@pytest.mark.parametrize("problem", PROBLEMS)
def test_assessment_older_problem_does_not_hinder_a_newer_sound_draw(problem: Reason) -> None:
    found = assessed(draw(NEWEST), draw(LATER, HIGH, problem), draw(BASELINE, HIGH, problem))

    assert isinstance(found, AboveCutoff)
    assert found.earlier == ()


def test_assessment_problem_of_the_baseline_is_dated_by_the_baseline() -> None:
    found = assessed(draw(at(day(50))), draw(BASELINE, HIGH, Reason.ZERO_LYMPHOCYTES))

    assert isinstance(found, Indeterminate)
    assert dict(found.taken) == {Reason.ZERO_LYMPHOCYTES: BASELINE}
    assert found.newest_draw is not None
    assert found.newest_draw.draw.effective == at(day(50))


def test_assessment_newer_incomplete_draw_leaves_the_older_complete_one_deciding() -> None:
    counts = BloodCounts(
        draws=(draw(LATER),),
        unpaired=(result(Analyte.PLATELETS, "300", NEWEST),),
        excluded=(excluded(Analyte.LYMPHOCYTES, Reason.UNIT_UNKNOWN, NEWEST),),
    )

    found = assess(compute_sii, eligible(PROCEDURE), counts, (), POLICY, NOW)

    assert isinstance(found, AboveCutoff)
    assert found.timed.draw.effective == LATER
    assert dict(found.exclusions) == {Reason.UNIT_UNKNOWN: 1}


@pytest.mark.parametrize(
    ("draws", "earlier", "reason"),
    [
        (((LATER, HIGH), (BASELINE, LOW)), [("200.000", BASELINE, True)], "the baseline beside the later draw"),
        (
            ((NEWEST, HIGH), (LATER, ("100", "3", "3")), (BASELINE, LOW)),
            [("100.000", LATER, False), ("200.000", BASELINE, True)],
            "the draw before, and the baseline",
        ),
        (((NEWEST, HIGH), (LATER, LOW)), [("200.000", LATER, False)], "no baseline"),
        (((NEWEST, HIGH), (LATER, LOW), (at(day(25)), HIGH)), [("200.000", LATER, False)], "the one before it alone"),
        (((LATER, HIGH), (at(day(50)), LOW)), [], "a draw of the excluded days is never shown"),
        (((LATER, HIGH), (at(day(100)), LOW)), [("200.000", at(day(100)), False)], "long before: earlier, no baseline"),
        (
            ((BASELINE, HIGH), (at(day(80)), LOW)),
            [("200.000", at(day(80)), True)],
            "beside a baseline that decides, the one before it",
        ),
        (((LATER, HIGH),), [], "nothing older"),
    ],
)
def test_assessment_shows_earlier_sii(
    draws: tuple[tuple[EffectiveTime, tuple[str, str, str]], ...],
    earlier: list[tuple[str, EffectiveTime, bool]],
    reason: str,
) -> None:
    found = assessed(*(draw(taken, values) for taken, values in draws))

    assert isinstance(found, AboveCutoff), reason
    assert [(f"{e.sii}", e.effective, e.baseline) for e in found.earlier] == earlier, reason


def read_otherwise(taken: EffectiveTime, *neutrophils: str) -> BloodDraw:
    """Build a draw of SII 700 with further readings of these neutrophils beside 1.8 lymphocytes and 210 platelets."""
    first = draw(taken)
    others = tuple(Reading(result(Analyte.NEUTROPHILS, n, taken), first.lymphocytes, False) for n in neutrophils)
    return BloodDraw(first.neutrophils, first.lymphocytes, first.platelets, (), others)


def test_assessment_of_readings_on_both_sides_is_indeterminate_and_names_them() -> None:
    found = assessed(read_otherwise(LATER, "5", "3"))

    assert isinstance(found, Indeterminate)
    assert found.reasons == (Reason.DIFFERENTIAL_INCONSISTENT,)
    assert [f"{reading.sii}" for reading in found.readings] == ["700.000", "583.333", "350.000"]


@pytest.mark.parametrize("older", [at(day(40)), BASELINE, at(day(100))])
def test_assessment_shows_no_earlier_sii_whose_readings_disagree(older: EffectiveTime) -> None:
    agreeing, disagreeing = (assessed(draw(LATER), read_otherwise(older, n)) for n in ("5", "3"))

    assert isinstance(agreeing, AboveCutoff)
    assert isinstance(disagreeing, AboveCutoff)
    assert len(disagreeing.earlier) == 0
    assert len(agreeing.earlier) == (older != at(day(40)))


def test_earlier_sii_carries_the_origins_of_its_results() -> None:
    older = draw(BASELINE, name="older")

    found = assessed(draw(LATER), older)

    assert isinstance(found, AboveCutoff)
    assert [earlier.origins for earlier in found.earlier] == [tuple(r.origin for r in older.results)]


def test_assessment_baseline_with_a_problem_is_not_shown_but_the_one_before_it() -> None:
    found = assessed(draw(LATER), draw(BASELINE, HIGH, Reason.ZERO_LYMPHOCYTES), draw(at(day(80)), LOW))

    assert isinstance(found, AboveCutoff)
    assert [(e.effective, e.baseline) for e in found.earlier] == [(at(day(80)), True)]


def test_assessment_day_is_that_of_the_site() -> None:
    # In UTC it is still the day before, when the draw was 90 days old.
    now = datetime(2026, 3, 9, 16, 30, tzinfo=UTC)

    found = assess(compute_sii, eligible(at(day(200))), BloodCounts((draw(at(day(91))),)), (), POLICY, now)

    assert isinstance(found, Indeterminate)
    assert found.reasons == (STALE,)


def test_assessment_with_albumin_shows_it_and_decides_without_it() -> None:
    albumin = result(Analyte.ALBUMIN, "38", LATER)

    found = assess(compute_sii, eligible(PROCEDURE), BloodCounts((draw(LATER),)), [albumin], POLICY, NOW)

    assert isinstance(found, AboveCutoff)
    assert found.albumin is not None
    assert (found.albumin.result, f"{found.sii}") == (albumin, "700.000")


@pytest.mark.parametrize(
    ("counts_truncated", "pages_missing", "truncated", "reason"),
    [
        (False, False, False, "all was delivered"),
        (True, False, True, "a page of blood counts is missing: there may be a newer draw"),
        (False, True, True, "a page of conditions or procedures is missing: there may be a recurrence"),
        (True, True, True, "both"),
    ],
)
def test_assessment_of_a_truncated_chart_says_so(
    counts_truncated: bool, pages_missing: bool, truncated: bool, reason: str
) -> None:
    decided = BloodCounts((draw(LATER),), truncated=counts_truncated)
    nothing = BloodCounts(truncated=counts_truncated)

    found = assess(compute_sii, eligible(PROCEDURE), decided, (), POLICY, NOW, pages_missing=pages_missing)
    missing = assess(compute_sii, eligible(PROCEDURE), nothing, (), POLICY, NOW, pages_missing=pages_missing)

    assert isinstance(found, AboveCutoff), reason
    assert found.truncated is truncated, reason
    assert found.reasons == ((Reason.TRUNCATED,) if truncated else ()), reason
    assert isinstance(missing, Indeterminate), reason
    assert (missing.reasons[-1] is Reason.TRUNCATED) is truncated, reason
    assert missing.reasons.count(Reason.TRUNCATED) == truncated, reason


@pytest.mark.parametrize("doubts", [(), (Reason.MALFORMED,), (Reason.MALFORMED, Reason.TRUNCATED)])
def test_refusal_names_its_reason_first_and_then_the_doubts(doubts: tuple[Reason, ...]) -> None:
    found = refuse_ineligible(Reason.NO_PRIMARY_LIVER_CANCER, doubts, POLICY)

    assert found == NotEligible(cutoff=POLICY.cutoff, reasons=(Reason.NO_PRIMARY_LIVER_CANCER, *doubts))
    assert found.outcome == "not-eligible"
