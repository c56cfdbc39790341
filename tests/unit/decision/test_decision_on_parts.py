"""What a decision says where the chart may hold more than was delivered, or than could be read."""

from __future__ import annotations

import pytest

from cds_service.errors import DataUnavailableError
from tests.support.charts import Json, bundle, condition, draw, hook_request, procedure
from tests.unit.decision.asking import assessment

NEXT = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
UNREADABLE_CONDITION = {"resourceType": "Condition", "id": "odd", "code": "C22.0"}


@pytest.mark.parametrize(
    ("key", "resources"),
    [
        ("conditions", [condition()]),
        ("procedures", [procedure()]),
        ("bloodCounts", draw()),
    ],
)
def test_decision_with_a_page_missing_says_so_and_decides_all_the_same(key: str, resources: list[Json]) -> None:
    keys: Json = {key: bundle(*resources, link=NEXT)}

    found = assessment(hook_request(**keys))

    assert (found["outcome"], found["reasons"]) == ("above-cutoff", ["truncated"])


@pytest.mark.parametrize(
    ("key", "resources"),
    [
        ("conditions", [condition()]),
        ("procedures", [procedure()]),
        ("bloodCounts", draw()),
    ],
)
def test_decision_with_matches_missing_says_so_and_decides_all_the_same(key: str, resources: list[Json]) -> None:
    keys: Json = {key: bundle(*resources, total=900)}

    found = assessment(hook_request(**keys))

    assert (found["outcome"], found["reasons"]) == ("above-cutoff", ["truncated"])


@pytest.mark.parametrize("key", ["conditions", "procedures", "bloodCounts"])
def test_decision_on_what_answers_no_search_is_refused(key: str) -> None:
    answer: Json = {"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "500"}}]}
    keys: Json = {key: answer}

    with pytest.raises(DataUnavailableError) as raised:
        assessment(hook_request(**keys))

    assert raised.value.keys == (key,)


UNTYPED_CONDITION = {name: member for name, member in condition().items() if name != "resourceType"}


@pytest.mark.parametrize(
    ("keys", "reasons", "reason"),
    [
        ({"conditions": bundle(total=5)}, ["truncated"], "it may be one of those not sent"),
        ({"procedures": bundle(total=5)}, ["truncated"], "the same for procedures"),
        (
            {"conditions": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": UNTYPED_CONDITION}]}},
            ["no-primary-liver-cancer", "malformed"],
            "it may be the one that does not say what it is",
        ),
        ({"bloodCounts": bundle(total=5)}, None, "results were found, and none was sent"),
        ({"conditions": bundle(link=NEXT)}, ["truncated"], "it may be on the next page"),
        (
            {"procedures": bundle(link=NEXT)},
            ["truncated"],
            "it may be on the next page",
        ),
        (
            {"conditions": bundle(UNREADABLE_CONDITION)},
            ["no-primary-liver-cancer", "malformed"],
            "it may be the one that could not be read",
        ),
        (
            {"conditions": bundle(UNREADABLE_CONDITION, link=NEXT)},
            ["malformed", "truncated"],
            "or either",
        ),
        (
            {"procedures": bundle({"resourceType": "Procedure", "status": []})},
            ["no-interventional-procedure", "malformed"],
            "the same for procedures",
        ),
        ({"bloodCounts": bundle(link=NEXT)}, None, "nothing delivered, but more to come"),
    ],
)
def test_decision_names_what_may_have_hidden_the_answer(keys: Json, reasons: list[str] | None, reason: str) -> None:
    found = assessment(hook_request(**keys))

    if reasons is None:
        assert found["reasons"][-1] == "truncated", reason
    else:
        assert found["reasons"] == reasons, reason
