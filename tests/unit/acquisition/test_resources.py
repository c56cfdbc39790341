"""The typed resources have every member that the core reads of them."""

from __future__ import annotations

from typing import Any

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
