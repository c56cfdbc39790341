"""What is remembered of codes and units from one chart to the next: no more than a bound, and nothing but the truth."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from cds_service.acquisition.resources import DescribedCoding, DescribedConcept, Quantity
from cds_service.clinical.models import Analyte, Basis
from cds_service.clinical.reasons import Reason
from cds_service.normalization.measures import Measure, Measures
from fhir_mappings import load_mappings
from tests.support.charts import NEUTROPHILS

LOINC = "http://loinc.org"
MAPPINGS = load_mappings()
COUNT = Quantity(unit="10*9/L", code="10*9/L")
MOST = 2_048


def concept(code: str = NEUTROPHILS, display: str | None = None) -> DescribedConcept:
    return DescribedConcept((DescribedCoding(LOINC, code, display),))


def test_measures_thousands_of_distinct_pairs_keep_a_bounded_number() -> None:
    measures = Measures(MAPPINGS)
    for number in range(3 * MOST):
        measures.find(concept(display=f"Neutrophils {number}"), COUNT)
        assert len(measures) <= MOST


@pytest.mark.parametrize(
    ("found_for", "reason"),
    [
        ((concept(display="x" * 2_000), COUNT), "a long name"),
        ((concept("y" * 2_000), COUNT), "a long code"),
        ((concept(), Quantity(unit="z" * 2_000)), "a long unit"),
        ((DescribedConcept(concept().coding, text="t" * 2_000), COUNT), "a long text"),
    ],
)
def test_measures_long_texts_are_not_kept(found_for: tuple[DescribedConcept, Quantity], reason: str) -> None:
    measures = Measures(MAPPINGS)
    measures.find(*found_for)

    assert len(measures) == 0, reason


def test_measures_name_of_another_type_is_looked_up_each_time() -> None:
    """As `sii-cds doctor` reads them: a name may be any JSON value, and some of them have no hash."""
    measures = Measures(MAPPINGS)
    coding: Any = SimpleNamespace(system=LOINC, code=NEUTROPHILS, display=["Neutrophils"])
    named: Any = UnhashableConcept([coding])

    found = measures.find(named, COUNT)

    assert found == measures.find(concept(), COUNT)


class UnhashableConcept:
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, coding: list[Any]) -> None:
        self.coding, self.text = coding, None

    def __eq__(self, other: object) -> bool:
        return self is other


@pytest.mark.parametrize(
    ("asked", "expected", "material", "reason"),
    [
        ((concept(), COUNT), (Analyte.NEUTROPHILS, Basis.ABSOLUTE, False), "", "as the table has it"),
        ((concept(), Quantity(unit="furlong")), Reason.UNIT_UNKNOWN, "", "the unit is judged with the code"),
        ((concept("1234-x"), COUNT), None, "", "no analyte of ours"),
        ((None, None), None, "", "no code at all"),
        ((concept(display="Neutrophils in ascitic fluid"), COUNT), "ours", "ascites", "the name tells of no blood"),
    ],
)
def test_measures_pair_means_the_same_however_often_it_is_asked(
    asked: tuple[DescribedConcept | None, Quantity | None], expected: object, material: str, reason: str
) -> None:
    measures = Measures(MAPPINGS)
    first = measures.find(*asked)

    assert measures.find(*asked) == Measures(MAPPINGS).find(*asked) == first, reason
    measure = first.measure
    if isinstance(expected, tuple):
        assert isinstance(measure, Measure)
        assert (measure.kind, measure.factor) == (expected, Decimal(1))
    elif isinstance(expected, Reason):
        assert isinstance(measure, Measure)
        assert measure.factor is expected
    elif expected is None:
        assert measure is None
    assert first.material == material, reason
