"""Why no draw decides, and when the blood was taken that a reason speaks of."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.clinical.assessment import assess
from cds_service.clinical.indeterminate import has_segmented_alone
from cds_service.clinical.models import Analyte, Basis, BloodCounts, EffectiveTime, ExcludedResult, LabResult
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii
from tests.unit.clinical.values import NOW, POLICY, at, day, done, draw, eligible, excluded, result

PLATELETS, NEUTROPHILS, LYMPHOCYTES = Analyte.PLATELETS, Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES
NO_N, NO_L, NO_P = Reason.MISSING_NEUTROPHILS, Reason.MISSING_LYMPHOCYTES, Reason.MISSING_PLATELETS
WINDOW, STALE, BASELINE = Reason.POST_PROCEDURE_WINDOW, Reason.STALE, Reason.OUTSIDE_BASELINE_WINDOW
NO_DRAW, MIXED, UNIT = Reason.NO_COMPLETE_DRAW, Reason.MIXED_BASIS, Reason.UNIT_UNKNOWN

PROCEDURE = at(day(20))
DRAWN, NEWER = at(day(5), "07:00"), at(day(2), "07:00")
P_NEWER = result(PLATELETS, "210", NEWER)
N_NEWER = result(NEUTROPHILS, "6", NEWER)
L_NEWER = result(LYMPHOCYTES, "1.8", NEWER)
L_SHARE_NEWER = result(LYMPHOCYTES, "0.2", NEWER, basis=Basis.PERCENT)


def indeterminate(counts: BloodCounts, *procedures: EffectiveTime, undated: int = 0) -> Indeterminate:
    found = assess(compute_sii, eligible(*procedures, undated=undated), counts, (), POLICY, NOW)
    assert isinstance(found, Indeterminate)
    return found


@pytest.mark.parametrize(
    ("usable", "not_usable", "pairing", "expected", "reason"),
    [
        ((), (), (), (NO_N, NO_L, NO_P), "nothing at all"),
        ((P_NEWER,), (), (), (NO_N, NO_L), "platelets alone"),
        ((P_NEWER, N_NEWER), (), (), (NO_L,), "no lymphocytes"),
        ((N_NEWER, L_NEWER), (), (), (NO_P,), "no platelets"),
        ((P_NEWER, L_NEWER), (), (), (NO_N,), "no neutrophils"),
        ((P_NEWER, N_NEWER, L_NEWER), (), (), (NO_DRAW,), "all three, hours apart"),
        ((P_NEWER, N_NEWER, L_SHARE_NEWER), (), (MIXED,), (NO_DRAW, MIXED), "a count beside a percentage"),
        (
            (P_NEWER, N_NEWER, result(LYMPHOCYTES, "0.2", at(day(9)), basis=Basis.PERCENT)),
            (),
            (),
            (NO_DRAW,),
            "a count and a percentage of two draws: it is not the basis that keeps them apart",
        ),
        (
            (P_NEWER, N_NEWER, L_SHARE_NEWER, result(LYMPHOCYTES, "1.8", at(day(9)))),
            (),
            (MIXED,),
            (NO_DRAW, MIXED),
            "nor does a count of another draw bring those of one draw together",
        ),
        (
            (P_NEWER, N_NEWER),
            (excluded(LYMPHOCYTES, UNIT, NEWER),),
            (),
            (NO_L, UNIT),
            "what was excluded gives its own reason beside what is missing for it",
        ),
        (
            (P_NEWER,),
            (excluded(LYMPHOCYTES, UNIT), excluded(NEUTROPHILS, Reason.COMPARATOR)),
            (),
            (NO_N, NO_L, Reason.COMPARATOR, UNIT),
            "reasons of exclusions in the order of the alphabet",
        ),
        ((P_NEWER, N_NEWER), (excluded(PLATELETS, UNIT),), (), (NO_L,), "an exclusion of what is there led nowhere"),
        ((P_NEWER, N_NEWER), (excluded(None, Reason.MALFORMED),), (), (NO_L, Reason.MALFORMED), "it may have been any"),
        ((P_NEWER, N_NEWER), (excluded(Analyte.ALBUMIN, UNIT),), (), (NO_L,), "albumin is no blood count"),
        (
            (P_NEWER, N_NEWER, L_NEWER),
            (excluded(Analyte.ALBUMIN, UNIT), excluded(PLATELETS, Reason.STATUS_NOT_ACCEPTED)),
            (),
            (NO_DRAW, Reason.STATUS_NOT_ACCEPTED),
            "an exclusion may be what the draw lacks",
        ),
        (
            (),
            (excluded(PLATELETS, UNIT), excluded(PLATELETS, UNIT)),
            (),
            (NO_N, NO_L, NO_P, UNIT),
            "each reason once",
        ),
    ],
)
def test_reasons_without_any_complete_draw(
    usable: tuple[LabResult, ...],
    not_usable: tuple[ExcludedResult, ...],
    pairing: tuple[Reason, ...],
    expected: tuple[Reason, ...],
    reason: str,
) -> None:
    counts = BloodCounts(unpaired=usable, pairing_reasons=pairing, excluded=not_usable)

    assert indeterminate(counts, PROCEDURE).reasons == expected, reason


@pytest.mark.parametrize(
    ("usable", "not_usable", "expected", "reason"),
    [
        ((), (), (WINDOW,), "the draw alone"),
        ((P_NEWER,), (), (WINDOW, NO_N, NO_L), "newer platelets without their differential"),
        ((result(PLATELETS, "1", at(day(9))),), (), (WINDOW,), "what is older is not the question"),
        ((result(PLATELETS, "1", DRAWN),), (), (WINDOW,), "nor what is as old"),
        ((), (excluded(LYMPHOCYTES, UNIT, NEWER),), (WINDOW, NO_L, UNIT), "a newer one that was excluded"),
        ((), (excluded(LYMPHOCYTES, UNIT, at(day(9))),), (WINDOW,), "an older one that was excluded"),
        ((), (excluded(LYMPHOCYTES, UNIT, DRAWN),), (WINDOW,), "one of the same draw"),
        (
            (),
            (excluded(PLATELETS, Reason.NO_EFFECTIVE_TIME),),
            (WINDOW, NO_P, Reason.NO_EFFECTIVE_TIME),
            "an exclusion without a time may be newer",
        ),
        ((), (excluded(Analyte.ALBUMIN, UNIT, NEWER),), (WINDOW,), "albumin is no blood count"),
        ((P_NEWER, N_NEWER, L_NEWER), (), (WINDOW, NO_DRAW), "newer ones, hours apart"),
        ((P_NEWER, N_NEWER, L_SHARE_NEWER), (), (WINDOW, NO_DRAW, MIXED), "newer ones on two bases"),
        (
            (P_NEWER, N_NEWER, L_NEWER, L_SHARE_NEWER),
            (),
            (WINDOW, NO_DRAW),
            "one basis holds both: it is not the basis that keeps them apart",
        ),
        (
            (P_NEWER, N_NEWER),
            (excluded(LYMPHOCYTES, Reason.FRACTION_MISLABELLED, NEWER), excluded(PLATELETS, UNIT, NEWER)),
            (WINDOW, NO_L, Reason.FRACTION_MISLABELLED),
            "the reason of what is missing, not of what is there",
        ),
    ],
)
def test_reasons_beside_a_complete_draw_at_the_wrong_time(
    usable: tuple[LabResult, ...], not_usable: tuple[ExcludedResult, ...], expected: tuple[Reason, ...], reason: str
) -> None:
    counts = BloodCounts(draws=(draw(DRAWN),), unpaired=usable, excluded=not_usable, pairing_reasons=(UNIT,))

    assert indeterminate(counts, PROCEDURE).reasons == expected, reason


@pytest.mark.parametrize(
    ("ages", "procedure_age", "expected", "reason"),
    [
        ((91,), 200, (STALE,), "too old"),
        ((31,), 10, (WINDOW,), "too soon after an earlier procedure"),
        ((41, 45), 10, (BASELINE,), "too long before: said once"),
        ((5, 60), 20, (WINDOW, BASELINE), "newest first"),
        ((95, 190, 240), 200, (STALE, WINDOW, BASELINE), "each wrong in its own way"),
    ],
)
def test_reasons_of_complete_draws_are_their_refusals(
    ages: tuple[int, ...], procedure_age: int, expected: tuple[Reason, ...], reason: str
) -> None:
    procedures = (at(day(procedure_age)), at(day(40))) if reason.startswith("too soon") else (at(day(procedure_age)),)

    found = indeterminate(BloodCounts(tuple(draw(at(day(age))) for age in ages)), *procedures)

    assert found.reasons == expected, reason
    assert found.newest_draw is not None
    assert found.newest_draw.draw.effective == at(day(ages[0]))


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (BloodCounts((draw(DRAWN),)), "a draw that could be read"),
        (BloodCounts((draw(DRAWN, ("1", "1", "1"), Reason.CONFLICTING_RESULTS),)), "a draw with a problem"),
        (BloodCounts(unpaired=(P_NEWER,)), "an incomplete draw"),
        (BloodCounts(), "no blood at all"),
    ],
)
def test_reasons_where_no_procedure_is_dated_are_that_alone(counts: BloodCounts, reason: str) -> None:
    found = indeterminate(counts, undated=1)

    assert (found.reasons, dict(found.taken)) == ((Reason.PROCEDURE_DATE_MISSING,), {}), reason
    assert found.latest_procedure is None, reason


def test_undated_procedure_beside_a_dated_one_does_not_hinder() -> None:
    found = assess(compute_sii, eligible(at(day(60)), undated=1), BloodCounts((draw(DRAWN),)), (), POLICY, NOW)

    assert isinstance(found, AboveCutoff)


@pytest.mark.parametrize(
    ("counts", "expected", "reason"),
    [
        (BloodCounts((draw(DRAWN),)), {WINDOW: DRAWN}, "a refusal by its draw"),
        (
            BloodCounts((draw(DRAWN), draw(at(day(9)))), unpaired=(P_NEWER,)),
            {WINDOW: DRAWN, NO_N: NEWER, NO_L: NEWER},
            "the newest draw so refused; what is missing by what it is missing beside",
        ),
        (
            BloodCounts(unpaired=(P_NEWER, N_NEWER, L_SHARE_NEWER), pairing_reasons=(MIXED,)),
            {NO_DRAW: NEWER, MIXED: NEWER},
            "by the newest result",
        ),
        (BloodCounts(), {}, "nothing to date it by"),
        (
            BloodCounts(excluded=(excluded(PLATELETS, UNIT, NEWER),)),
            {NO_N: NEWER, NO_L: NEWER, NO_P: NEWER},
            "an excluded result tells when blood was taken; its own reason may stand for several draws",
        ),
        (
            BloodCounts((draw(DRAWN),), excluded=(excluded(PLATELETS, Reason.NO_EFFECTIVE_TIME),)),
            {WINDOW: DRAWN},
            "nobody knows when what is missing was taken",
        ),
        (
            BloodCounts(
                (draw(DRAWN),),
                unpaired=(result(NEUTROPHILS, "6", at(day(9))),),
                excluded=(excluded(PLATELETS, Reason.NO_EFFECTIVE_TIME),),
            ),
            {WINDOW: DRAWN},
            "nor does what is older than the draw tell it",
        ),
        (
            BloodCounts(excluded=(excluded(PLATELETS, Reason.SUBJECT_MISMATCH, NEWER),)),
            {},
            "the blood of another patient dates nothing",
        ),
    ],
)
def test_reasons_are_dated_by_the_blood_they_speak_of(
    counts: BloodCounts, expected: dict[Reason, EffectiveTime], reason: str
) -> None:
    assert dict(indeterminate(counts, PROCEDURE).taken) == expected, reason


OTHER_PATIENT = excluded(PLATELETS, Reason.SUBJECT_MISMATCH, at(day(1)))


@pytest.mark.parametrize(
    ("counts", "expected", "reason"),
    [
        (BloodCounts(), None, "none"),
        (BloodCounts((draw(DRAWN), draw(at(day(9))))), DRAWN, "the newest complete draw"),
        (BloodCounts((draw(DRAWN),), unpaired=(P_NEWER,)), NEWER, "a newer single result"),
        (BloodCounts((draw(DRAWN),), excluded=(excluded(None, UNIT, NEWER),)), NEWER, "a newer one not used"),
        (BloodCounts((draw(DRAWN),), excluded=(excluded(None, UNIT),)), DRAWN, "one without a time tells nothing"),
        (BloodCounts((draw(DRAWN),), excluded=(excluded(Analyte.ALBUMIN, UNIT, NEWER),)), DRAWN, "no blood count"),
        (BloodCounts((draw(DRAWN),), excluded=(OTHER_PATIENT,)), DRAWN, "the blood of another patient"),
        (BloodCounts(unpaired=(result(PLATELETS, "1", at(day(2))), P_NEWER)), NEWER, "a time is newer than its day"),
        (BloodCounts((draw(at(day(2))),), unpaired=(P_NEWER,)), NEWER, "also than the day of a complete draw"),
    ],
)
def test_newest_result_is_the_patients_newest_of_any_use(
    counts: BloodCounts, expected: EffectiveTime | None, reason: str
) -> None:
    assert indeterminate(counts, PROCEDURE).newest_result == expected, reason


def test_indeterminate_tells_cutoff_and_latest_procedure() -> None:
    policy = replace(POLICY, cutoff=Decimal("500"))

    found = assess(compute_sii, eligible(PROCEDURE, at(day(200))), BloodCounts(), (), policy, NOW)

    assert isinstance(found, Indeterminate)
    assert (found.outcome, found.cutoff, found.latest_procedure) == ("indeterminate", Decimal("500"), done(PROCEDURE))


def test_exclusions_count_results_by_reason_in_the_order_of_the_alphabet() -> None:
    counts = BloodCounts(
        excluded=(
            excluded(PLATELETS, UNIT),
            excluded(Analyte.ALBUMIN, Reason.COMPARATOR),
            excluded(NEUTROPHILS, UNIT),
        )
    )

    assert list(indeterminate(counts, PROCEDURE).exclusions.items()) == [(Reason.COMPARATOR, 1), (UNIT, 2)]


SEGMENTED_NEWER, BANDS_NEWER = result(Analyte.SEGMENTED, "5", NEWER), result(Analyte.BANDS, "1", NEWER)


@pytest.mark.parametrize(
    ("usable", "expected", "reason"),
    [
        ((P_NEWER, L_NEWER, SEGMENTED_NEWER), True, "segmented forms without band forms"),
        ((P_NEWER, L_NEWER, BANDS_NEWER), False, "band forms alone"),
        ((P_NEWER, L_NEWER), False, "neither"),
        ((L_NEWER, SEGMENTED_NEWER, BANDS_NEWER), False, "both: platelets are missing"),
        ((N_NEWER, L_NEWER, SEGMENTED_NEWER), False, "a total beside them: platelets are missing"),
    ],
)
def test_segmented_neutrophils_alone_are_said(usable: tuple[LabResult, ...], expected: bool, reason: str) -> None:
    counts = BloodCounts((), unpaired=usable)

    assert indeterminate(counts, PROCEDURE).segmented_alone is expected, reason


@pytest.mark.parametrize(
    ("usable", "expected", "reason"),
    [
        ((SEGMENTED_NEWER,), True, "segmented forms"),
        ((BANDS_NEWER,), False, "band forms"),
        ((SEGMENTED_NEWER, BANDS_NEWER), False, "both"),
        ((), False, "neither"),
    ],
)
def test_segmented_forms_lack_their_band_forms(usable: tuple[LabResult, ...], expected: bool, reason: str) -> None:
    assert has_segmented_alone(BloodCounts((), unpaired=usable)) is expected, reason


@pytest.mark.parametrize(
    ("found", "expected", "reason"),
    [
        (at(day(5), "07:00"), True, "in the blood of the draw"),
        (at(day(5), "08:00"), True, "an hour later"),
        (at(day(5), "06:00"), True, "an hour earlier"),
        (at(day(5)), True, "of the same day, at no known hour"),
        (at(day(5), "08:01"), False, "later"),
        (at(day(5), "05:59"), False, "earlier"),
        (at(day(6)), False, "of the day before"),
        (at(day(4)), False, "of the day after"),
    ],
)
def test_clumps_unreadable_in_the_blood_that_decides_are_said(
    found: EffectiveTime, expected: bool, reason: str
) -> None:
    counts = BloodCounts((draw(DRAWN),), unreadable_clumps=(found,))

    decided = assess(compute_sii, eligible(at(day(60))), counts, (), POLICY, NOW)

    assert isinstance(decided, AboveCutoff)
    assert decided.clumps_unreadable is expected, reason
