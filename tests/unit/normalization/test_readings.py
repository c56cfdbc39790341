"""The readings of one draw: bases, methods, parts, and when they keep it from being decided."""

from __future__ import annotations

import pytest

from cds_service.clinical.outcomes import AboveCutoff, NotAboveCutoff
from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    hook_request,
    observation,
)
from tests.support.strategies import json_text
from tests.unit.normalization.reading import decided

P, N, L = PLATELETS, NEUTROPHILS, LYMPHOCYTES
NP, LP = NEUTROPHILS_SHARE, LYMPHOCYTES_SHARE
N_MANUAL, L_MANUAL = "753-4", "732-8"
NP_MANUAL, LP_MANUAL = "23761-0", "737-7"
SEGMENTED, SEGMENTED_MANUAL, SEGMENTED_COUNT = "26505-8", "769-0", "30451-9"
BANDS, BANDS_MANUAL, BANDS_COUNT = "26508-2", "764-1", "26507-4"
VARIANTS, VARIANTS_COUNT = "13046-8", "26477-0"
SHARES = {NP, LP, NP_MANUAL, LP_MANUAL, SEGMENTED, SEGMENTED_MANUAL, BANDS, BANDS_MANUAL, VARIANTS}


def results(rows: dict[str, float]) -> list[Json]:
    return [
        observation(code, value, "%" if code in SHARES else "10*9/L", oid=f"o-{code}") for code, value in rows.items()
    ]


def judged(rows: dict[str, float]) -> tuple[str, str]:
    """Return the outcome, and SII without needless digits or the reasons."""
    found = decided(json_text(hook_request(*results(rows)))).assessment
    if isinstance(found, (AboveCutoff, NotAboveCutoff)):
        return found.outcome, f"{found.sii.normalize():f}"
    return found.outcome, " ".join(map(str, found.reasons))


INCONSISTENT = ("indeterminate", "differential-inconsistent")
ABOVE, NOT_ABOVE = "above-cutoff", "not-above-cutoff"

READINGS = [
    ({P: 100, N: 6, L: 1, N_MANUAL: 5, L_MANUAL: 1}, (ABOVE, "600"), "both methods above, automated printed"),
    ({P: 100, N_MANUAL: 5, L_MANUAL: 1}, (ABOVE, "500"), "manual alone"),
    ({P: 100, N: 6, L: 1, N_MANUAL: 3, L_MANUAL: 1}, INCONSISTENT, "the methods differ about the cut-off"),
    ({P: 100, N: 9, L: 1, N_MANUAL: 5, L_MANUAL: 1}, (ABOVE, "900"), "far apart, and on the same side"),
    ({P: 100, N: 4.1, L: 1, N_MANUAL: 4.0, L_MANUAL: 1}, INCONSISTENT, "near each other, and on both sides"),
    ({P: 100, N: 6, L: 1, NP: 60, LP: 13}, INCONSISTENT, "counts and shares of one method more than 15 % apart"),
    ({P: 100, N: 6, L: 1, NP_MANUAL: 60, LP_MANUAL: 13}, (ABOVE, "600"), "the same of two methods: the side decides"),
    ({P: 100, N: 4.1, L: 1, NP: 60, LP: 15}, INCONSISTENT, "410 by counts, 400 by shares"),
    ({P: 100, N: 6, L_MANUAL: 1}, (ABOVE, "600"), "no method has both"),
    ({P: 180, SEGMENTED: 62, BANDS: 8, LP: 25}, (ABOVE, "504"), "segmented and bands are the neutrophils"),
    ({P: 180, SEGMENTED_MANUAL: 62, BANDS: 8, LP_MANUAL: 25}, (ABOVE, "504"), "parts of two methods"),
    ({P: 100, SEGMENTED_COUNT: 5, BANDS_COUNT: 1, L: 1}, (ABOVE, "600"), "as counts"),
    ({P: 100, SEGMENTED: 62, BANDS: 0, LP: 10}, (ABOVE, "620"), "no bands were seen"),
    ({P: 180, SEGMENTED: 62, LP: 25}, ("indeterminate", "missing-neutrophils"), "segmented without bands"),
    ({P: 180, BANDS: 8, LP: 25}, ("indeterminate", "missing-neutrophils"), "bands alone"),
    (
        {P: 180, SEGMENTED_COUNT: 5, BANDS: 8, L: 1},
        ("indeterminate", "missing-neutrophils"),
        "parts of two bases are no total",
    ),
    (
        {P: 180, SEGMENTED: 62, BANDS: 8, L: 1},
        ("indeterminate", "no-complete-draw mixed-basis"),
        "neutrophils in parts as shares beside lymphocytes as counts",
    ),
    ({P: 95, NP: 60, BANDS: 20, LP: 15}, INCONSISTENT, "380 without the bands, 507 with them"),
    ({P: 150, NP: 60, BANDS: 20, LP: 15}, (ABOVE, "600"), "above either way"),
    ({P: 95, NP: 70, BANDS: 20, LP: 17}, (NOT_ABOVE, "391.176"), "107 %: the bands are inside the total"),
    ({P: 95, NP: 70, BANDS: 20, LP: 17, SEGMENTED: 50}, (NOT_ABOVE, "391.176"), "segmented forms are reported"),
    ({P: 95, NP: 60, BANDS: 20, LP: 15, SEGMENTED: 40}, (NOT_ABOVE, "380"), "the parts say what the total says"),
    ({P: 95, NP: 60, BANDS: 20, LP: 15, SEGMENTED: 60}, INCONSISTENT, "the parts say more than the total"),
    ({P: 100, N: 4, L: 1, BANDS_COUNT: 1}, INCONSISTENT, "of counts the whole is not known"),
    ({P: 100, N: 4, L: 1, BANDS: 10}, (NOT_ABOVE, "400"), "bands of another basis are no part"),
    ({P: 100, NP: 60, LP: 13, VARIANTS: 5}, INCONSISTENT, "462 without the variant lymphocytes, 333 with them"),
    ({P: 100, NP: 80, LP: 18, VARIANTS: 5}, (ABOVE, "444.444"), "103 %: they are inside"),
    ({P: 100, N: 6, L: 1, VARIANTS_COUNT: 0.1}, (ABOVE, "600"), "545 with them"),
    ({P: 85, NP: 70, BANDS: 16, LP: 15}, INCONSISTENT, "101 % with the bands: 397 without, 487 with them"),
    ({P: 85, NP: 70, BANDS: 16.1, LP: 15}, (NOT_ABOVE, "396.667"), "101.1 %: the bands are inside the total"),
    ({P: 180, NP: 0.62, LP: 0.25, BANDS: 0.08}, (ABOVE, "446.4"), "fractions under a percent sign, all of them"),
    ({P: 180, SEGMENTED: 0.62, BANDS: 0.08, LP: 0.25}, (ABOVE, "504"), "the same in parts"),
]


