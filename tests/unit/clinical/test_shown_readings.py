"""Readings of one draw as a card names them: SII as it is shown, what each rests on, and when they are told at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.models import Analyte, Basis, BloodDraw, LabResult, Reading
from cds_service.clinical.readings import ReadingSII, all_readings, notable_readings, problems_under
from cds_service.clinical.reasons import Reason
from cds_service.clinical.rule import Criterion
from cds_service.clinical.sii import compute_sii
from tests.unit.clinical.values import at, draw, result

CRITERION = Criterion(compute_sii, Decimal("405.08"))
TAKEN = at("2026-02-18", "07:15")
N, L = Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES
SEGMENTED, BANDS, VARIANTS = Analyte.SEGMENTED, Analyte.BANDS, Analyte.VARIANTS


def one(analyte: Analyte, value: str, *parts: LabResult, manual: bool = False, basis: Basis | None = None) -> LabResult:
    return result(analyte, value, TAKEN, basis=basis)._replace(manual=manual, parts=parts)


def drawn(neutrophils: LabResult, lymphocytes: LabResult, *others: Reading) -> BloodDraw:
    """Build a draw of 100 platelets."""
    return BloodDraw(neutrophils, lymphocytes, draw(TAKEN, ("100", "1", "1")).platelets, (), others)


def reading(neutrophils: LabResult, lymphocytes: LabResult, *, notable: bool = False) -> Reading:
    return Reading(neutrophils, lymphocytes, notable)


PRINTED = ReadingSII(Decimal("600.000"), Basis.ABSOLUTE, manual=False, parts=())
ABOVE, BELOW = (one(N, "6"), one(L, "1")), (one(N, "4"), one(L, "1"))


def test_readings_on_both_sides_are_all_told_the_printed_one_first() -> None:
    derived = one(N, "7", one(SEGMENTED, "5"), one(BANDS, "2"), manual=True)
    with_variants = one(L, "2", one(L, "1"), one(VARIANTS, "1"))
    shares = one(N, "0.5", manual=True, basis=Basis.PERCENT), one(L, "0.3", basis=Basis.PERCENT)
    found = drawn(*ABOVE, reading(derived, one(L, "1")), reading(one(N, "6"), with_variants), reading(*shares))

    assert problems_under(found, CRITERION) == (Reason.DIFFERENTIAL_INCONSISTENT,)
    assert all_readings(found, CRITERION) == (
        PRINTED,
        ReadingSII(Decimal("700.000"), Basis.ABSOLUTE, manual=True, parts=(SEGMENTED, BANDS)),
        ReadingSII(Decimal("300.000"), Basis.ABSOLUTE, manual=False, parts=(VARIANTS,)),
        ReadingSII(Decimal("166.667"), Basis.PERCENT, manual=True, parts=()),
    )


def test_printed_reading_names_its_method_basis_and_parts() -> None:
    neutrophils = one(N, "0.6", one(SEGMENTED, "0.5"), one(BANDS, "0.1"), manual=True, basis=Basis.PERCENT)
    lymphocytes = one(L, "0.1", one(L, "0.05"), one(VARIANTS, "0.05"), basis=Basis.PERCENT)

    (first, second) = all_readings(drawn(neutrophils, lymphocytes, reading(*BELOW)), CRITERION)

    assert first == ReadingSII(Decimal("600.000"), Basis.PERCENT, manual=True, parts=(SEGMENTED, BANDS, VARIANTS))
    assert second == ReadingSII(Decimal("400.000"), Basis.ABSOLUTE, manual=False, parts=())


def test_readings_near_the_cutoff_stay_on_their_side() -> None:
    found = drawn(one(N, "4.05080001"), one(L, "1"), reading(one(N, "4.05079999"), one(L, "1"), notable=True))

    assert [f"{shown.sii:f}" for shown in all_readings(found, CRITERION)] == ["405.080001", "405.080"]
    assert [f"{shown.sii:f}" for shown in notable_readings(found, CRITERION)] == ["405.080"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (drawn(*ABOVE), "one reading"),
        (drawn(*ABOVE, reading(one(N, "5"), one(L, "1"))), "two that agree"),
        (drawn(*BELOW, reading(one(N, "3"), one(L, "1"), notable=True)), "two that agree below"),
        (
            draw(TAKEN, ("210", "6", "1.8"), Reason.CONFLICTING_RESULTS),
            "a draw with a problem of its own",
        ),
    ],
)
def test_readings_are_not_told_where_they_do_not_disagree(found: BloodDraw, reason: str) -> None:
    assert all_readings(found, CRITERION) == (), reason


def test_draw_with_a_problem_of_its_own_tells_no_readings() -> None:
    found = drawn(*ABOVE, reading(*BELOW))
    conflicting = BloodDraw(
        found.neutrophils, found.lymphocytes, found.platelets, (Reason.CONFLICTING_RESULTS,), found.others
    )

    assert problems_under(conflicting, CRITERION) == (Reason.CONFLICTING_RESULTS,)
    assert all_readings(conflicting, CRITERION) == ()


def test_notable_readings_are_those_marked_so() -> None:
    marked = reading(one(N, "9", manual=True), one(L, "1"), notable=True)

    found = notable_readings(drawn(*ABOVE, reading(one(N, "7"), one(L, "1")), marked), CRITERION)

    assert found == (ReadingSII(Decimal("900.000"), Basis.ABSOLUTE, manual=True, parts=()),)
