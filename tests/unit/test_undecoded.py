"""JSON is counted and taken apart without becoming objects."""

import json
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.undecoded import UNCOUNTED_BYTES, TooDeepError, elements, is_crowded, walk
from tests.benchmarks.bodies import patient_view_body

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES), st.sampled_from([None, 0, 2]))
def test_elements_of_any_array_are_those_of_the_json_reader(array: list[Any], indent: int | None) -> None:
    text = json.dumps(array, indent=indent, ensure_ascii=False).encode()

    assert [json.loads(element) for element in walk(text)] == array
    assert [json.loads(element) for element in elements(text)] == array


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r'["a\"]", "\\", "[,"]', "brackets and quotes inside texts"),
        ('[ [ ] , { } ,\n"" ]', "blanks"),
        ('[{"a":[{"b":"}"}]},-1.5e3,null]', "objects, numbers, words"),
        ("[  ]", "nothing but blanks"),
        ("[" + "{}," * 300_000 + "[]]", "crowded"),
    ],
)
def test_elements_of_an_array_end_where_they_end(text: str, reason: str) -> None:
    assert [json.loads(element) for element in walk(text.encode())] == json.loads(text), reason
    assert [json.loads(element) for element in elements(text.encode())] == json.loads(text), reason


def test_elements_are_yielded_up_to_one_that_is_too_deep() -> None:
    found = walk(f'["",{"[" * 24}{"]" * 24},{"[" * 25}{"]" * 25}]'.encode())

    assert [len(element) for element in islice(found, 2)] == [2, 48]
    with pytest.raises(TooDeepError):
        next(found)


@pytest.mark.parametrize(
    ("element", "crowded"),
    [("{}", True), ("[]", True), ("0", True), ('"",""', True), ('{"a":{"a":0}}', True), ("123456789", False)],
)
def test_long_text_of_short_values_is_crowded(element: str, crowded: bool) -> None:
    text = ",".join([element] * (UNCOUNTED_BYTES // len(element)))

    assert is_crowded(text.encode()) is crowded


def test_short_text_and_chart_of_any_length_are_not_crowded() -> None:
    assert not is_crowded(b"[" + b"{}," * 1_000 + b"{}]")
    assert not is_crowded(patient_view_body(4_000, eligible=True))
