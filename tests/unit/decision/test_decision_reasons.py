"""Every reason code of a draw or an Observation, from FHIR to the assessment: what it is for and what it leads to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.clinical.reasons import Reason
from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    bundle,
    days_ago,
    draw,
    hook_request,
    observation,
    procedure,
)
from tests.unit.decision.asking import assessment

if TYPE_CHECKING:
    from collections.abc import Callable

NEXT = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]


def platelets(**members: Any) -> list[Json]:
    """A draw whose platelets are changed."""
    first, *others = draw()
    return [{name: member for name, member in (first | members).items() if member is not None}, *others]


def quantity(**members: Any) -> Json:
    return {"value": 210, "unit": "10*9/L", "code": "10*9/L"} | members


def with_procedures(*performed: str | None) -> Json:
    done = [procedure(id=f"pr{n}", performedDateTime=when) for n, when in enumerate(performed)]
    return hook_request(procedures=bundle(*done))


def shares(neutrophils: float, lymphocytes: float) -> list[Json]:
    return [
        observation(PLATELETS, 210),
        observation(NEUTROPHILS_SHARE, neutrophils, "%"),
        observation(LYMPHOCYTES_SHARE, lymphocytes, "%"),
    ]


# What the chart holds; the reasons; the exclusions; why.
CASES: list[tuple[str, Json, list[str], dict[str, int], str]] = [
    ("missing-neutrophils", hook_request(*draw(neutrophils=None)), ["missing-neutrophils"], {}, "not there"),
    ("missing-lymphocytes", hook_request(*draw(lymphocytes=None)), ["missing-lymphocytes"], {}, "not there"),
    ("missing-platelets", hook_request(*draw(platelets=None)), ["missing-platelets"], {}, "not there"),
    (
        "no-complete-draw",
        hook_request(*draw(platelets=None), *draw(neutrophils=None, lymphocytes=None, when=days_ago(35))),
        ["no-complete-draw"],
        {},
        "five days apart",
    ),
    (
        "mixed-basis",
        hook_request(observation(PLATELETS, 210), observation(NEUTROPHILS, 6), observation(LYMPHOCYTES_SHARE, 25, "%")),
        ["no-complete-draw", "mixed-basis"],
        {},
        "a count beside a percentage",
    ),
    (
        "stale",
        hook_request(*draw(when=days_ago(91)), procedures=bundle(procedure(when=days_ago(300)[:10]))),
        ["stale"],
        {},
        "91 days old",
    ),
    ("post-procedure-window", with_procedures(days_ago(60)[:10]), ["post-procedure-window"], {}, "20 days after"),
    ("outside-baseline-window", with_procedures(days_ago(5)[:10]), ["outside-baseline-window"], {}, "35 days before"),
    ("procedure-date-missing", with_procedures(None), ["procedure-date-missing"], {}, "undated"),
    ("zero-lymphocytes", hook_request(*draw(lymphocytes=0)), ["zero-lymphocytes"], {}, "SII is undefined"),
    (
        "conflicting-results",
        hook_request(*draw(), observation(PLATELETS, 310, oid="another")),
        ["conflicting-results"],
        {},
        "two values of equal rank",
    ),
    (
        "differential-inconsistent",
        hook_request(*draw(), observation(NEUTROPHILS_SHARE, 40, "%"), observation(LYMPHOCYTES_SHARE, 40, "%")),
        ["differential-inconsistent"],
        {},
        "3.4 by counts, 1 by percentages",
    ),
    (
        "truncated",
        hook_request(bloodCounts=bundle(*draw(platelets=None), link=NEXT)),
        ["missing-platelets", "truncated"],
        {},
        "the platelets may be on the next page",
    ),
    (
        "code-conflict",
        hook_request(
            *platelets(code={"coding": [{"system": "http://loinc.org", "code": c} for c in (PLATELETS, NEUTROPHILS)]})
        ),
        ["missing-platelets", "code-conflict"],
        {"code-conflict": 1},
        "two meanings",
    ),
    (
        "status-not-accepted",
        hook_request(*platelets(status="preliminary")),
        ["missing-platelets", "status-not-accepted"],
        {"status-not-accepted": 1},
        "not final",
    ),
    (
        "subject-mismatch",
        hook_request(*platelets(subject={"reference": "Patient/p2"})),
        ["missing-platelets", "subject-mismatch"],
        {"subject-mismatch": 1},
        "another patient",
    ),
    (
        "subject-missing",
        hook_request(*platelets(subject=None)),
        ["missing-platelets", "subject-missing"],
        {"subject-missing": 1},
        "no patient",
    ),
    (
        "unit-missing",
        hook_request(*platelets(valueQuantity={"value": 210})),
        ["missing-platelets", "unit-missing"],
        {"unit-missing": 1},
        "no unit",
    ),
    (
        "unit-unknown",
        hook_request(*platelets(valueQuantity=quantity(unit="furlong", code="furlong"))),
        ["missing-platelets", "unit-unknown"],
        {"unit-unknown": 1},
        "no unit of the table",
    ),
    (
        "unit-conflict",
        hook_request(*platelets(valueQuantity=quantity(unit="/uL"))),
        ["missing-platelets", "unit-conflict"],
        {"unit-conflict": 1},
        "code and text differ by a thousand",
    ),
    (
        "property-conflict",
        hook_request(*platelets(valueQuantity=quantity(unit="%", code="%"))),
        ["missing-platelets", "property-conflict"],
        {"property-conflict": 1},
        "a share under the code of a count",
    ),
    (
        "platelet-clumping",
        hook_request(*draw(), observation("7796-6", 0, oid="clumps", valueQuantity=None, valueString="Moderate")),
        ["missing-platelets", "platelet-clumping"],
        {"platelet-clumping": 1},
        "clumps in the same blood",
    ),
    (
        "specimen-not-blood",
        hook_request(*platelets(bodySite={"text": "Bone marrow"})),
        ["missing-platelets", "specimen-not-blood"],
        {"specimen-not-blood": 1},
        "of marrow",
    ),
    (
        "fraction-mislabelled",
        hook_request(*shares(0.7, 25)),
        ["missing-neutrophils", "fraction-mislabelled"],
        {"fraction-mislabelled": 1},
        "only one looks like a fraction",
    ),
    (
        "value-missing",
        hook_request(*platelets(valueQuantity=None)),
        ["missing-platelets", "value-missing"],
        {"value-missing": 1},
        "no value",
    ),
    (
        "value-not-numeric",
        hook_request(*platelets(valueQuantity=None, valueString="normal")),
        ["missing-platelets", "value-not-numeric"],
        {"value-not-numeric": 1},
        "text",
    ),
    (
        "comparator",
        hook_request(*platelets(valueQuantity=quantity(comparator="<"))),
        ["missing-platelets", "comparator"],
        {"comparator": 1},
        "only a bound",
    ),
    (
        "data-absent",
        hook_request(*platelets(dataAbsentReason={"text": "clotted"})),
        ["missing-platelets", "data-absent"],
        {"data-absent": 1},
        "said to be absent",
    ),
    (
        "no-effective-time",
        hook_request(*platelets(effectiveDateTime=None)),
        ["missing-platelets", "no-effective-time"],
        {"no-effective-time": 1},
        "not dated",
    ),
    (
        "imprecise-time",
        hook_request(*platelets(effectiveDateTime="2026-10")),
        ["missing-platelets", "imprecise-time"],
        {"imprecise-time": 1},
        "the month alone",
    ),
    (
        "future-time",
        hook_request(*platelets(effectiveDateTime=days_ago(-1))),
        ["missing-platelets", "future-time"],
        {"future-time": 1},
        "tomorrow",
    ),
    (
        "implausible",
        hook_request(*platelets(valueQuantity=quantity(value=Decimal("2000.1")))),
        ["missing-platelets", "implausible"],
        {"implausible": 1},
        "beyond the range",
    ),
    (
        "malformed",
        hook_request(*platelets(status=[])),
        ["missing-platelets", "malformed"],
        {"malformed": 1},
        "a list for a status",
    ),
]
NOT_ELIGIBLE = {
    "no-primary-liver-cancer",
    "no-interventional-procedure",
    "under-age",
    "deceased",
    "recurrence-known",
    "record-replaced",
    "histology-not-studied",
    "metastasis-known",
    "liver-transplanted",
    "beyond-follow-up",
}
# They are told of Conditions and Procedures (`chartExclusions`).
OF_THE_CHART = {"body-site-elsewhere", "other-indication", "diagnosis-after-procedure"}


@pytest.mark.parametrize(("code", "body", "reasons", "exclusions", "why"), CASES, ids=lambda case: str(case)[:30])
def test_reason_is_reached_from_a_chart(
    code: str, body: Json, reasons: list[str], exclusions: dict[str, int], why: str
) -> None:
    found = assessment(body)

    assert (found["outcome"], found["reasons"]) == ("indeterminate", reasons), why
    assert found.get("exclusions", {}) == exclusions, why
    assert code in found["reasons"], why
    assert not {"sii", "basis", "sampleTime", "relation", "daysFromProcedure"} & set(found), why


def test_reasons_are_all_reached() -> None:
    assert {code for code, *_ in CASES} == {str(reason) for reason in Reason} - NOT_ELIGIBLE - OF_THE_CHART


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda: observation(NEUTROPHILS, 6, status="cancelled", oid="x"), "another result of what is there"),
        (lambda: observation(LYMPHOCYTES, 2, "furlong", oid="x"), "another result of what is there"),
        (lambda: observation("1751-7", 38, "furlong", oid="x"), "albumin"),
    ],
)
def test_exclusion_that_led_nowhere_is_counted_and_gives_no_reason(changed: Callable[[], Json], reason: str) -> None:
    found = assessment(hook_request(*draw(), changed()))

    assert found["outcome"] == "above-cutoff", reason
    assert sum(found["exclusions"].values()) == 1, reason
    assert "reasons" not in found, reason
