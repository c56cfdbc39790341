"""Bundles: one bad entry costs that entry only, and a failure is never taken for "no data"."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cds_service.acquisition.bundles import BundleContent, BundleFailedError, BundleReader
from cds_service.acquisition.resources import Condition, Observation, Procedure
from tests.support.charts import Json, bundle, condition, observation, patient, procedure

READER = BundleReader(Observation)
GOOD = observation("751-8", 4.2, oid="good")


def read(value: Any) -> BundleContent[Observation]:
    """Read a Bundle given as data, or as bytes where the text matters."""
    return READER.read(msgspec.Raw(value if isinstance(value, bytes) else json.dumps(value).encode()))


def entries(*entry: Any, **members: Any) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entry)} | members


def outcome(*severities: Any) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": s, "code": "processing"} for s in severities]}


GOOD_ENTRY = {"resource": GOOD}

# An entry beside a good one; how many Observations and how many malformed ones come of the two.
ENTRIES: list[tuple[Any, int, int, str]] = [
    ({"resource": observation("751-8", 4.2, oid="other")}, 2, 0, "two good entries"),
    (None, 1, 1, "a null entry"),
    ({}, 1, 0, "an entry without a resource"),
    ({"resource": None}, 1, 0, "a null resource"),
    ({"fullUrl": "urn:uuid:1"}, 1, 0, "an address without a resource"),
    ({"response": {"status": "404"}}, 1, 0, "a response of a batch"),
    ("text", 1, 1, "a text for an entry"),
    ([], 1, 1, "a list for an entry"),
    ({"resource": "text"}, 1, 1, "a text for a resource"),
    ({"resource": []}, 1, 1, "a list for a resource"),
    ({"resource": {}}, 1, 1, "a resource that does not say what it is may be ours"),
    ({"resource": {k: v for k, v in GOOD.items() if k != "resourceType"}}, 1, 1, "the same, and all else is there"),
    ({"resource": GOOD | {"resourceType": None}}, 1, 1, "null for a type"),
    ({"resource": GOOD | {"resourceType": ""}}, 1, 1, "an empty type"),
    ({"resource": {"resourceType": "Alien", "subject": 5}}, 1, 0, "an unknown type is not read"),
    ({"resource": {"resourceType": 5}}, 1, 1, "a type that is no text"),
    ({"resource": {"resourceType": "Observation"}}, 2, 0, "an empty Observation; its members are missed later"),
    ({"resource": condition()}, 1, 0, "a type that was not asked for"),
    ({"resource": patient()}, 1, 0, "a Patient"),
    ({"resource": GOOD | {"status": 5}}, 1, 1, "a number for a code"),
    ({"resource": GOOD | {"id": 5}}, 1, 1, "a number for an id"),
    ({"resource": GOOD | {"code": "751-8"}}, 1, 1, "a text for a concept"),
    ({"resource": GOOD | {"code": {"coding": {"code": "751-8"}}}}, 1, 1, "an object for a list"),
    ({"resource": GOOD | {"subject": "Patient/p1"}}, 1, 1, "a text for a reference"),
    ({"resource": GOOD | {"subject": [{"reference": "Patient/p1"}]}}, 1, 1, "a list for a reference"),
    ({"resource": GOOD | {"valueQuantity": 4.2}}, 1, 1, "a number for a Quantity"),
    ({"resource": GOOD | {"valueQuantity": {"value": 4.2, "unit": 9}}}, 1, 1, "a number for a unit"),
    ({"resource": GOOD | {"effectiveDateTime": 20261014}}, 1, 1, "a number for a date"),
    ({"resource": GOOD | {"component": [{"code": 5}]}}, 1, 1, "a bad component"),
    ({"resource": GOOD | {"note": [{"text": 5}], "referenceRange": "?"}}, 2, 0, "members that are not read"),
    ({"resource": GOOD, "fullUrl": 5}, 2, 0, "an address that is no text"),
    ({"resource": GOOD, "search": 5}, 2, 0, "a member of the entry that is not read"),
]


@pytest.mark.parametrize(("entry", "good", "bad", "reason"), ENTRIES)
def test_one_entry_costs_that_entry_only(entry: Any, good: int, bad: int, reason: str) -> None:
    for company in ((entry, GOOD_ENTRY), (GOOD_ENTRY, entry), (GOOD_ENTRY, entry, None)):
        content = read(entries(*company))
        worse = len(company) - 2

        assert (len(content.resources), len(content.malformed)) == (good, bad + worse), reason
        assert any(resource.id == "good" for resource in content.resources)


NUMBERS = [
    ("1e999", 2, "a huge exponent is a number"),
    ("1e99999999999999999999", 1, "an exponent that Decimal refuses"),
    ("1e-99999999999999999999", 1, "a tiny one"),
    ("9" * 5000, 1, "a whole number of 5000 digits"),
    ("0." + "1" * 5000, 2, "a fraction of 5000 digits"),
    ("NaN", None, "no JSON"),
    ("01", None, "no JSON"),
]


@pytest.mark.parametrize(("number", "good", "reason"), NUMBERS, ids=lambda cell: str(cell)[:24])
def test_number_of_any_size_costs_at_most_its_entry(number: str, good: int | None, reason: str) -> None:
    text = json.dumps(entries(GOOD_ENTRY, {"resource": observation("751-8", "@", oid="other")}))
    body = text.replace('"value": "@"', f'"value": {number}').encode()
    if good is None:
        with pytest.raises(BundleFailedError):
            read(body)
    else:
        content = read(body)
        assert (len(content.resources), len(content.malformed)) == (good, 2 - good), reason


def test_numbers_keep_their_digits_in_clean_and_in_bad_company() -> None:
    text = json.dumps(entries({"resource": observation("751-8", "@")})).replace('"@"', "4.20")
    for body in (text, text.replace('"entry": [', '"entry": [null, ')):
        (resource,) = read(body.encode()).resources
        assert resource.valueQuantity is not None
        assert str(resource.valueQuantity.value) == "4.20"
        assert isinstance(resource.valueQuantity.value, Decimal)


def test_invalid_utf8_costs_its_entry_only() -> None:
    bad = observation("751-8", 4.2, oid="bad", status="@")
    body = json.dumps(entries({"resource": bad}, GOOD_ENTRY)).encode().replace(b'"@"', b'"\xff\xfe"')
    content = read(body)

    assert [resource.id for resource in content.resources] == ["good"]
    assert [malformed.id for malformed in content.malformed] == ["bad"]


def test_lone_surrogate_costs_the_text_it_stands_in() -> None:
    content = read(entries({"resource": GOOD | {"status": "\ud800", "id": "cut"}}, GOOD_ENTRY))

    assert [(resource.id, resource.status) for resource in content.resources] == [("cut", "\ufffd"), ("good", "final")]


@pytest.mark.parametrize(
    ("depth", "is_read", "reason"),
    [(200, True, "deeper than any resource"), (100_000, False, "an attack: the whole Bundle cannot be read")],
)
def test_deep_nesting_never_raises_anything_else(depth: int, is_read: bool, reason: str) -> None:
    deep = "[" * depth + "]" * depth
    bad = observation("751-8", 4.2, oid="bad", extension="@", valueString="@", status=5)
    body = json.dumps(entries({"resource": bad}, GOOD_ENTRY)).replace('"@"', deep).encode()
    if is_read:
        content = read(body)
        assert [resource.id for resource in content.resources] == ["good"], reason
        assert [malformed.id for malformed in content.malformed] == ["bad"]
    else:
        with pytest.raises(BundleFailedError):
            read(body)


MALFORMED = [
    (GOOD | {"status": 5}, "good", True, "its code can still be read"),
    (GOOD | {"status": 5, "code": 5}, "good", False, "not even its code"),
    (GOOD | {"status": 5, "code": {"coding": [{"code": 751}]}}, "good", False, "a code that is a number"),
    (GOOD | {"id": 5}, None, False, "an id that is a number"),
    ({k: v for k, v in GOOD.items() if k != "resourceType"}, "good", True, "no type: nobody knows that it is ours"),
]


@pytest.mark.parametrize(("resource", "identity", "has_code", "reason"), MALFORMED)
def test_malformed_resource_keeps_what_can_be_read(
    resource: Json, identity: str | None, has_code: bool, reason: str
) -> None:
    (malformed,) = read(entries({"resource": resource})).malformed

    assert (malformed.id, malformed.code is not None) == (identity, has_code), reason


@pytest.mark.parametrize("name", ["entry", "link"])
def test_null_list_is_an_empty_one(name: str) -> None:
    assert read(entries() | {name: None}) == BundleContent()


@pytest.mark.parametrize(
    "value",
    [
        b"null",
        b'"text"',
        b"5",
        b"true",
        b"[]",
        b"{}",
        b"",
        b"{",
        b'{"resourceType": null}',
        b'{"resourceType": 5, "entry": []}',
        b'{"resourceType": "bundle", "entry": []}',
        b'{"resourceType": "Observation", "status": "final"}',
        b'{"resourceType": "Observation", "entry": [null]}',
        b'{"resourceType": "Bundle", "entry": {}}',
        b'{"resourceType": "Bundle", "entry": "none"}',
        b'{"resourceType": "Bundle", "link": "next"}',
        b'{"resourceType": "Bundle", "link": [{"relation": 5}]}',
    ],
)
def test_bundle_of_another_form_is_a_failed_answer(value: bytes) -> None:
    with pytest.raises(BundleFailedError):
        read(value)


# Severities of an OperationOutcome in the Bundle; whether it makes the answer a failed one.
OUTCOMES = [
    (("warning",), False, "Epic says no data this way"),
    (("information",), False, ""),
    (("success",), False, "R5"),
    (("warning", "information"), False, ""),
    (("error",), True, ""),
    (("fatal",), True, ""),
    (("warning", "error"), True, "one error among warnings"),
    (("Error",), True, "not a code of the value set, so nobody knows that it is harmless"),
    (("",), True, "empty"),
    ((None,), True, "null"),
    ((5,), True, "a number"),
    ((), True, "no issue at all"),
]


@pytest.mark.parametrize(("severities", "fails", "reason"), OUTCOMES)
def test_outcome_in_the_bundle_fails_it_unless_it_is_harmless(
    severities: tuple[Any, ...], fails: bool, reason: str
) -> None:
    for others in ((), (GOOD_ENTRY,)):
        value = entries(*others, {"resource": outcome(*severities), "search": {"mode": "outcome"}}, total=len(others))
        if fails:
            with pytest.raises(BundleFailedError):
                read(value)
        else:
            content = read(value)
            assert (len(content.resources), content.malformed) == (len(others), ()), reason


@pytest.mark.parametrize("issue", [{}, "failed", None, [{}], ["failed"]])
def test_outcome_that_does_not_tell_its_level_fails_the_bundle(issue: Any) -> None:
    with pytest.raises(BundleFailedError):
        read(entries({"resource": {"resourceType": "OperationOutcome", "issue": issue}}))


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_outcome_in_place_of_the_bundle_fails(severity: str) -> None:
    with pytest.raises(BundleFailedError):
        read(outcome(severity))


LINKS = [
    ([{"relation": "self", "url": "https://x/1"}, {"relation": "next", "url": "https://x/2"}], "https://x/2", ""),
    ([{"relation": "self", "url": "https://x/1"}], None, "no further page"),
    ([{"relation": "next"}], None, "a link without an address"),
    ([{"relation": "next", "url": ""}], None, "an empty address"),
    ([{"url": "https://x/2"}], None, "a link without a relation"),
    ([{"relation": "Next", "url": "https://x/2"}], None, "another relation"),
    ([], None, ""),
]


@pytest.mark.parametrize("company", [(GOOD_ENTRY,), (GOOD_ENTRY, None)], ids=["clean", "beside a bad entry"])
@pytest.mark.parametrize(("links", "expected", "reason"), LINKS)
def test_next_page_is_the_link_of_that_name(
    links: list[Json], expected: str | None, reason: str, company: tuple[Any, ...]
) -> None:
    assert read(entries(*company, link=links)).next_url == expected, reason


@pytest.mark.parametrize(
    ("entry", "expected", "reason"),
    [
        ({"fullUrl": "urn:uuid:1", "resource": patient()}, {"urn:uuid:1": "p1"}, "an address and an id"),
        ({"resource": patient()}, {}, "no address"),
        ({"fullUrl": "", "resource": patient()}, {}, "an empty address"),
        ({"fullUrl": 1, "resource": patient()}, {}, "an address that is no text"),
        ({"fullUrl": "urn:uuid:1", "resource": patient(id=None)}, {}, "no id"),
        ({"fullUrl": "urn:uuid:1", "resource": condition()}, {}, "another resource"),
    ],
)
def test_patients_of_the_bundle_are_known_by_their_address(entry: Json, expected: dict[str, str], reason: str) -> None:
    content = read(entries(entry, GOOD_ENTRY))

    assert content.patients == expected, reason
    assert len(content.resources) == 1


def test_each_reader_keeps_its_own_type() -> None:
    mixed = msgspec.Raw(json.dumps(bundle(GOOD, condition(), procedure(), patient())).encode())

    assert [type(r) for r in READER.read(mixed).resources] == [Observation]
    assert [type(r) for r in BundleReader(Condition).read(mixed).resources] == [Condition]
    assert [type(r) for r in BundleReader(Procedure).read(mixed).resources] == [Procedure]
