"""What a Bundle holds is counted before it becomes objects: entries, and the parts of a resource."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from cds_service.acquisition import prefetch
from cds_service.acquisition.bundles import BundleContent, BundleReader
from cds_service.acquisition.prefetch import KeyState
from cds_service.acquisition.resources import MOST_PARTS, Condition, Observation, Patient, Procedure
from cds_service.hooks.request import PrefetchKeys, parse_cds_request
from cds_service.insight.doctor.resources import NamedCondition, NamedProcedure
from cds_service.undecoded import UNCOUNTED_BYTES
from tests.support.charts import PATIENT_ID, Json, bundle, condition, hook_request, observation

READER = BundleReader(Observation)
GOOD = observation("751-8", 4.2, oid="good")
CODING = {"system": "http://loinc.org", "code": "751-8"}
# Longer than what is decoded at once, and nothing but short values.
CROWD = "[" + ",".join(["{}"] * (UNCOUNTED_BYTES // 2)) + "]"


def read(entries: list[Any], most: int = 5_000, **texts: str) -> BundleContent[Observation]:
    """Read a Bundle of these entries; each "@name" in it is replaced by the text of that name."""
    body = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries})
    for name, text in texts.items():
        body = body.replace(f'"@{name}"', text)
    return READER.read(msgspec.Raw(body.encode()), most)


@pytest.mark.parametrize(
    ("entries", "most", "ids", "cut", "reason"),
    [
        ([GOOD] * 3, 3, 3, False, "as many as may be"),
        ([GOOD] * 4, 3, 3, True, "one more, all of them clean"),
        ([GOOD, {}, GOOD, GOOD], 3, 2, True, "one that is empty counts"),
        ([GOOD, GOOD | {"status": 5}, GOOD, GOOD], 3, 2, True, "one that cannot be read counts"),
        ([GOOD], 0, 0, True, "no more may be read of this search"),
        ([], 0, 0, False, "nor is there any"),
    ],
)
def test_entries_beyond_the_limit_are_not_read(
    entries: list[Json], most: int, ids: int, cut: bool, reason: str
) -> None:
    content = read([{"resource": entry} if entry else {} for entry in entries], most)

    assert (len(content.resources), content.is_cut, content.truncated) == (ids, cut, cut), reason


@pytest.mark.parametrize(
    ("part", "filler"),
    [("component", {"valueBoolean": True}), ("focus", {"reference": f"Patient/{PATIENT_ID}"}), ("coding", CODING)],
)
@pytest.mark.parametrize("number", [MOST_PARTS, MOST_PARTS + 1])
def test_resource_of_too_many_parts_is_malformed_and_costs_no_other(part: str, filler: Json, number: int) -> None:
    crowded = observation("751-8", 4.2, oid="crowded")
    (crowded["code"] if part == "coding" else crowded)[part] = [filler] * number

    content = read([{"resource": crowded}, {"resource": GOOD}])

    expected = (["crowded", "good"], []) if number == MOST_PARTS else (["good"], ["crowded"])
    assert ([r.id for r in content.resources], [m.id for m in content.malformed]) == expected
    assert not content.truncated


@pytest.mark.parametrize(
    ("crowded", "read_ids", "malformed", "cut", "reason"),
    [
        (["@crowd"], ["good"], 1, False, "an entry that is no object"),
        ([{"resource": GOOD | {"component": "@crowd"}}], ["good"], 1, False, "components"),
        ([{"resource": GOOD | {"valueQuantity": {"value": "@crowd"}}}], ["good"], 1, False, "a value"),
        ([{"resource": GOOD | {"id": 7, "extension": "@crowd"}}], ["good"], 1, False, "a resource that is not read"),
        ([{}] * 4_999, ["good"], 0, True, "many empty entries beside a crowd"),
    ],
)
def test_crowded_bundle_is_read_as_far_as_memory_goes(
    crowded: list[Any], read_ids: list[str], malformed: int, cut: bool, reason: str
) -> None:
    content = read([{"resource": GOOD}, *crowded, {"resource": GOOD | {"extension": "@crowd"}}], crowd=CROWD)

    assert [resource.id for resource in content.resources][:1] == read_ids, reason
    assert len(content.malformed) >= malformed, reason
    assert content.is_cut is cut, reason


def test_entries_of_a_crowd_are_cut_like_others() -> None:
    body = b'{"resourceType":"Bundle","entry":' + CROWD.encode() + b"}"

    content = READER.read(msgspec.Raw(body))

    assert (content.resources, content.malformed, content.truncated) == ((), (), True)


def test_search_that_is_cut_is_answered_and_truncated() -> None:
    chart = hook_request(conditions=bundle(*[condition()] * 3))
    request = parse_cds_request(json.dumps(chart).encode())

    found = prefetch.read_key(request, prefetch.CONDITIONS, BundleReader(Condition), 2)

    assert (found.state, len(found.content.resources), found.content.truncated) == (KeyState.PRESENT, 2, True)


@pytest.mark.parametrize(
    ("members", "expected", "reason"),
    [
        ({"birthDate": "1958-03-04"}, ("1958-03-04", None), "what is short is read"),
        (
            {"birthDate": "@crowd", "deceasedBoolean": True},
            ((None,), True),
            "a crowd is no date and not none: the Patient cannot be read whole",
        ),
    ],
)
def test_patient_that_is_crowded_is_read_by_its_short_members(members: Json, expected: Any, reason: str) -> None:
    sent = {"resourceType": "Patient", "id": PATIENT_ID, "extension": "@crowd"} | members
    text = json.dumps(sent).replace('"@crowd"', CROWD)

    patient = prefetch.parse_patient(msgspec.Raw(text.encode()), PATIENT_ID)

    assert patient is not None
    assert (patient.birthDate, patient.deceasedBoolean) == expected, reason


def test_prefetch_keys_are_those_that_the_flow_reads() -> None:
    known = {prefetch.PATIENT, prefetch.CONDITIONS, prefetch.PROCEDURES, prefetch.BLOOD_COUNTS, prefetch.ALBUMIN}

    assert set(PrefetchKeys.__struct_fields__) == known


def test_unknown_prefetch_key_becomes_nothing() -> None:
    body = json.dumps(hook_request() | {"prefetch": {"conditions": bundle(), "other": "x", "more": {}}}).encode()

    assert list(parse_cds_request(body).prefetch) == ["conditions"]


@pytest.mark.parametrize("resource", [Observation, Condition, Procedure, Patient, NamedCondition, NamedProcedure])
def test_every_list_that_is_read_of_a_resource_has_a_limit(resource: type) -> None:
    limits = list(_limits(inspect.type_info(resource), resource.__name__))

    assert [place for place, limit in limits if limit is None or limit > MOST_PARTS] == []
    assert limits


def _limits(found: inspect.Type, place: str) -> Iterator[tuple[str, int | None]]:
    """Yield the place of each list, and how many elements it may have."""
    if isinstance(found, inspect.StructType):
        for field in found.fields:
            yield from _limits(field.type, f"{place}.{field.name}")
    elif isinstance(found, inspect.UnionType):
        for part in found.types:
            yield from _limits(part, place)
    elif isinstance(found, inspect.CollectionType):
        yield place, found.max_length
        yield from _limits(found.item_type, place)
    elif isinstance(found, inspect.TupleType):
        yield place, len(found.item_types)


def test_patient_every_member_of_the_resource_is_read_by_prefetch() -> None:
    sent: Json = {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "birthDate": "1960-05-05",
        "deceasedBoolean": False,
        "deceasedDateTime": "2026-01-01",
        "link": [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}],
    }
    text = json.dumps(sent).encode()

    assert {name for name in Patient.__struct_fields__ if name not in sent} == {"modifierExtension"}
    assert prefetch.parse_patient(msgspec.Raw(text), PATIENT_ID) == msgspec.json.decode(text, type=Patient)


def test_patient_with_more_links_than_a_person_has_records_cannot_be_checked() -> None:
    text = json.dumps({"resourceType": "Patient", "id": PATIENT_ID, "link": [{}] * 30_000})

    assert prefetch.parse_patient(msgspec.Raw(text.encode()), PATIENT_ID) is None
