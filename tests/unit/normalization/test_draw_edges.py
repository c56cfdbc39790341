"""Draws in company: several of one chart, and results that compete for one place in a draw."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from cds_service.clinical.models import Analyte
from cds_service.clinical.sii import compute_sii
from cds_service.normalization.draws import pair_draws
from cds_service.normalization.observations import Reading
from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    observation,
)
from tests.unit.normalization.reading import MAPPINGS, paired, values

N, L, NP, LP = NEUTROPHILS, LYMPHOCYTES, NEUTROPHILS_SHARE, LYMPHOCYTES_SHARE
# Neutrophils by percentage on a manual count: a second choice.
NP_MANUAL = "23761-0"


def spread(day: str, neutrophils: float) -> list[Json]:
    """Build a draw whose three results carry three times."""
    return [
        observation(N, neutrophils, when=f"{day}T08:00:00Z"),
        observation(L, 2, when=f"{day}T08:10:00Z"),
        observation(PLATELETS, 200, when=f"{day}T08:20:00Z"),
    ]


def test_draws_of_several_days_are_all_found_by_time() -> None:
    rows = [*spread("2026-10-12", 4), *spread("2026-10-14", 6), *spread("2026-10-13", 5)]

    assert values(paired(*rows)) == [(200, 6, 2), (200, 5, 2), (200, 4, 2)]


def test_draws_by_specimen_and_by_time_stand_side_by_side() -> None:
    by_specimen = [row | {"specimen": {"reference": "Specimen/s"}} for row in spread("2026-10-13", 5)]

    assert values(paired(*by_specimen, *spread("2026-10-14", 6))) == [(200, 6, 2), (200, 5, 2)]
    assert values(paired(*by_specimen, *spread("2026-10-12", 4))) == [(200, 5, 2), (200, 4, 2)]


def test_shares_of_one_draw_confirm_its_counts_across_midnight() -> None:
    late, early = "2026-10-14T21:50:00Z", "2026-10-14T22:10:00Z"
    counts = [observation(N, 6, when=early), observation(L, 2, when=early), observation(PLATELETS, 200, when=early)]
    shares = [observation(NP, 20, "%", when=late), observation(LP, 60, "%", when=late)]

    # Midnight in Berlin is 22:00 UTC; all five have times, so the day they fall on does not part them.
    assert values(paired(*counts, *shares)) == [(200, 6, 2, "differential-inconsistent")]


def test_second_choice_does_not_stand_in_for_a_share_that_was_refused() -> None:
    moment = "2026-10-14T08:00:00Z"
    counts = paired(
        observation(NP, 0.6, "%", when="2026-10-14"),
        observation(NP_MANUAL, 60, "%", when=moment),
        observation(LP, 20, "%", when=moment),
        observation(PLATELETS, 200, when=moment),
    )

    assert (counts.draws, counts.pairing_reasons) == ((), ("fraction-mislabelled",))


@pytest.mark.parametrize(("code", "value"), [(NP, 61), (LP, 21)])
def test_conflicting_shares_without_counts_are_conflicting(code: str, value: float) -> None:
    moment = "2026-10-14T08:00:00Z"
    rows = [observation(NP, 60, "%", when=moment), observation(LP, 20, "%", when=moment)]
    (draw,) = paired(*rows, observation(code, value, "%", when=moment), observation(PLATELETS, 200, when=moment)).draws

    assert draw.problems == ("conflicting-results",)


def test_shares_read_as_fractions_keep_their_unit() -> None:
    moment = "2026-10-14T08:00:00Z"
    rows = [observation(NP, 0.6, "%", when=moment), observation(LP, 0.2, "%", when=moment)]
    (draw,) = paired(*rows, observation(PLATELETS, 200, when=moment)).draws

    assert [(r.quantity.value, r.quantity.unit) for r in (draw.neutrophils, draw.lymphocytes)] == [
        (Decimal("0.6"), "1"),
        (Decimal("0.2"), "1"),
    ]


def test_share_refused_beside_its_partner_names_analyte_and_time() -> None:
    moment = "2026-10-14T08:00:00+02:00"
    rows = [observation(NP, 60, "%", when=moment), observation(LP, 0.2, "%", when=moment)]
    (refused,) = paired(*rows, observation(PLATELETS, 200, when=moment)).excluded

    assert refused.analyte is Analyte.LYMPHOCYTES
    assert refused.effective is not None
    assert refused.effective.isoformat() == moment


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_equal_results_are_told_apart_by_their_reference(ids: tuple[str, str]) -> None:
    moment = "2026-10-14T08:00:00Z"
    rows = [
        observation(N, 4, when=moment, oid=ids[0]),
        observation(N, 4000, "/uL", when=moment, oid=ids[1]),
        observation(L, 2, when=moment),
        observation(PLATELETS, 200, when=moment),
    ]
    (draw,) = paired(*rows).draws

    assert (draw.neutrophils.origin.reference, draw.problems) == ("Observation/a", ())


@pytest.mark.parametrize("truncated", [False, True])
def test_counts_of_a_truncated_chart_say_so(truncated: bool) -> None:
    counts = pair_draws(Reading((), ()), timedelta(minutes=60), MAPPINGS.differential, compute_sii, truncated=truncated)

    assert counts.truncated is truncated
