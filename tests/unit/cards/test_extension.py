"""The assessment as data: which members come with which outcome (design 5a)."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.cards.extension import EXTENSION_NAME, assessment_extension
from cds_service.clinical.assessment import assess, refuse_ineligible
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.clinical.models import Analyte, BloodCounts
from cds_service.clinical.outcomes import NotEligible
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii
from tests.unit.cards.assessments import PROCEDURE, TAKEN, decided, draw_of_shares, indeterminate
from tests.unit.clinical.values import NOW, POLICY, at, day, draw, eligible, excluded

if TYPE_CHECKING:
    from cds_service.clinical.outcomes import Assessment

ODD = excluded(Analyte.PLATELETS, Reason.UNIT_UNKNOWN)
ABOVE: dict[str, Any] = {
    "outcome": "above-cutoff",
    "sii": "700.000",
    "basis": "absolute",
    "sampleTime": "2026-02-18T07:15:00+08:00",
    "relation": "after",
    "daysFromProcedure": 40,
    "cutoff": "405.08",
    "ruleVersion": "2.0.0",
}


def with_exclusions() -> Assessment:
    counts = BloodCounts((draw(TAKEN),), excluded=(ODD, ODD, excluded(None, Reason.MALFORMED)))
    return assess(compute_sii, eligible(PROCEDURE), counts, (), POLICY, NOW)


@pytest.mark.parametrize(
    ("assessment", "expected", "reason"),
    [
        (decided(), ABOVE, "above: neither reasons nor exclusions"),
        (
            decided(draw(TAKEN, ("405.08", "1", "1"))),
            ABOVE | {"outcome": "not-above-cutoff", "sii": "405.080"},
            "not above",
        ),
        (
            decided(draw(TAKEN, ("405.08" + "0" * 10 + "1", "1", "1"))),
            ABOVE | {"sii": "405.08" + "0" * 10 + "1"},
            "as many decimals as it takes",
        ),
        (
            decided(draw_of_shares(("70", "%", "0.7"), ("25", "%", "0.25"))),
            ABOVE | {"sii": "588.000", "basis": "percent"},
            "shares",
        ),
        (
            decided(draw(at(day(70)))),
            ABOVE | {"sampleTime": "2025-12-30", "relation": "before", "daysFromProcedure": 10},
            "a day alone; days are never negative",
        ),
        (
            decided(draw(at(day(60), "07:00")), procedures=(at(day(60), "09:00"),)),
            ABOVE | {"sampleTime": "2026-01-09T07:00:00+08:00", "relation": "before", "daysFromProcedure": 0},
            "zero days are said",
        ),
        (
            decided(procedures=()),
            {name: value for name, value in ABOVE.items() if name not in {"relation", "daysFromProcedure"}},
            "no procedure is dated: there is nothing to count from",
        ),
        (with_exclusions(), ABOVE | {"exclusions": {"malformed": 1, "unit-unknown": 2}}, "what was not used"),
        (
            decided(pages_missing=True),
            ABOVE | {"reasons": ["truncated"]},
            "a page that could not be followed is said with every outcome, and is the one reason beside a decision",
        ),
        (
            decided(policy=replace(POLICY, cutoff=Decimal("4E+2"))),
            ABOVE | {"cutoff": "400"},
            "the cut-off of the site, without exponent",
        ),
        (
            indeterminate(Reason.STALE, Reason.TRUNCATED),
            {
                "outcome": "indeterminate",
                "reasons": ["stale", "truncated"],
                "cutoff": "405.08",
                "ruleVersion": "2.0.0",
            },
            "indeterminate: no SII, no time, no distance",
        ),
        (
            indeterminate(Reason.MISSING_PLATELETS, exclusions={Reason.UNIT_UNKNOWN: 2}),
            {
                "outcome": "indeterminate",
                "reasons": ["missing-platelets"],
                "exclusions": {"unit-unknown": 2},
                "cutoff": "405.08",
                "ruleVersion": "2.0.0",
            },
            "with what was not used",
        ),
        (
            refuse_ineligible(Reason.NO_PRIMARY_LIVER_CANCER, (Reason.MALFORMED,), POLICY),
            {
                "outcome": "not-eligible",
                "reasons": ["no-primary-liver-cancer", "malformed"],
                "cutoff": "405.08",
                "ruleVersion": "2.0.0",
            },
            "not eligible: blood was not looked at",
        ),
    ],
)
def test_extension_holds_exactly_what_the_outcome_calls_for(
    assessment: Assessment, expected: dict[str, Any], reason: str
) -> None:
    # By way of JSON: what a client reads are plain texts and numbers.
    assert json.loads(json.dumps(assessment_extension(RULE_VERSION, assessment))) == expected, reason


def test_extension_has_its_stable_name() -> None:
    assert EXTENSION_NAME == "org.sii-cds.assessment"


def test_extension_conditions_and_procedures_that_do_not_count_are_counted_by_reason() -> None:
    refused = NotEligible(cutoff=Decimal("405.08"), reasons=(Reason.NO_PRIMARY_LIVER_CANCER,))
    facts = (Reason.STATUS_NOT_ACCEPTED, Reason.MALFORMED, Reason.STATUS_NOT_ACCEPTED)
    told = assessment_extension(RULE_VERSION, refused, facts)
    assert told["chartExclusions"] == {"malformed": 1, "status-not-accepted": 2}
    assert "chartExclusions" not in assessment_extension(RULE_VERSION, refused)
