"""The fast reader beside fhir.resources (R4B), which keeps to the letter of FHIR.

Where both read an Observation they must read the same. Where they do not, the table says why that is right.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.observation import Observation as StrictObservation
from hypothesis import given
from pydantic import ValidationError

from cds_service.acquisition.bundles import BundleReader
from cds_service.acquisition.resources import Observation
from cds_service.clinical.models import EffectiveTime
from cds_service.clinical.reasons import Reason
from tests.support.charts import Json, bundle, observation
from tests.support.strategies import json_text, results
from tests.unit.normalization.reading import times

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples"
READER = BundleReader(Observation)
IMPRECISE = str(Reason.IMPRECISE_TIME)

View = dict[str, Any] | None


def fast(text: str) -> View:
    """Read an Observation as a hook does; None when it is malformed."""
    content = READER.read(msgspec.Raw(json_text(bundle()).replace("[]", f'[{{"resource": {text}}}]').encode()))
    if content.malformed:
        return None
    (found,) = content.resources
    read = times().read_observation(found)
    return _members(found) | {
        "id": found.id,
        "status": found.status,
        "version": found.version,
        "taken": (read.instant or read.day) if isinstance(read, EffectiveTime) else str(read),
        "issued": times().read_issued(found.issued),
        "other": found.has_other_value,
        "components": [_members(component) for component in found.component],
        "absent": found.dataAbsentReason is not None,
    }


def strict(text: str) -> View:
    """Read an Observation by the letter of FHIR; None when it is refused."""
    try:
        found = StrictObservation.model_validate_json(text)
    except ValidationError:
        return None
    period = found.effectivePeriod
    taken = found.effectiveDateTime or found.effectiveInstant or (period and (period.end or period.start))
    others = (name for name in type(found).model_fields if name.startswith("value") and not name.endswith("__ext"))
    return _members(found) | {
        "id": found.id,
        "status": found.status,
        "version": (found.meta and found.meta.versionId) or "",
        "taken": taken if isinstance(taken, (date, datetime)) else IMPRECISE if taken else "no-effective-time",
        "issued": found.issued,
        "other": any(getattr(found, name) is not None for name in others if name != "valueQuantity"),
        "components": [_members(component) for component in found.component or ()],
        "absent": found.dataAbsentReason is not None,
    }


def _members(found: Any) -> dict[str, Any]:
    quantity = found.valueQuantity
    names = ("value", "comparator", "unit", "code")
    return {
        "codings": [(coding.system, coding.code) for coding in (found.code and found.code.coding) or ()],
        "quantity": quantity and tuple(getattr(quantity, name) for name in names),
        **{name: _reference(found, name) for name in ("subject", "specimen")},
    }


def _reference(found: Any, name: str) -> str | None:
    reference = getattr(found, name, None)
    return None if reference is None else reference.reference


# A date-time without a zone is the one form of the generators that FHIR does not allow.
@given(results().filter(lambda resource: len(resource["effectiveDateTime"]) != len("2026-10-14T08:00:00")))
def test_generated_observations_are_read_alike(resource: Json) -> None:
    text = json_text(resource)

    assert strict(text) is not None
    assert fast(text) == strict(text)


def observations_of(resource: Any) -> list[Json]:
    """Find the Observations of a sample, also inside a Bundle of a Bundle."""
    if resource.get("resourceType") == "Observation":
        return [resource]
    return [found for entry in resource.get("entry", ()) for found in observations_of(entry["resource"])]


SAMPLE_FILES = sorted(SAMPLES.glob("*json"))


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.name)
def test_observations_of_the_samples_are_read_alike(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    resources = [json.loads(line) for line in text.splitlines()] if path.suffix == ".ndjson" else [json.loads(text)]
    found = [json.dumps(each) for resource in resources for each in observations_of(resource)]

    assert found
    for each in found:
        assert fast(each) is not None
        assert fast(each) == strict(each)


BASE = observation("751-8", 4.2, oid="n1", when="2026-10-14T08:00:00Z")


def with_members(**members: Any) -> Json:
    return {name: value for name, value in (BASE | members).items() if value is not None}


def coded(coding: Any) -> Json:
    return with_members(code={"coding": coding})


def measured(**quantity: Any) -> Json:
    return with_members(valueQuantity={"value": 4.2, "unit": "10*9/L"} | quantity)


LENIENT = [
    (with_members(status=None), "a status that is missing is a reason of its own"),
    (with_members(code=None), "an Observation without a code is none of ours, not a failure"),
    (with_members(id="n_1"), "servers with underscores in their ids exist"),
    (with_members(effectiveDateTime="2026-10-14T08:00:00"), "without a zone: the site's zone"),
    (with_members(effectiveDateTime="2026-10-14T08:00Z"), "without seconds: met in the field"),
    (with_members(effectiveDateTime="2026-10-14t08:00:00z"), "small letters: ISO 8601 allows them"),
    (with_members(effectiveDateTime="2026-10-14T08:00:00+0200"), "an offset without colon: ISO 8601 allows it"),
    (with_members(effectiveDateTime="soon"), "garbage is a reason of its own"),
    (with_members(issued="2026-10-14"), "`issued` ranks duplicates only"),
    (with_members(effectivePeriod={"start": "2026-10-14"}), "two effective times: the dateTime is asked first"),
    (with_members(valueString="4.2"), "two values: the Quantity counts"),
    (with_members(local="x"), "members that are not read cannot hurt"),
    (with_members(note=[{"text": 5}]), "nor can what they hold"),
    (measured(unit=""), "an empty unit is a missing one"),
    (measured(value=True), "a truth value is a reason of its own"),
    (measured(value="NaN"), "text is a reason of its own"),
    (coded([{"system": "http://loinc.org", "code": " 751-8"}]), "a code with a space is no code of ours"),
]


@pytest.mark.parametrize(("resource", "reason"), LENIENT)
def test_fast_reader_is_lenient_where_the_strict_one_refuses(resource: Json, reason: str) -> None:
    text = json.dumps(resource)

    assert strict(text) is None
    assert fast(text) is not None, reason


SEVERE = [
    (coded(None), "a null list; FHIR JSON has no null here"),
    (with_members(effectiveDateTime=20261014), "a number: the strict reader takes it for seconds since 1970"),
]


@pytest.mark.parametrize(("resource", "reason"), SEVERE)
def test_fast_reader_refuses_what_the_strict_one_guesses(resource: Json, reason: str) -> None:
    text = json.dumps(resource)

    assert strict(text) is not None
    assert fast(text) is None, reason


DIFFERENT = [
    (measured(value="4.2"), "quantity", "text for a number: the strict reader makes a number of it, we do not"),
    (with_members(effectiveDateTime="2026-10-14T23:59:60Z"), "taken", "a leap second: kept as text, malformed here"),
]


@pytest.mark.parametrize(("resource", "member", "reason"), DIFFERENT)
def test_readers_differ_in_one_member(resource: Json, member: str, reason: str) -> None:
    ours, theirs = fast(json.dumps(resource)), strict(json.dumps(resource))

    assert ours is not None
    assert theirs is not None
    assert {name for name in ours if ours[name] != theirs[name]} == {member}, reason


BOTH_REFUSE = [
    (with_members(status=5), "a number for a code"),
    (with_members(subject="Patient/p1"), "text for a reference"),
    (coded({"code": "751-8"}), "an object for a list"),
    (coded([None]), "a null in a list"),
    (with_members(meta={"versionId": 5}), "a number for an id"),
]


@pytest.mark.parametrize(("resource", "reason"), BOTH_REFUSE)
def test_both_readers_refuse_a_wrong_type(resource: Json, reason: str) -> None:
    text = json.dumps(resource)

    assert (fast(text), strict(text)) == (None, None), reason


def test_both_readers_read_every_member_that_is_used() -> None:
    component = {"code": {"coding": [{"system": "s", "code": "c"}]}, "valueQuantity": {"value": 2, "unit": "%"}}
    resource = with_members(
        meta={"versionId": "3"},
        specimen={"reference": "Specimen/s"},
        issued="2026-10-14T09:00:00Z",
        effectiveDateTime=None,
        effectivePeriod={"start": "2026-10-14T07:00:00Z", "end": "2026-10-14T08:00:00Z"},
        valueQuantity={"value": 4.2, "comparator": "<", "unit": "G/L", "code": "10*9/L"},
        component=[component],
        dataAbsentReason=None,
    )
    text = json.dumps(resource)

    view = fast(text)
    assert view is not None
    assert view == strict(text)
    assert all(view[name] for name in view if name not in ("other", "absent"))
