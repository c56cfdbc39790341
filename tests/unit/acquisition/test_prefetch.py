"""Prefetch keys in their four states, and the Patient."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.acquisition import prefetch
from cds_service.acquisition.bundles import BundleReader
from cds_service.acquisition.prefetch import KeyState
from cds_service.acquisition.resources import Condition, Observation, Procedure
from cds_service.errors import PatientMismatchError
from cds_service.hooks.request import CDSRequest, parse_cds_request
from tests.support.charts import ALBUMIN, Json, bundle, condition, hook_request, observation, patient, procedure

READERS: dict[str, tuple[BundleReader[Any], Json]] = {
    prefetch.BLOOD_COUNTS: (BundleReader(Observation), observation("751-8", 4.2)),
    prefetch.ALBUMIN: (BundleReader(Observation), observation(ALBUMIN, 38, "g/L")),
    prefetch.CONDITIONS: (BundleReader(Condition), condition()),
    prefetch.PROCEDURES: (BundleReader(Procedure), procedure()),
}
EMPTY = bundle()
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "security"}]}


def requested(**keys: Any) -> CDSRequest:
    return parse_cds_request(json.dumps(hook_request(**keys)).encode())


STATES: list[tuple[Any, KeyState, str]] = [
    (None, KeyState.NO_DATA, "null: the client looked and found nothing"),
    (EMPTY, KeyState.NO_DATA, "a Bundle without matches"),
    ({"resourceType": "Bundle"}, KeyState.NO_DATA, "a Bundle without entries"),
    ({"resourceType": "Bundle", "total": 0, "entry": None}, KeyState.NO_DATA, "null entries"),
    (bundle(WARNING) | {"total": 0}, KeyState.NO_DATA, "Epic's way to say no data"),
    (bundle(patient()), KeyState.NO_DATA, "a Bundle of other things"),
    (bundle(ERROR) | {"total": 0}, KeyState.FAILED, "an error in a Bundle"),
    (ERROR, KeyState.FAILED, "an error alone"),
    (WARNING, KeyState.FAILED, "a warning alone is no Bundle"),
    ("", KeyState.FAILED, "a text"),
    ("no access", KeyState.FAILED, "a text"),
    (0, KeyState.FAILED, "a number"),
    (False, KeyState.FAILED, "a truth value"),
    ([], KeyState.FAILED, "a list"),
    ({}, KeyState.FAILED, "an object without a type"),
    (patient(), KeyState.FAILED, "another resource"),
    ({"resourceType": "Bundle", "entry": "many"}, KeyState.FAILED, "a Bundle that cannot be read"),
]


@pytest.mark.parametrize("key", READERS)
@pytest.mark.parametrize(("value", "state", "reason"), STATES)
def test_key_is_in_one_of_four_states(value: Any, state: KeyState, reason: str, key: str) -> None:
    read = prefetch.read_key(requested(**{key: value}), key, READERS[key][0])

    assert read.state is state, reason
    assert read.content.resources == ()
    assert read.state.is_answered == (state is KeyState.NO_DATA)


@pytest.mark.parametrize("key", READERS)
def test_missing_key_was_not_asked_for(key: str) -> None:
    request = parse_cds_request(json.dumps(hook_request(without=(key,))).encode())

    read = prefetch.read_key(request, key, READERS[key][0])

    assert (read.state, read.state.is_answered) == (KeyState.MISSING, False)


@pytest.mark.parametrize("key", READERS)
def test_key_with_resources_is_present(key: str) -> None:
    reader, resource = READERS[key]

    read = prefetch.read_key(requested(**{key: bundle(resource)}), key, reader)

    assert (read.state, read.state.is_answered, len(read.content.resources)) == (KeyState.PRESENT, True, 1)


@pytest.mark.parametrize("key", READERS)
def test_key_with_nothing_but_a_bad_entry_is_present(key: str) -> None:
    reader, resource = READERS[key]

    read = prefetch.read_key(requested(**{key: bundle(resource | {"subject": 5})}), key, reader)

    assert (read.state, len(read.content.malformed)) == (KeyState.PRESENT, 1)


@pytest.mark.parametrize("key", READERS)
def test_the_resource_itself_is_no_bundle(key: str) -> None:
    reader, resource = READERS[key]

    assert prefetch.read_key(requested(**{key: resource}), key, reader).state is KeyState.FAILED


def test_white_space_around_null_is_nothing() -> None:
    body = json.dumps(hook_request(conditions="@")).replace('"@"', "\n null\t").encode()

    assert prefetch.read_key(parse_cds_request(body), "conditions", BundleReader(Condition)).state is KeyState.NO_DATA


PATIENTS: list[tuple[Any, str]] = [
    (None, "null"),
    ("p1", "a text"),
    ([], "a list"),
    ({}, "an object"),
    (ERROR, "an error"),
    (bundle(patient()), "a Bundle"),
    (patient(id=None), "a Patient without an id cannot be told apart"),
    (patient(id=""), "an empty id"),
    (patient(id=5), "an id that is a number"),
]


@pytest.mark.parametrize(("value", "reason"), PATIENTS)
def test_patient_that_cannot_be_read_is_no_patient(value: Any, reason: str) -> None:
    assert prefetch.read_patient(requested(patient=value)) is None, reason


def test_patient_key_may_be_missing() -> None:
    request = parse_cds_request(json.dumps(hook_request(without=("patient",))).encode())

    assert prefetch.read_patient(request) is None


def test_patient_of_the_context_is_read() -> None:
    read = prefetch.read_patient(requested(patient=patient(deceasedBoolean=True, name=[{"text": 5}])))

    assert read is not None
    assert (read.id, read.birthDate, read.deceasedBoolean) == ("p1", "1958-03-04", True)


@pytest.mark.parametrize(
    "value",
    [patient(id="p2"), patient(id="P1"), patient(id="Patient/p1"), patient(id="p2", birthDate=5)],
    ids=["another id", "another case", "a reference", "another id, and unreadable"],
)
def test_another_patient_is_refused(value: Json) -> None:
    with pytest.raises(PatientMismatchError):
        prefetch.read_patient(requested(patient=value))
