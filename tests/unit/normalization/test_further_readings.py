"""The further readings of a draw: which there are, what each adds up, and which one is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.clinical.models import Analyte
from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    observation,
)
from tests.unit.normalization.reading import paired

if TYPE_CHECKING:
    from collections.abc import Mapping

N, L, NP, LP = NEUTROPHILS, LYMPHOCYTES, NEUTROPHILS_SHARE, LYMPHOCYTES_SHARE
N_MANUAL, L_MANUAL = "753-4", "732-8"
SEGMENTED, SEGMENTED_MANUAL, SEGMENTED_COUNT = "26505-8", "769-0", "30451-9"
BANDS, BANDS_MANUAL, BANDS_COUNT = "26508-2", "764-1", "26507-4"
VARIANTS, VARIANTS_COUNT = "13046-8", "26477-0"
VARIANTS_MANUAL = "735-1"
NP_MANUAL, LP_MANUAL = "23761-0", "737-7"
COUNTS = {N, L, N_MANUAL, L_MANUAL, SEGMENTED_COUNT, BANDS_COUNT, VARIANTS_COUNT}


def readings(rows: dict[str, float]) -> list[str]:
    """Return neutrophils and lymphocytes of every reading, the printed one first, each by the codes added up."""
    results = [observation(code, value, "10*9/L" if code in COUNTS else "%", oid=code) for code, value in rows.items()]
    (draw,) = paired(observation(PLATELETS, 200, "10*9/L"), *results).draws
    pairs = [(draw.neutrophils, draw.lymphocytes), *((r.neutrophils, r.lymphocytes) for r in draw.others)]
    wholes = [(neutrophils.whole(), lymphocytes.whole()) for neutrophils, lymphocytes in pairs]
    assert all((n.analyte, x.analyte) == (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES) for n, x in wholes)
    return [f"{n.quantity.value.normalize():f}/{x.quantity.value.normalize():f} {n.origin.code}" for n, x in wholes]


READINGS: list[tuple[dict[str, float], list[str], str]] = [
    ({N: 6, L: 2}, [f"6/2 {N}"], "one"),
    ({NP: 60, LP: 20, N: 6, L: 2}, [f"6/2 {N}", f"0.6/0.2 {NP}"], "counts before shares"),
    ({N_MANUAL: 5, L_MANUAL: 2, N: 6, L: 2}, [f"6/2 {N}", f"5/2 {N_MANUAL}"], "automated before manual"),
    ({N_MANUAL: 5, L: 2}, [f"5/2 {N_MANUAL}"], "of two methods, where no method has both"),
    ({N: 6, L_MANUAL: 2}, [f"6/2 {N}"], "the other way round"),
    (
        {NP: 60, LP: 20, SEGMENTED_COUNT: 5, BANDS_COUNT: 1, L: 2},
        [f"6/2 {SEGMENTED_COUNT}+{BANDS_COUNT}", f"0.6/0.2 {NP}"],
        "derived counts before reported shares",
    ),
    (
        {N: 6, L: 2, SEGMENTED_COUNT: 5, BANDS_COUNT: 2},
        [f"6/2 {N}", f"7/2 {SEGMENTED_COUNT}+{BANDS_COUNT}"],
        "a reported total before a derived one; segmented forms are there, so bands are inside it",
    ),
    ({N: 6, L: 2, BANDS_COUNT: 1}, [f"6/2 {N}", f"7/2 {N}+{BANDS_COUNT}"], "bands outside a total"),
    ({N: 6, L: 2, BANDS_COUNT: 0}, [f"6/2 {N}"], "none were seen"),
    (
        {N: 6, L: 2, BANDS_COUNT: 1, VARIANTS_COUNT: 1},
        [f"6/2 {N}", f"6/3 {N}", f"7/2 {N}+{BANDS_COUNT}", f"7/3 {N}+{BANDS_COUNT}"],
        "bands and variant lymphocytes, each and both",
    ),
    (
        {SEGMENTED_COUNT: 5, BANDS_COUNT: 1, L: 2, VARIANTS_COUNT: 1},
        [f"6/2 {SEGMENTED_COUNT}+{BANDS_COUNT}", f"6/3 {SEGMENTED_COUNT}+{BANDS_COUNT}"],
        "variant lymphocytes beside a derived total",
    ),
    (
        {SEGMENTED: 62, BANDS: 8, SEGMENTED_MANUAL: 60, BANDS_MANUAL: 5, LP: 20},
        [f"0.7/0.2 {SEGMENTED}+{BANDS}", f"0.65/0.2 {SEGMENTED_MANUAL}+{BANDS_MANUAL}"],
        "the parts of two methods, automated first",
    ),
    (
        {SEGMENTED: 90, BANDS: 8, SEGMENTED_MANUAL: 60, BANDS_MANUAL: 5, LP: 20},
        [f"0.65/0.2 {SEGMENTED_MANUAL}+{BANDS_MANUAL}"],
        "those of one method come to 118 %: the other one stands",
    ),
    ({N_MANUAL: 6, L_MANUAL: 2, BANDS_COUNT: 1}, [f"6/2 {N_MANUAL}", f"7/2 {N_MANUAL}+{BANDS_COUNT}"], "by hand"),
    (
        {NP_MANUAL: 60, LP_MANUAL: 20, BANDS: 9, BANDS_MANUAL: 5},
        [f"0.6/0.2 {NP_MANUAL}", f"0.65/0.2 {NP_MANUAL}+{BANDS_MANUAL}"],
        "beside totals counted by hand stand the bands counted by hand",
    ),
    (
        {NP_MANUAL: 60, LP_MANUAL: 20, VARIANTS: 9, VARIANTS_MANUAL: 5},
        [f"0.6/0.2 {NP_MANUAL}", f"0.6/0.25 {NP_MANUAL}"],
        "and the variant lymphocytes",
    ),
    (
        {SEGMENTED_MANUAL: 60, BANDS_MANUAL: 5, LP_MANUAL: 20, VARIANTS: 9, VARIANTS_MANUAL: 5},
        [f"0.65/0.2 {SEGMENTED_MANUAL}+{BANDS_MANUAL}", f"0.65/0.25 {SEGMENTED_MANUAL}+{BANDS_MANUAL}"],
        "beside a total derived from parts counted by hand, too",
    ),
    ({NP: 0.62, LP: 0.25, BANDS: 0.08}, [f"0.62/0.25 {NP}", f"0.7/0.25 {NP}+{BANDS}"], "fractions, the bands too"),
    ({NP: 0.62, LP: 0.25, VARIANTS: 0.08}, [f"0.62/0.25 {NP}", f"0.62/0.33 {NP}"], "variant lymphocytes too"),
    ({NP: 62, LP: 25, BANDS: 0.8}, [f"0.62/0.25 {NP}", f"0.628/0.25 {NP}+{BANDS}"], "shares, and few bands"),
    ({NP: 62, LP: 25, VARIANTS: 0.8}, [f"0.62/0.25 {NP}", f"0.62/0.258 {NP}"], "shares, and few variants"),
]


@pytest.mark.parametrize(("rows", "expected", "reason"), READINGS)
def test_readings_of_a_draw(rows: dict[str, float], expected: list[str], reason: str) -> None:
    assert readings(rows) == expected, reason


@pytest.mark.parametrize(("rows", "expected", "reason"), READINGS)
def test_readings_of_a_draw_are_the_same_in_any_order(rows: dict[str, float], expected: list[str], reason: str) -> None:
    assert readings(dict(reversed(rows.items()))) == expected, reason


def refused(rows: Mapping[str, float], **members: Any) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the neutrophils of each draw by their codes, and what is excluded with its version."""
    results = [
        observation(code, value, "10*9/L" if code in COUNTS else "%", oid=code, meta={"versionId": "7"}, **members)
        for code, value in rows.items()
    ]
    counts = paired(observation(PLATELETS, 200, "10*9/L", **members), *results)
    return [d.neutrophils.origin.code for d in counts.draws], sorted((e.reference, e.version) for e in counts.excluded)


