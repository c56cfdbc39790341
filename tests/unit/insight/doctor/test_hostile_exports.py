"""Whatever an export holds, doctor ends with a report: broken members, hostile numbers, foreign resources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click import unstyle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.insight.doctor.document import document
from cds_service.reports.as_json import as_json
from cds_service.reports.as_text import as_text
from tests.support.hospital import hospital
from tests.unit.insight.doctor.examining import examined_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.charts import Json

LINES = [
    b'{"resourceType":"Observation"}',
    b'{"resourceType":"Observation","code":null,"subject":null,"status":null}',
    b'{"resourceType":"Observation","code":{"coding":null}}',
    b'{"resourceType":"Observation","code":{"coding":[null]}}',
    b'{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"777-3"}]},'
    b'"valueQuantity":{"value":1e999,"unit":"10*9/L"}}',
    b'{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"777-3"}]},'
    b'"valueQuantity":{"value":' + b"9" * 5000 + b',"unit":"10*9/L"}}',
    b'{"resourceType":"Observation","code":{"text":"\\u0007\\u001b[31mPlatelets\\ud800"}}',
    b'{"resourceType":"Observation","code":{"coding":[{"code":"' + b"x" * 100_000 + b'"}]}}',
    b'{"resourceType":"Observation","effectiveDateTime":"9999-12-31","component":[{"code":{"text":"PLT"}}]}',
    b'{"resourceType":"Patient","id":null}',
    b'{"resourceType":"Patient","id":"a/../b","birthDate":"x"}',
    b'{"resourceType":"Condition","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"C22.0"}]}}',
    b'{"resourceType":"Procedure","status":7}',
    b'{"resourceType":null}',
    b'{"resourceType":"Account","subject":[{"reference":"Patient/p001"}]}',
    b"[" * 5000,
    b"\xff\xfe{}",
    b"NaN",
    b'"text"',
]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_odd_line_leaves_the_rest_as_it_is(line: bytes, tmp_path: Path) -> None:
    folder = hospital(10).export(tmp_path / "export")
    with (folder / "Observation.000.ndjson").open("ab") as file:
        file.write(line + b"\n")

    report = examined_folder(folder)

    assert report.draws["withCompleteDraw"] == 10
    assert "\x1b[31mPlatelets" not in as_text(document(report), 80)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_export_with_any_member_replaced_gives_a_report(tmp_path: Path, data: st.DataObject) -> None:
    resources = hospital(3).resources()
    for resource in resources:
        _replace_somewhere(resource, data)
    (tmp_path / "all.ndjson").write_text("".join(json.dumps(resource) + "\n" for resource in resources))

    report = examined_folder(tmp_path, mask=0)

    assert json.loads(as_json(report))["formatVersion"] == 1
    assert all(character.isprintable() or character == "\n" for character in unstyle(as_text(document(report), 80)))


def _replace_somewhere(resource: Json, data: st.DataObject) -> None:
    """Put any value somewhere into a resource."""
    place: Any = resource
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
        else:
            place[key] = data.draw(VALUES)
            return
