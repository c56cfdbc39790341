"""One basis for neutrophils and lymphocytes: counts, else shares, never one of each; and the check between them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.models import Basis
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
FRACTION = "71676-1"
UNITS = {NEUTROPHILS_SHARE: "%", LYMPHOCYTES_SHARE: "%"}


def row(code: str, value: Any, unit: str | None = None) -> Json:
    quantity = {"value": value, "unit": unit or UNITS.get(code, "10*9/L")} if unit != "" else {"value": value}
    return observation(code, value, when=WHEN, oid=code, valueQuantity=quantity)


def drawn(*rows: tuple[Any, ...]) -> list[Json]:
    return [row(PLATELETS, 200), *(row(*cells) for cells in rows)]


N, L, NP, LP = NEUTROPHILS, LYMPHOCYTES, NEUTROPHILS_SHARE, LYMPHOCYTES_SHARE

# Rows of (code, value, unit), the neutrophils and lymphocytes of the draw, its basis.
BASES = [
    (((N, 6), (L, 2)), ("6", "2"), Basis.ABSOLUTE, "counts"),
    (((NP, 60), (LP, 20)), ("0.6", "0.2"), Basis.PERCENT, "shares"),
    (((N, 6), (L, 2), (NP, 60), (LP, 20)), ("6", "2"), Basis.ABSOLUTE, "counts before shares"),
    (((N, 6), (NP, 60), (LP, 20)), ("0.6", "0.2"), Basis.PERCENT, "shares where a count has no partner"),
    (((L, 2), (NP, 60), (LP, 20)), ("0.6", "0.2"), Basis.PERCENT, "and the other way round"),
    (((N, 6), (L, 2), (NP, 60)), ("6", "2"), Basis.ABSOLUTE, "counts where a share has no partner"),
    (((FRACTION, 0.6, ""), (LP, 20)), ("0.6", "0.2"), Basis.PERCENT, "a fraction and a percentage are one basis"),
    (((FRACTION, 60, "%"), (LP, 20)), ("0.6", "0.2"), Basis.PERCENT, "a fraction code in percent"),
    (((NP, 0.6), (LP, 0.2)), ("0.6", "0.2"), Basis.PERCENT, "both are fractions under a wrong label"),
    (((NP, 0.95), (LP, 0.05)), ("0.95", "0.05"), Basis.PERCENT, "also where one is a twentieth"),
    (((FRACTION, 0.6, "%"), (LP, 0.2)), ("0.6", "0.2"), Basis.PERCENT, "mislabelled under the fraction code as well"),
    (((NP, 1.1), (LP, 1.1)), ("0.011", "0.011"), Basis.PERCENT, "above 1 it is percent, however odd"),
    (((NP, 80), (LP, 21)), ("0.8", "0.21"), Basis.PERCENT, "101 % is rounding"),
    (((NP, 95), (LP, 0.1)), ("0.95", "0.001"), Basis.PERCENT, "no fraction, and the least that is plausible"),
    (((NP, 0.5), (LP, 60)), ("0.005", "0.6"), Basis.PERCENT, "the same for the other one: 110 % as a fraction"),
    (((NP, 80), (FRACTION, 0.5, ""), (LP, 21)), ("0.8", "0.21"), Basis.PERCENT, "the preferred share"),
]


@pytest.mark.parametrize(("rows", "expected", "basis", "reason"), BASES)
def test_both_stand_on_one_basis(
    rows: tuple[tuple[Any, ...], ...], expected: tuple[str, str], basis: Basis, reason: str
) -> None:
    counts = paired(*drawn(*rows))

    (draw,) = counts.draws
    assert (draw.neutrophils.quantity.value, draw.lymphocytes.quantity.value) == tuple(map(Decimal, expected)), reason
    assert (draw.basis, draw.lymphocytes.basis, draw.problems) == (basis, basis, ())
    assert counts.excluded == ()


# Rows, the exclusions (code: reason), the reason that pairing gives.
NO_DRAW = [
    (((N, 6), (LP, 20)), {}, ("mixed-basis",), "a count and a share are no ratio"),
    (((NP, 60), (L, 2)), {}, ("mixed-basis",), "the other way round"),
    (((FRACTION, 0.6, ""), (L, 2)), {}, ("mixed-basis",), "a fraction and a count"),
    (((NP, 0.6), (LP, 20)), {NP: "fraction-mislabelled"}, ("fraction-mislabelled",), "one fraction"),
    (((NP, 60), (LP, 0.2)), {LP: "fraction-mislabelled"}, ("fraction-mislabelled",), "the other one"),
    (((NP, 1), (LP, 1)), dict.fromkeys((NP, LP), "implausible"), ("implausible",), "both may be the whole"),
    (((NP, 60), (LP, 0.41)), {LP: "fraction-mislabelled"}, ("fraction-mislabelled",), "101 % as a fraction"),
    (((NP, 95), (LP, 0.07)), {LP: "implausible"}, ("implausible",), "no fraction, and less than is plausible"),
    (((FRACTION, 0.6, ""), (LP, 0.2)), {LP: "fraction-mislabelled"}, ("fraction-mislabelled",), "one wrong label"),
    (((NP, 80.1), (LP, 21)), dict.fromkeys((NP, LP), "implausible"), ("implausible",), "101.1 %"),
    (((NP, 100), (LP, 100)), dict.fromkeys((NP, LP), "implausible"), ("implausible",), "200 %"),
    (((NP, 0.8), (LP, 0.211)), dict.fromkeys((NP, LP), "implausible"), ("implausible",), "1.011 as fractions"),
    (((NP, 1), (LP, 1)), dict.fromkeys((NP, LP), "implausible"), ("implausible",), "2 as fractions"),
    (((FRACTION, 0.9, ""), (LP, 20)), {FRACTION: "implausible", LP: "implausible"}, ("implausible",), "110 %"),
]


@pytest.mark.parametrize(("rows", "excluded", "reasons", "reason"), NO_DRAW)
def test_no_draw_without_a_common_basis(
    rows: tuple[tuple[Any, ...], ...], excluded: dict[str, str], reasons: tuple[str, ...], reason: str
) -> None:
    counts = paired(*drawn(*rows))

    assert counts.draws == (), reason
    assert {e.reference.removeprefix("Observation/"): e.reason for e in counts.excluded} == excluded
    assert counts.pairing_reasons == reasons
    assert len(counts.unpaired) == 3 - len(excluded)


@pytest.mark.parametrize(
    ("rows", "excluded", "reason"),
    [
        (((N, 6), (L, 2), (NP, 0.6), (LP, 20)), {NP: "fraction-mislabelled"}, "a share is refused, the counts stand"),
        (((N, 6), (L, 2), (NP, 90), (LP, 20)), dict.fromkeys((NP, LP), "implausible"), "110 %: no check, the counts"),
    ],
)
def test_refused_shares_leave_the_counts(
    rows: tuple[tuple[Any, ...], ...], excluded: dict[str, str], reason: str
) -> None:
    counts = paired(*drawn(*rows))

    assert [d.problems for d in counts.draws] == [()], reason
    assert {e.reference.removeprefix("Observation/"): e.reason for e in counts.excluded} == excluded


# Neutrophils and lymphocytes as counts, then as percent; whether they contradict each other.
CHECKS = [
    (6, 2, 60, 20, False, "3 and 3"),
    (6, 2, 69, 20, False, "3 and 3.45: exactly 15 %"),
    (6, 2, 69.01, 20, True, "just above 15 %"),
    (6, 2, 51, 20, False, "3 and 2.55: exactly 15 % below"),
    (6, 2, 50.99, 20, True, "just below that"),
    (20, 23, 23, 23, False, "the limit is a share of the counts' ratio: 0.8696 and 1 are exactly 15 %"),
    (23, 20, 20, 20, False, "1.15 and 1: 13 % of the counts' ratio"),
    (0.6, 2.5, 68.1, 12.8, True, "a published sample: the parts do not add up"),
    (6, 2, 60, 0, True, "no lymphocytes among the shares"),
]


@pytest.mark.parametrize(("n", "lymphocytes", "n_share", "l_share", "contradicts", "reason"), CHECKS)
def test_counts_and_shares_may_differ_by_fifteen_percent(
    n: float, lymphocytes: float, n_share: float, l_share: float, contradicts: bool, reason: str
) -> None:
    (draw,) = paired(*drawn((N, n), (L, lymphocytes), (NP, n_share), (LP, l_share))).draws

    assert draw.problems == (("differential-inconsistent",) if contradicts else ()), reason
    assert draw.basis is Basis.ABSOLUTE


@pytest.mark.parametrize(("code", "value"), [(NP, 61), (LP, 21)])
def test_conflicting_shares_cannot_confirm_the_counts(code: str, value: float) -> None:
    second = observation(code, value, "%", when=WHEN)
    (draw,) = paired(*drawn((N, 6), (L, 2), (NP, 60), (LP, 20)), second).draws

    assert draw.problems == ("differential-inconsistent",)


@pytest.mark.parametrize("alone", [(N, 6), (L, 2)])
def test_missing_partner_is_no_mixed_basis(alone: tuple[str, float]) -> None:
    other = observation(L if alone[0] == N else N, 3, when="2026-10-14T17:00:00Z")
    counts = paired(*drawn(alone), other)

    assert (counts.draws, counts.pairing_reasons) == ((), ())


ZERO = [
    (((N, 6), (L, 0)), "absolute"),
    (((NP, 60), (LP, 0)), "percent"),
    (((NP, 0.6), (LP, 0)), "percent beside a possible fraction"),
    (((FRACTION, 0.6, ""), (LP, 0)), "percent beside a fraction"),
    (((N, 6), (L, 0), (NP, 60), (LP, 20)), "the shares say otherwise: still no ratio of counts"),
    (((N, 6), (L, "-0.0")), "minus zero"),
]


@pytest.mark.parametrize(("rows", "reason"), ZERO)
def test_zero_lymphocytes_are_a_problem_of_a_complete_draw(rows: tuple[tuple[Any, ...], ...], reason: str) -> None:
    resources = drawn(*((code, float(value), *unit) for code, value, *unit in rows))
    (draw,) = paired(*resources).draws

    assert draw.problems == ("zero-lymphocytes",), reason


@pytest.mark.parametrize(
    ("rows", "reason"), [(((NP, 0.6),), "no partner"), (((LP, 0.2),), "no partner"), ((), "nothing at all")]
)
def test_lone_doubtful_share_waits_for_its_partner(rows: tuple[tuple[Any, ...], ...], reason: str) -> None:
    counts = paired(*drawn(*rows))

    assert (counts.draws, counts.excluded) == ((), ()), reason
    assert len(counts.unpaired) == 1 + len(rows)


def test_share_refused_in_one_draw_and_used_in_another_is_not_excluded() -> None:
    # Beside 20 % the 0.6 is mislabelled; beside 0.2, half an hour before, it is a fraction like it.
    early, late = "2026-10-14T08:00:00Z", "2026-10-14T08:30:00Z"
    counts = paired(
        observation(NP, 0.6, "%", when=early),
        observation(LP, 0.2, "%", when=early),
        observation(PLATELETS, 200, when=early),
        observation(LP, 20, "%", when=late),
    )

    (draw,) = counts.draws
    assert (draw.neutrophils.quantity.value, draw.lymphocytes.quantity.value) == (Decimal("0.6"), Decimal("0.2"))
    assert counts.excluded == ()
    assert [r.whole().reported.value for r in counts.unpaired] == [20]