def test_shares_of_both_methods_that_exceed_the_whole_are_all_excluded() -> None:
    rows = {NP: 90, LP: 20, NP_MANUAL: 80, LP_MANUAL: 30}

    assert refused(rows) == ([], sorted((f"Observation/{code}", "7") for code in rows))


def test_share_that_another_reading_of_its_specimen_uses_is_not_excluded() -> None:
    rows = {NP: 90, LP: 20, SEGMENTED: 60, BANDS: 5}

    found = refused(rows, specimen={"reference": "Specimen/s"})

    assert found == ([f"{SEGMENTED}+{BANDS}"], [(f"Observation/{NP}", "7")])


def test_draws_of_one_moment_that_say_the_same_keep_the_parts_beside_them() -> None:
    rows = {N: 6, L: 2, N_MANUAL: 6, L_MANUAL: 2, SEGMENTED: 60, PLATELETS: 200}
    results = [
        observation(code, value, "%" if code == SEGMENTED else "10*9/L", oid=f"{code}-{s}", specimen={"reference": s})
        for s in ("Specimen/a", "Specimen/b")
        for code, value in rows.items()
    ]

    (found,) = paired(*results).draws

    assert [part.analyte for part in found.beside] == [Analyte.SEGMENTED]


def test_parts_that_are_nothing_are_no_neutrophils() -> None:
    rows = {SEGMENTED_COUNT: 0, BANDS_COUNT: 0, L: 2}
    results = [observation(code, value, "10*9/L", oid=code) for code, value in rows.items()]

    assert paired(observation(PLATELETS, 200, "10*9/L"), *results).draws == ()


def test_preferred_code_stands_before_a_second_choice_of_one_specimen() -> None:
    rows = [(PLATELETS, 200, "10*9/L"), (NP, 60, "%"), ("71676-1", 0.5, "1"), (LP, 20, "%")]
    specimen = {"reference": "Specimen/s"}
    results = [observation(code, value, unit, oid=code, specimen=specimen) for code, value, unit in rows]

    for given in (results, results[::-1]):
        (draw,) = paired(*given).draws
        assert draw.neutrophils.origin.code == NP
