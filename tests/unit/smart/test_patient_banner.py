"""Who a page is about, whatever form the Patient has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import LaunchUpstreamError
from cds_service.smart.patient_banner import read_banner


def banner(**members: Any) -> tuple[str, str, str]:
    return tuple(read_banner(json.dumps({"resourceType": "Patient", "id": "p1"} | members).encode(), "p1"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("name", "shown", "reason"),
    [
        ([{"family": "Zhang", "given": ["Wei", "Li"]}], "Wei Li Zhang", "parts"),
        ([{"text": "张伟", "family": "Zhang"}], "张伟", "the text as it is to be read"),
        ([{"use": "old", "text": "Before"}, {"text": "Now"}], "Now", "an old name comes last"),
        ([{"use": "nickname", "text": "Joe"}, {"use": "official", "text": "Joseph"}], "Joseph", "the official one"),
        ([{"use": "old", "text": "Before"}], "Before", "better than none"),
        ([{}, {"text": "B"}], "B", "an empty name is none"),
        ([], "", "none"),
        (None, "", "no member"),
        ("Zhang", "", "no list"),
        ([7, None, {"given": "Wei", "family": 3}], "", "other types"),
        ([{"text": "a\nb\tc\u202ed"}], "a b c?d", "one printable line"),
        ([{"text": "x" * 5000}], "x" * 120, "the beginning of a long one"),
    ],
)
def test_name(name: Any, shown: str, reason: str) -> None:
    assert banner(name=name)[0] == shown, reason


@pytest.mark.parametrize(
    ("identifiers", "shown", "reason"),
    [
        ([{"value": "1"}, {"type": {"coding": [{"code": "MR"}]}, "value": "2"}], "2", "the record number first"),
        ([{"type": {"coding": [{"code": "SS"}]}, "value": "1"}], "1", "any other is better than none"),
        (
            [
                {"type": {"coding": [{"code": "MR"}]}, "value": "old", "use": "old"},
                {"type": {"coding": [{"code": "MR"}]}, "value": "new"},
            ],
            "new",
            "not the old one",
        ),
        ([{"type": "MR", "value": "3"}], "3", "a type of another type"),
        ([{"value": ""}, {"value": 7}], "p1", "none: the id"),
        (None, "p1", "none: the id"),
    ],
)
def test_record_number(identifiers: Any, shown: str, reason: str) -> None:
    assert banner(identifier=identifiers)[2] == shown, reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "nothing"),
        (b"[]", "a list"),
        (b'{"resourceType":"Patient"}', "nobody"),
        (b'{"resourceType":"Patient","id":"p2"}', "another one"),
        (b'{"resourceType":"Patient","id":["p1"]}', "a list"),
        (b'{"resourceType":"Person","id":"p1"}', "no Patient"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_resource_that_is_not_the_patient_of_the_token_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(LaunchUpstreamError) as error:
        read_banner(raw, "p1")
    assert error.value.reason == "patient", reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "identifier", "birthDate"), json_values)))
def test_any_json_gives_a_banner_with_a_number(members: dict[str, Any]) -> None:
    name, born, number = banner(**members)

    assert number
    assert all(isinstance(text, str) and len(text) <= 120 and text.isprintable() for text in (name, born, number))
