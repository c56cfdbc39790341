"""The typed resources have every member that the core reads of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cds_service.acquisition import resources
from cds_service.normalization import shapes

PAIRS = [
    (shapes.CodingLike, resources.Coding),
    (shapes.ConceptLike, resources.CodeableConcept),
    (shapes.ReferenceLike, resources.Reference),
    (shapes.PeriodLike, resources.Period),
    (shapes.QuantityLike, resources.Quantity),
    (shapes.MeasurementLike, resources.Component),
    (shapes.ObservationLike, resources.Observation),
    (shapes.MalformedLike, resources.Malformed),
    (shapes.ConditionLike, resources.Condition),
    (shapes.ProcedureLike, resources.Procedure),
    (shapes.PatientLike, resources.Patient),
]


@pytest.mark.parametrize(("shape", "resource"), PAIRS, ids=lambda cell: cell.__name__)
def test_resource_has_every_member_of_its_shape(shape: type[Any], resource: type[Any]) -> None:
    members = {name for kind in shape.__mro__ for name, value in vars(kind).items() if isinstance(value, property)}

    assert members
    assert members <= set(dir(resource))
    assert members <= set(dir(resource())), "and an empty resource has defaults for all"


VERSIONS = [
    (b'{"versionId":"7"}', "7", "as FHIR has it"),
    (b'{"profile":["x"],"versionId":"7","tag":[{"code":"y"}]}', "7", "among other members"),
    (b"null", "", "nothing"),
    (b"{}", "", "no version"),
    (b'{"versionId":null}', "", "a null version"),
    (b'{"versionId":7}', "", "a number for an id"),
    (b'"7"', "", "a text for an object"),
    (b"[]", "", "a list for an object"),
    (b'{"versionId":"\xff"}', "", "no UTF-8"),
    (b'{"versionId":"7","tag":' + b"[" * 500 + b"]" * 500 + b"}", "7", "nested deeply"),
]


@pytest.mark.parametrize("kind", [resources.Condition, resources.Procedure, resources.Malformed])
@pytest.mark.parametrize(("meta", "version", "reason"), VERSIONS)
def test_version_that_cannot_be_read_makes_no_resource_malformed(
    kind: type[resources.Condition], meta: bytes, version: str, reason: str
) -> None:
    resource = msgspec.json.decode(b'{"id":"r","meta":' + meta + b"}", type=kind)

    assert (resource.id, resource.version) == ("r", version), reason


@pytest.mark.parametrize("kind", [resources.Condition, resources.Procedure, resources.Malformed])
def test_resource_without_meta_has_no_version(kind: type[resources.Condition]) -> None:
    assert msgspec.json.decode(b'{"id":"r"}', type=kind).version == ""
