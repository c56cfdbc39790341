"""A patient with years of draws that cannot be used costs in proportion to their number."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from cds_service.decision.reading_memory import ReadingMemory
from cds_service.decision.site import site_from_settings
from cds_service.insight.cohort.as_of import ChartAsOf
from cds_service.insight.cohort.assessing import Plan, assess_patient
from cds_service.insight.cohort.designs import parse_design
from cds_service.insight.cohort.export_heads import Head, HeadReader
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.settings import load_settings
from tests.support.cohort.assessed import DESIGNS, ENVIRONMENT
from tests.support.cohort.exports import encode
from tests.support.cohort.synthetic_resources import (
    CHEMOEMBOLIZATION,
    HCC,
    LYMPHOCYTES,
    NEUTROPHILS,
    PLATELETS,
    at_hour,
    condition,
    observation,
    patient,
    procedure,
)

if TYPE_CHECKING:
    import pytest

    from cds_service.acquisition.chart import LaboratoryChart
    from cds_service.insight.cohort.export_heads import Kind

SITE = site_from_settings(load_settings(None, ENVIRONMENT), SII_RECURRENCE_RISK)
MEMORY = ReadingMemory(SITE)
PLAN = Plan(site=SITE, designs=tuple(map(parse_design, DESIGNS)), name=str, memory=MEMORY, until=date(2030, 1, 1))
READER = HeadReader(SITE.mappings)
INDEX = date(2010, 1, 1)


def lines(draws: int) -> list[tuple[Kind, bytes]]:
    """A patient with a draw a day from the fifth week on, whose lymphocytes are never final."""
    held = [
        patient("p", birthDate="1950-01-01"),
        condition("c", "p", HCC, recordedDate="2009-12-01"),
        procedure("t", "p", CHEMOEMBOLIZATION, performedDateTime=at_hour(INDEX)),
    ]
    for number in range(draws):
        when = at_hour(INDEX + timedelta(days=29 + number))
        held += [
            observation(f"p{number}", "p", PLATELETS, 200, "10*9/L", when),
            observation(f"n{number}", "p", NEUTROPHILS, 4.0, "10*9/L", when),
            observation(f"l{number}", "p", LYMPHOCYTES, 1.2, "10*9/L", when, status="preliminary"),
        ]
    return [head[1:] for head in map(READER.read, map(encode, held)) if isinstance(head, Head)]


def results_read(draws: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many results all charts of an assessment hold together."""
    read = 0
    laboratory = ChartAsOf.laboratory

    def counted(chart: ChartAsOf, *dates: date) -> LaboratoryChart:
        nonlocal read
        found = laboratory(chart, *dates)
        read += len(found.blood_counts.resources)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(ChartAsOf, "laboratory", counted)
        assess_patient("p", lines(draws), PLAN)
    return read


def test_draws_that_are_never_final_leave_the_row_without_a_draw() -> None:
    rows = {row.design: row for row in assess_patient("p", lines(3), PLAN).rows}

    assert (rows["draw"].outcome, rows["draw"].decision) == ("indeterminate", INDEX + timedelta(days=29))


def test_twice_the_draws_that_cannot_be_used_are_read_twice_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every day is asked; what is read for a day must not grow with the years before it."""
    once, twice = (results_read(draws, monkeypatch) for draws in (200, 400))

    assert once < twice <= 2.5 * once