@pytest.mark.parametrize(("rows", "expected", "why"), READINGS)
def test_readings_decide_only_together(rows: dict[str, float], expected: tuple[str, str], why: str) -> None:
    assert judged(rows) == expected, why


@pytest.mark.parametrize(("rows", "expected", "why"), READINGS)
def test_readings_are_the_same_in_any_order(rows: dict[str, float], expected: tuple[str, str], why: str) -> None:
    assert judged(dict(reversed(rows.items()))) == expected, why


@pytest.mark.parametrize(
    ("rows", "notable", "why"),
    [
        ({P: 100, N: 9, L: 1, N_MANUAL: 5, L_MANUAL: 1}, ["500"], "another method, far away"),
        ({P: 100, N: 6, L: 1, N_MANUAL: 5.8, L_MANUAL: 1}, [], "another method, near"),
        ({P: 150, NP: 60, BANDS: 20, LP: 15}, ["800"], "with the bands"),
        ({P: 150, NP: 60, BANDS: 2, LP: 15}, ["620"], "with the bands, and near: what was added up is told"),
        ({P: 150, SEGMENTED: 60, BANDS: 2, LP: 15, VARIANTS: 1}, ["581.25"], "both were added up"),
        ({P: 150, SEGMENTED: 60, BANDS: 2, LP: 15, L: 1.5, N: 6}, ["620"], "the printed one was not"),
        ({P: 100, N: 6, L: 1, NP: 60, LP: 10}, [], "counts and shares"),
    ],
)
def test_readings_that_a_reader_should_know_of_are_named(rows: dict[str, float], notable: list[str], why: str) -> None:
    found = decided(json_text(hook_request(*results(rows)))).assessment

    assert [f"{r.sii.normalize():f}" for r in found.readings] == notable, why  # type: ignore[union-attr]


def test_derived_total_names_its_parts() -> None:
    found = decided(json_text(hook_request(*results({P: 180, SEGMENTED: 62, BANDS: 8, LP: 25})))).assessment
    neutrophils = found.timed.draw.neutrophils  # type: ignore[union-attr]

    assert [part.origin.reference for part in neutrophils.parts] == ["Observation/o-26505-8", "Observation/o-26508-2"]
    assert (neutrophils.reported.value, neutrophils.reported.unit) == (70, "%")
    assert neutrophils.origin.code == "26505-8+26508-2"


def test_segmented_without_bands_is_said() -> None:
    found = decided(json_text(hook_request(*results({P: 180, SEGMENTED: 62, LP: 25})))).assessment

    assert found.segmented_alone  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rows", "named", "why"),
    [
        ({P: 100, N: 5, L: 1, BANDS: 10}, [BANDS], "a share beside counts"),
        ({P: 100, NP: 60, LP: 12, VARIANTS_COUNT: 0.2}, [VARIANTS_COUNT], "a count beside shares"),
        ({P: 100, N: 5, L: 1, BANDS: 0}, [], "none were seen"),
        ({P: 100, N: 5, L: 1, NP: 60, LP: 12, VARIANTS: 2}, [], "shares are a reading too"),
    ],
)
def test_parts_on_another_basis_are_named(rows: dict[str, float], named: list[str], why: str) -> None:
    found = decided(json_text(hook_request(*results(rows)))).assessment

    beside = [part.whole().origin.code for part in found.timed.draw.beside]  # type: ignore[union-attr]
    assert beside == named, why
