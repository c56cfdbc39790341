"""The strict reading of the Observations used: objections are told, and nothing makes it stumble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.cli.cross_check import cross_check
from cds_service.hooks.request import parse_cds_request
from tests.support.charts import ALBUMIN, PLATELETS, Json, bundle, draw, hook_request, observation
from tests.unit.decision.asking import EXACT_JSON, explanation

if TYPE_CHECKING:
    from collections.abc import Iterable


def checked(body: Json) -> list[Json]:
    return cross_check(parse_cds_request(EXACT_JSON.encode(body)), explanation(body)["observations"])


def changed(draws: Iterable[Json], **members: Any) -> list[Json]:
    """Change the platelets of a draw."""
    return [o | members if o["code"]["coding"][0]["code"] == PLATELETS else o for o in draws]


@pytest.mark.parametrize(
    ("members", "objections", "reason"),
    [
        ({}, [], "sound"),
        ({"odd": 1}, ["odd: extra_forbidden"], "a member FHIR does not know"),
        ({"issued": "2026-10-14"}, ["issued: value_error"], "an instant without time"),
        ({"contained": [{"resourceType": 5}]}, ["not readable (TypeError)"], "the strict reader stumbles"),
        ({"contained": [{"resourceType": "Odd"}]}, ["not readable (KeyError)"], "the strict reader stumbles"),
    ],
)
def test_cross_check_tells_the_objections(members: Json, objections: list[str], reason: str) -> None:
    found = checked(hook_request(*changed(draw(), id="plt", **members)))

    assert found[0]["reference"] == "Observation/plt"
    assert [o.partition(",")[0] for o in found[0]["objections"]] == objections, reason
    assert [row["objections"] for row in found[1:]] == [[], [], []], reason


@pytest.mark.parametrize(
    ("body", "references", "reason"),
    [
        (hook_request(*draw(lymphocytes=0)), 0, "nothing was used"),
        (hook_request(conditions=bundle()), 0, "nobody looked"),
        (hook_request(*draw(id=None), without=("albumin",)), 0, "none has an id to find it by"),
        (hook_request(*draw(), observation(PLATELETS, 1, "furlong", oid="x")), 4, "only what was used"),
        (hook_request(*draw(), albumin=bundle(*draw(), observation(ALBUMIN, 38, "g/L"))), 4, "each once"),
    ],
)
def test_cross_check_reads_what_was_used(body: Json, references: int, reason: str) -> None:
    assert len(checked(body)) == references, reason


def test_cross_check_of_what_cannot_be_read_again_says_so() -> None:
    # The service reads the members it needs and skips a number that no reader of everything can hold.
    sound = EXACT_JSON.encode(hook_request(*draw(), without=("albumin",)))
    body = sound.replace(b'"status":"final"', b'"status":"final","odd":' + b"9" * 5000, 1)

    found = cross_check(parse_cds_request(body), explanation(body)["observations"])

    assert sorted(row["objections"] for row in found) == [["not readable"]] * 3
    assert [row["reference"] for row in found] == sorted(row["reference"] for row in found)
