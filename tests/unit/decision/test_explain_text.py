"""An explanation as text: readable, and without any control character of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.cli.cross_check import cross_check
from cds_service.cli.explain_text import as_text
from cds_service.hooks.request import parse_cds_request
from tests.support.charts import (
    ALBUMIN,
    PLATELETS,
    Json,
    bundle,
    condition,
    days_ago,
    draw,
    hook_request,
    observation,
    procedure,
)
from tests.unit.decision.asking import EXACT_JSON, explanation

GOLDEN = Path(__file__).with_name("explained_chart.txt")
CHART = hook_request(
    *draw(when=days_ago(40), status="corrected"),
    *draw(150, 3, 2, when=days_ago(91)),
    observation(PLATELETS, 180, "furlong", when=days_ago(2), oid="bad-unit"),
    observation("718-7", 13, "g/dL", oid="hemoglobin"),
    conditions=bundle(condition(), condition("C22.1", verificationStatus={"coding": [{"code": "refuted"}]})),
    procedures=bundle(
        procedure(),
        procedure(id="undated", performedDateTime=None),
        procedure(id="x", status="stopped"),
        procedure("107963000", id="resection", when="2026-05-01"),
    ),
    albumin=bundle(observation(ALBUMIN, 3.8, "g/dL", when=days_ago(41), oid="albumin")),
)


def told(body: Json, **changes: Any) -> str:
    """The text of a chart, with versions that do not change when the mappings do."""
    found = explanation(body)
    found["crossCheck"] = cross_check(parse_cds_request(EXACT_JSON.encode(body)), found["observations"])
    found["versions"] = {"rule": "1.0.0", "mappings": "m", "configuration": "c"}
    return as_text(found | changes)


def test_text_of_a_chart_is_the_reviewed_one() -> None:
    assert f"{told(CHART)}\n" == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("body", "expected", "reason"),
    [
        (hook_request(conditions=bundle()), "Eligible: no, no-primary-liver-cancer. No confirmed diagnosis", "why not"),
        (hook_request(conditions=bundle()), "Observations: not looked at, or none delivered", "none looked at"),
        (hook_request(without=("patient",)), "Patient not delivered, or not readable: age or death was", "no Patient"),
        (hook_request(without=("patient", "albumin")), "Not delivered, or not completely: patient, albumin\n", "gaps"),
        (hook_request(*draw(lymphocytes=0)), "zero-lymphocytes: Lymphocytes are zero; SII is undefined.", "a sentence"),
        (hook_request(*draw(lymphocytes=0)), "usable, zero-lymphocytes", "the draw and its problem"),
        (hook_request(*draw(when=days_ago(91))), ", 1 day before the latest procedure", "one day is no days"),
        (hook_request(*draw(when=days_ago(91))), "  1 day before  decides", "one day is no days"),
        (hook_request(*draw(id=None), without=("albumin",)), "  (without id)  platelets ", "a result without id"),
        (
            hook_request(procedures=bundle(procedure(performedDateTime=None))),
            "undated: counted",
            "a procedure without date",
        ),
        (hook_request(procedures=bundle(procedure(status="stopped"))), "609232008: excluded, status-", "no date shown"),
    ],
)
def test_text_says(body: Json, expected: str, reason: str) -> None:
    assert expected in told(body), reason


def test_text_without_dated_procedure_shows_no_distance() -> None:
    text = told(hook_request(procedures=bundle(procedure(id="x", performedDateTime=None)), albumin=None))

    assert "no dated procedure" in text
    assert "None days" not in text


def test_text_of_a_draw_without_relation_says_when_blood_was_taken_alone() -> None:
    found = explanation(hook_request())["assessment"]
    without = {name: value for name, value in found.items() if name not in {"relation", "daysFromProcedure"}}

    assert "Blood taken 2026-10-14T18:00:00+08:00\n" in told(hook_request(), assessment=without)


@pytest.mark.parametrize(
    ("body", "heading", "reason"),
    [
        (hook_request(conditions=bundle()), "Complete blood draws", "no blood was looked at"),
        (hook_request(*draw(platelets=None)), "Complete blood draws", "no draw is complete"),
        (hook_request(*draw(lymphocytes=0)), "Strict FHIR R4B reading", "no Observation was used"),
        (hook_request(), "Observations not used", "all were"),
    ],
)
def test_text_leaves_out_a_section_that_holds_nothing(body: Json, heading: str, reason: str) -> None:
    assert heading not in told(body), reason


EVIL = "\x1b[31m\x07\r\n\u202ered\u200b\x9b"
UNREADABLE = condition(id=EVIL, code={"coding": [{"code": EVIL}]}, subject=5)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (hook_request(*draw(), observation(PLATELETS, 1, EVIL, oid="x")), "a unit"),
        (hook_request(*draw(), observation(PLATELETS, 1, oid=EVIL, status="draft")), "an id of an excluded result"),
        (hook_request(*draw(id=EVIL)), "an id of a result used, and read again by the strict reader"),
        (
            hook_request(*(o | {f"odd{EVIL}": 1} for o in draw())),
            "a member the strict reader objects to",
        ),
        (hook_request(*draw(), observation(EVIL, 1, oid="x")), "a code that is none of ours"),
        (hook_request(*draw(), observation(PLATELETS, EVIL, oid="x")), "a value"),
        (hook_request(*draw(), observation(PLATELETS, 1, oid="x", effectiveDateTime=EVIL)), "a time"),
        (hook_request(*draw(specimen={"reference": EVIL})), "a specimen"),
        (hook_request(conditions=bundle(condition(id=EVIL))), "an id of a Condition"),
        (hook_request(conditions=bundle(condition(), UNREADABLE)), "the code of a Condition that could not be read"),
        (hook_request(procedures=bundle(procedure(id=EVIL))), "an id of a Procedure"),
    ],
)
def test_text_keeps_control_characters_from_the_terminal(body: Json, reason: str) -> None:
    lines = told(body).split("\n")

    assert all(line.isprintable() for line in lines), reason
    assert not any(line.startswith("red") for line in lines), reason
