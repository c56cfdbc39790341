"""What holds for every chart, whatever it holds."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.clinical.reasons import Reason
from cds_service.decision.explanation import explain
from cds_service.errors import ServiceError
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    NOW,
    PATIENT_ID,
    PLATELETS,
    Json,
    bundle,
    days_ago,
    hook_request,
    observation,
)
from tests.support.strategies import (
    COUNT_UNITS,
    SHARE_UNITS,
    any_json,
    charts,
    damaged_requests,
    flawed,
    json_text,
    results,
    spelled,
)
from tests.unit.normalization.reading import decided, site

if TYPE_CHECKING:
    from cds_service.decision.flow import Decision


def decision_on(observations: list[Json]) -> Decision:
    return decided(json_text(hook_request() | {"prefetch": prefetched(observations)}))


def prefetched(observations: list[Json]) -> Json:
    request: Json = hook_request(bloodCounts=bundle(*observations), albumin=None)
    return dict(request["prefetch"])


def told(observations: list[Json]) -> Json:
    """Return the assessment of an eligible patient with these Observations, as the response carries it."""
    return assessment_extension(RULE_VERSION, decision_on(observations).assessment)


def essence(assessment: Json) -> tuple[Any, ...]:
    return tuple(assessment.get(name) for name in ("outcome", "sii", "sampleTime", "basis", "relation"))


@given(charts(flawed()), st.randoms(use_true_random=False))
def test_order_of_entries_never_matters(observations: list[Json], random: Any) -> None:
    shuffled = list(observations)
    random.shuffle(shuffled)

    assert told(shuffled) == told(observations)


@given(charts(), charts())
def test_second_delivery_of_the_same_entries_never_matters(observations: list[Json], others: list[Json]) -> None:
    once = told(observations)

    assert told(observations + observations) == once
    assert essence(told(others + observations + others)) == essence(told(others + observations))


# A result that is not of this patient's blood.
FOREIGN: list[Json] = [
    {"subject": {"reference": "Patient/p2"}},
    {"bodySite": {"text": "Peritoneal cavity"}},
    {"specimen": {"reference": "Specimen/foreign", "display": "Ascites"}},
    {"contained": [{"resourceType": "Specimen", "id": "s", "type": {"text": "Bone marrow"}}]},
]


@given(charts(), results(), st.sampled_from(FOREIGN))
def test_result_of_another_record_or_material_never_changes_the_sii(
    observations: list[Json], other: Json, foreign: Json
) -> None:
    before = told(observations)
    after = told([*observations, other | foreign | {"id": "foreign"}])

    assert essence(after) == essence(before)


SPELLINGS = [(factor, unit) for factor, units in COUNT_UNITS.items() for unit in units]
COUNTS = st.decimals("0.5", 90, places=3)


@given(st.decimals(5, 2000, places=3), COUNTS, COUNTS, st.lists(st.sampled_from(SPELLINGS), min_size=3, max_size=3))
def test_unit_spelling_of_counts_never_changes_the_sii(
    platelets: Decimal, neutrophils: Decimal, lymphocytes: Decimal, spellings: list[tuple[str, str]]
) -> None:
    values = ((PLATELETS, platelets), (NEUTROPHILS, neutrophils), (LYMPHOCYTES, lymphocytes))
    plain = told([spelled(code, value, "1", "10*9/L") for code, value in values])

    assert plain["outcome"] in ("above-cutoff", "not-above-cutoff")
    assert told([spelled(*value, *spelling) for value, spelling in zip(values, spellings, strict=True)]) == plain


SHARES = st.decimals("0.02", "0.49", places=4)


@given(SHARES, SHARES, st.sampled_from(SHARE_UNITS), st.sampled_from(SHARE_UNITS))
def test_unit_spelling_of_shares_never_changes_the_sii(
    neutrophils: Decimal, lymphocytes: Decimal, first: str, second: str
) -> None:
    platelets = observation(PLATELETS, 210)
    percent = [
        spelled(NEUTROPHILS_SHARE, neutrophils, "0.01", first),
        spelled(LYMPHOCYTES_SHARE, lymphocytes, "0.01", second),
    ]
    # The same shares as fractions under a wrong label, and as counts of 10 x 10*9/L leukocytes.
    mislabelled = [
        spelled(NEUTROPHILS_SHARE, neutrophils, "1", first),
        spelled(LYMPHOCYTES_SHARE, lymphocytes, "1", second),
    ]
    counts = [
        spelled(NEUTROPHILS, neutrophils * 10, "1", "10*9/L"),
        spelled(LYMPHOCYTES, lymphocytes * 10, "1", "10*9/L"),
    ]
    siis = {told([platelets, *rows])["sii"] for rows in (percent, mislabelled, counts, counts + percent)}

    assert len(siis) == 1


@given(charts(), st.lists(flawed(), min_size=1, max_size=4))
def test_result_that_does_not_count_never_changes_the_assessment(observations: list[Json], others: list[Json]) -> None:
    added = [resource | {"id": f"x{place}"} for place, resource in enumerate(others)]

    assert essence(told(observations + added)) == essence(told(observations))


@given(charts(), charts())
def test_another_patient_never_changes_the_assessment(observations: list[Json], others: list[Json]) -> None:
    foreign = [
        resource | {"id": f"x{place}", "subject": {"reference": "Patient/p2"}} for place, resource in enumerate(others)
    ]

    assert essence(told(observations + foreign)) == essence(told(observations))


@given(st.decimals(1, 10, places=2), st.decimals(1, 10, places=2), st.decimals("0.1", 10, places=2))
def test_scaling_both_differentials_never_changes_the_sii(
    neutrophils: Decimal, lymphocytes: Decimal, scale: Decimal
) -> None:
    def scaled(by: Decimal) -> Json:
        rows = ((PLATELETS, Decimal(210)), (NEUTROPHILS, neutrophils * by), (LYMPHOCYTES, lymphocytes * by))
        return told([spelled(code, value, "1", "10*9/L") for code, value in rows])

    assert scaled(scale) == scaled(Decimal(1))


@given(charts(flawed()))
def test_every_observation_is_told_with_one_fate(observations: list[Json]) -> None:
    decision = decision_on(observations)
    told = explain(decision, PATIENT_ID, site(), NOW, lambda: "uuid")

    fates = {row["reference"]: row for row in told["observations"]}
    assert sorted(fates) == sorted(f"Observation/{o['id']}" for o in observations)
    assert len(told["observations"]) == len(observations), "one row each"
    for row in told["observations"]:
        assert row["treatment"] in ("used", "usable", "excluded")
        assert ("reason" in row) == (row["treatment"] == "excluded")
        assert row.get("reason", Reason.MALFORMED) in set(Reason)
    reasons = Counter(row["reason"] for row in told["observations"] if row["treatment"] == "excluded")
    assert told["assessment"].get("exclusions", {}) == reasons
    assert (told["assessment"].get("sii") is not None) == any(r["treatment"] == "used" for r in told["observations"])


def never_breaks(body: str) -> None:
    """Decide, explain and build the card; what is not a ServiceError is a defect."""
    try:
        decision = decided(body)
    except ServiceError:
        return
    explain(decision, PATIENT_ID, site(), NOW, lambda: "uuid")
    cards = CardBuilder(SII.voice, site().cards, site().policy, "test").build(decision.assessment, lambda: "uuid")
    assert len(cards) == (decision.assessment.outcome != "not-eligible")
    json.dumps(assessment_extension(RULE_VERSION, decision.assessment))


@pytest.mark.parametrize("key", ["patient", "bloodCounts", "albumin", "conditions", "procedures"])
@given(value=any_json())
def test_no_json_under_a_prefetch_key_breaks_the_service(key: str, value: Any) -> None:
    never_breaks(json_text(hook_request(**{key: value})))


@given(damaged_requests())
def test_no_damage_to_a_chart_breaks_the_service(request: Json) -> None:
    never_breaks(json_text(request))


@pytest.mark.parametrize(
    "number", ["1e99999999999999999999", "-1e-99999999999999999999", "1e999", "9" * 5000, "0." + "1" * 5000]
)
def test_no_number_breaks_the_service(number: str) -> None:
    rows = [observation(PLATELETS, f"number:{number}"), observation(ALBUMIN_CODE, f"number:{number}", "g/L")]

    never_breaks(json_text(hook_request(*rows, albumin=bundle(*rows))))


ALBUMIN_CODE = "1751-7"


def test_generated_charts_reach_every_outcome_of_a_draw() -> None:
    """The generators are worth something only if their charts are decided now and then."""
    rows = [observation(code, value, when=days_ago(45)) for code, value in ((PLATELETS, 210), (NEUTROPHILS, 4))]

    assert told([*rows, observation(LYMPHOCYTES, 1, when=days_ago(45))])["outcome"] == "above-cutoff"
    assert told([*rows, observation(LYMPHOCYTES, 0, when=days_ago(45))])["reasons"] == ["zero-lymphocytes"]
    assert "missing-lymphocytes" in told(rows)["reasons"]
