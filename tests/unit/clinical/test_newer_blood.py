"""Blood newer than the draw that decided: named with its day and the reasons why it was not used."""

from __future__ import annotations

import pytest

from cds_service.clinical.assessment import assess
from cds_service.clinical.models import Analyte, BloodCounts, EffectiveTime, ExcludedResult, LabResult
from cds_service.clinical.outcomes import AboveCutoff, Doubts, UnusedBlood
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii
from tests.unit.clinical.values import NOW, POLICY, at, day, draw, eligible, excluded, result

TAKEN = at(day(20), "07:15")
N, L, P = Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS
NO_N, NO_L, NO_P = Reason.MISSING_NEUTROPHILS, Reason.MISSING_LYMPHOCYTES, Reason.MISSING_PLATELETS
UNIT, MALFORMED, WINDOW = Reason.UNIT_UNKNOWN, Reason.MALFORMED, Reason.POST_PROCEDURE_WINDOW
LATER, LATEST = at(day(3), "08:00"), at(day(2), "08:00")
ALBUMIN = excluded(Analyte.ALBUMIN, UNIT, LATER)


def doubts(counts: BloodCounts, *procedures: EffectiveTime) -> Doubts:
    found = assess(compute_sii, eligible(*procedures or (at(day(60)),)), counts, (), POLICY, NOW)
    assert isinstance(found, AboveCutoff)
    return found.doubts


def of(taken: EffectiveTime, *reasons: Reason) -> tuple[UnusedBlood, ...]:
    return tuple(UnusedBlood(reason, taken) for reason in reasons)


@pytest.mark.parametrize(
    ("unpaired", "unused", "expected", "reason"),
    [
        ((), (), (), "nothing newer"),
        ((result(P, "200", LATER),), (), of(LATER, NO_N, NO_L), "platelets alone"),
        (
            (result(P, "200", LATER), result(N, "4", LATER)),
            (excluded(L, UNIT, LATER),),
            of(LATER, NO_L, UNIT),
            "one of three has an odd unit",
        ),
        ((), (excluded(P, UNIT, LATER),), of(LATER, NO_P, UNIT), "an odd unit alone"),
        (
            (),
            (excluded(P, UNIT, LATER), excluded(N, Reason.COMPARATOR, LATEST)),
            of(LATEST, NO_N, NO_P, Reason.COMPARATOR) + of(LATER, UNIT),
            "each reason has its day",
        ),
        ((), (excluded(None, MALFORMED, LATER),), of(LATER, MALFORMED), "of no known test"),
        (
            (),
            (excluded(P, UNIT, LATER), excluded(P, UNIT, at(day(3)))),
            of(LATER, NO_P, UNIT),
            "of one day, at an hour and at no known hour: the hour is told",
        ),
        (
            (result(P, "200", LATER), result(N, "4", at(day(5))), result(L, "1", at(day(7)))),
            (),
            of(LATER, Reason.NO_COMPLETE_DRAW),
            "all three, days apart",
        ),
        ((), (excluded(P, UNIT, at(day(20), "08:15")),), (), "an hour later: of the same draw"),
        (
            (),
            (excluded(P, UNIT, at(day(20), "08:16")),),
            of(at(day(20), "08:16"), NO_P, UNIT),
            "more than an hour later on the same day",
        ),
        ((), (excluded(P, UNIT, at(day(20))),), (), "on the same day, at no known hour"),
        ((), (excluded(P, UNIT, at(day(19))),), of(at(day(19)), NO_P, UNIT), "the day after, at no known hour"),
        ((result(P, "200", at(day(30))),), (excluded(N, UNIT, at(day(25))),), (), "older"),
        ((), (excluded(P, MALFORMED),), (), "at no known time: nobody knows that it is newer"),
        ((), (excluded(P, Reason.SUBJECT_MISMATCH, LATER),), (), "of another patient"),
        ((), (ALBUMIN,), (), "albumin is none of the three"),
    ],
)
def test_newer_blood_is_named_with_its_day_and_reasons(
    unpaired: tuple[LabResult, ...],
    unused: tuple[ExcludedResult, ...],
    expected: tuple[UnusedBlood, ...],
    reason: str,
) -> None:
    found = doubts(BloodCounts((draw(TAKEN),), unpaired=unpaired, excluded=unused))

    assert found.newer == expected, reason


@pytest.mark.parametrize(
    ("taken", "procedure", "unpaired", "expected", "reason"),
    [
        (at(day(5)), at(day(10)), (), of(at(day(5)), WINDOW), "a draw too soon after the procedure"),
        (at(day(91)), at(day(200)), (), of(at(day(91)), Reason.STALE), "a stale draw"),
        (
            at(day(5)),
            at(day(10)),
            (result(P, "200", LATER),),
            of(at(day(5)), WINDOW) + of(LATER, NO_N, NO_L),
            "and platelets after it",
        ),
        (
            at(day(5)),
            at(day(10)),
            (result(P, "200", at(day(8))),),
            of(at(day(5)), WINDOW) + of(at(day(8)), NO_N, NO_L),
            "and platelets before it, newer than the baseline",
        ),
    ],
)
def test_newer_draw_beside_a_baseline_that_decides_is_named(
    taken: EffectiveTime,
    procedure: EffectiveTime,
    unpaired: tuple[LabResult, ...],
    expected: tuple[UnusedBlood, ...],
    reason: str,
) -> None:
    baseline = at(day((NOW.date() - procedure.day).days + 5))

    counts = BloodCounts((draw(taken), draw(baseline)), unpaired=unpaired)

    assert doubts(counts, procedure).newer == expected, reason


@pytest.mark.parametrize(
    ("unused", "unplaced", "reason"),
    [
        ((), 0, "nothing"),
        ((excluded(P, Reason.NO_EFFECTIVE_TIME),), 1, "without a time"),
        ((excluded(N, Reason.IMPRECISE_TIME), excluded(None, MALFORMED)), 2, "a month alone; of no known test"),
        ((excluded(P, UNIT, LATER), excluded(L, UNIT, at(day(40)))), 0, "dated, newer or older"),
        ((excluded(P, Reason.SUBJECT_MISMATCH),), 0, "of another patient"),
        ((excluded(Analyte.ALBUMIN, MALFORMED),), 0, "albumin is none of the three"),
    ],
)
def test_blood_counts_that_tell_no_time_are_counted(
    unused: tuple[ExcludedResult, ...], unplaced: int, reason: str
) -> None:
    assert doubts(BloodCounts((draw(TAKEN),), excluded=unused)).unplaced_counts == unplaced, reason


@pytest.mark.parametrize(("undated", "unreadable"), [(0, 0), (2, 0), (0, 3)])
def test_decision_keeps_what_is_in_doubt(undated: int, unreadable: int) -> None:
    answer = eligible(at(day(60)), undated=undated)

    found = assess(compute_sii, answer, BloodCounts((draw(TAKEN),)), (), POLICY, NOW, unreadable=unreadable)

    assert isinstance(found, AboveCutoff)
    assert found.doubts == Doubts(undated, unreadable)
