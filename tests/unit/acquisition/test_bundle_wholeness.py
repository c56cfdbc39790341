"""Which Bundles answer a search, and whether they hold all that it found."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.acquisition.bundles import BundleFailedError
from tests.support.charts import Json, condition, patient
from tests.unit.acquisition.test_bundles import GOOD, GOOD_ENTRY, entries, outcome, read

# Type of the Bundle; whether it may answer a search.
TYPES: list[tuple[Any, bool, str]] = [
    ("searchset", True, "what a search brings"),
    ("collection", True, "what exports and test tools put together"),
    (None, True, "null is no type"),
    ("batch-response", False, "each entry has a status of its own, and may be another Bundle"),
    ("transaction-response", False, ""),
    ("history", False, "versions that do not hold any more"),
    ("document", False, ""),
    ("message", False, ""),
    ("batch", False, ""),
    ("transaction", False, ""),
    ("subscription-notification", False, "R5"),
    ("Searchset", False, "codes have a case"),
    ("", False, "empty"),
    (5, False, "a number"),
]


@pytest.mark.parametrize("company", [(), (GOOD_ENTRY,), (GOOD_ENTRY, None)], ids=["empty", "clean", "a bad entry"])
@pytest.mark.parametrize(("bundle_type", "answers", "reason"), TYPES)
def test_only_the_result_of_a_search_answers(
    bundle_type: Any, answers: bool, reason: str, company: tuple[Any, ...]
) -> None:
    if answers:
        assert len(read(entries(*company, type=bundle_type)).resources) == len(company[:1]), reason
    else:
        with pytest.raises(BundleFailedError):
            read(entries(*company, type=bundle_type))


def test_bundle_without_a_type_is_taken_for_the_result_of_a_search() -> None:
    assert len(read({"resourceType": "Bundle", "entry": [GOOD_ENTRY]}).resources) == 1


def found(mode: Any, resource: Any = GOOD) -> Json:
    return {"resource": resource, "search": {"mode": mode}}


WARNING_ENTRY = {"resource": outcome("warning")}
NEXT = {"link": [{"relation": "next", "url": "https://x/2"}]}

# The members of a Bundle; whether it lacks a part of what the search found.
TOTALS: list[tuple[Json, bool, str]] = [
    (entries(GOOD_ENTRY), False, "no total: nothing to compare with"),
    (entries(total=0), False, "nothing was found"),
    (entries(WARNING_ENTRY, total=0), False, "Epic's way to say no data"),
    (entries(total=5), True, "five were found, none was sent"),
    ({"resourceType": "Bundle", "type": "searchset", "total": 5}, True, "the same without a list of entries"),
    ({"resourceType": "Bundle", "total": 5}, True, "the same without a type"),
    (entries(GOOD_ENTRY, total=1), False, "all are there"),
    (entries(GOOD_ENTRY, total=2), True, "one is missing"),
    (entries(GOOD_ENTRY, GOOD_ENTRY, total=1), False, "more than told: some servers estimate"),
    (entries(GOOD_ENTRY, total=1, **NEXT), True, "a next page is one, whatever the total"),
    (entries(found("match"), total=1), False, "a match that says so"),
    (entries(found("match"), found("match"), total=2), False, ""),
    (entries(found("match"), found("include"), total=2), True, "what is included is no match"),
    (entries(found("match"), found("include", patient()), total=1), False, "nor need it be"),
    (entries(found("match"), found("include", patient()), total=2), True, "even where it is of another type"),
    (entries(GOOD_ENTRY, found("outcome", outcome("warning")), total=2), True, "an outcome is no match"),
    (entries(GOOD_ENTRY, WARNING_ENTRY, total=2), True, "nor where it does not say so"),
    (entries(found("Match"), total=1), True, "a mode that nobody knows"),
    (entries(found(None), total=1), False, "null for a mode"),
    (entries(found(5), total=1), False, "a mode that cannot be read is none"),
    (entries(GOOD_ENTRY, {"fullUrl": "https://x/Observation/2"}, total=2), True, "an entry without its resource"),
    (entries(GOOD_ENTRY, {"resource": None}, total=2), True, "null for a resource"),
    (entries(GOOD_ENTRY, None, total=2), False, "an unreadable entry came, and is told of as malformed"),
    (entries(GOOD_ENTRY, {"resource": GOOD | {"status": 5}}, total=2), False, "so did an unreadable resource"),
    (entries(GOOD_ENTRY, {"resource": condition()}, total=2), False, "a server that ignores the type asked for"),
    (entries(GOOD_ENTRY, total="2"), False, "a text tells no number"),
    (entries(GOOD_ENTRY, total=True), False, "nor does a truth value"),
    (entries(GOOD_ENTRY, total=None), False, "nor does null"),
    (entries(GOOD_ENTRY, total=-1), False, "less than nothing"),
    (entries(GOOD_ENTRY, type="collection", total=3), True, "a collection that tells more than it holds"),
]


@pytest.mark.parametrize(("value", "truncated", "reason"), TOTALS)
def test_fewer_matches_than_the_total_tells_are_not_the_whole(value: Json, truncated: bool, reason: str) -> None:
    assert read(value).truncated is truncated, reason
