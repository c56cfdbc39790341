"""What is dated after a decision, whatever it says, changes nothing of the decision."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.timing import Relation
from cds_service.decision.flow import decide_chart
from cds_service.decision.reading_memory import ReadingMemory
from cds_service.decision.site import site_from_settings
from cds_service.insight.cohort.as_of import ChartAsOf, decide_as_of, end_of
from cds_service.insight.cohort.assessing import Plan, assess_patient
from cds_service.insight.cohort.designs import parse_design
from cds_service.insight.cohort.export_heads import Head, HeadReader
from cds_service.insight.cohort.patient_record import read_record
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.settings import load_settings
from tests.support.cohort.assessed import DESIGNS, ENVIRONMENT
from tests.support.cohort.exports import encode, resources
from tests.support.cohort.stories import RARE, cohort
from tests.support.cohort.synthetic_resources import (
    BONE_METASTASIS,
    HCC,
    LIVER_SECONDARY,
    LYMPHOCYTES,
    MICROWAVE_ABLATION,
    NEUTROPHILS,
    PLATELETS,
    STATUS_SYSTEM,
    at_hour,
    coded,
    condition,
    observation,
    procedure,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.insight.cohort.as_of import Moment
    from cds_service.insight.cohort.patient_record import PatientRecord
    from cds_service.insight.cohort.rows import AssessedRow
    from tests.support.cohort.histories import History
    from tests.support.cohort.synthetic_resources import Json

    Later = Callable[[str, date, int], Json]

SITE = site_from_settings(load_settings(None, ENVIRONMENT), SII_RECURRENCE_RISK)
MEMORY = ReadingMemory(SITE)
PLAN = Plan(site=SITE, designs=tuple(map(parse_design, DESIGNS)), name=str, memory=MEMORY, until=date(2030, 1, 1))
READER = HeadReader(SITE.mappings)
HISTORIES = cohort(3 * len(RARE), seed=31)


def recorded(coding: tuple[str, str], **members: Any) -> Later:
    return lambda p, day, n: condition(f"later-{n}", p, coding, recordedDate=day.isoformat(), **members)


def performed(**members: Any) -> Later:
    return lambda p, day, n: procedure(
        f"later-{n}", p, MICROWAVE_ABLATION, **{"performedDateTime": at_hour(day), **members}
    )


def measured(code: str, value: Any, unit: str, **members: Any) -> Later:
    return lambda p, day, n: observation(f"later-{n}", p, code, value, unit, at_hour(day), **members)


# What may come later, on a day; each of them would change a decision if it counted.
LATER: tuple[Later, ...] = (
    recorded(LIVER_SECONDARY),
    recorded(BONE_METASTASIS, onsetDateTime="2000-01-01"),
    recorded(HCC, clinicalStatus=coded((STATUS_SYSTEM + "condition-clinical", "recurrence"))),
    recorded(("x", "y"), modifierExtension=[{"url": "x"}]),
    performed(),
    performed(status="in-progress"),
    lambda p, day, n: procedure(
        f"later-{n}", p, MICROWAVE_ABLATION, performedPeriod={"start": "2012-01-01", "end": at_hour(day)}
    ),
    measured(PLATELETS, 900, "10*9/L"),
    measured(NEUTROPHILS, 90, "furlong"),
    measured(LYMPHOCYTES, "text", "10*9/L", status=7),
)


def assessed(history: History, found: list[Json]) -> dict[str, AssessedRow]:
    heads = [head for head in map(READER.read, map(encode, found)) if isinstance(head, Head)]
    return {row.design: row for row in assess_patient(history.patient, [h[1:] for h in heads], PLAN).rows}


def is_later(resource: Json, day: date) -> bool:
    names = ("recordedDate", "performedDateTime", "issued")
    texts = [resource[name] for name in names if resource.get(name)]
    texts += [resource["performedPeriod"]["end"]] if "performedPeriod" in resource else []
    return any(text[:10] > day.isoformat() for text in texts)


def decision(row: AssessedRow) -> tuple[Any, ...]:
    """What was decided, without what became of the patient."""
    return (*row[:8], *row[11:])


@given(data=st.data(), history=st.sampled_from([h for h in HISTORIES if h.has_index and not h.undatable]))
def test_decision_is_the_same_whatever_comes_later(data: st.DataObject, history: History) -> None:
    held = list(resources(history))
    before = assessed(history, held)
    for design in ("baseline", "landmark:90"):
        day = before[design].decision
        kept = [r for r in held if not is_later(r, day) or data.draw(st.booleans())]
        if design != "baseline":
            # Whether somebody is there at the landmark is no decision: contacts and events after it are left alone.
            kept = held
        further = [
            make(history.patient, day + timedelta(days=data.draw(st.integers(1, 2_000))), number)
            for number, make in enumerate(data.draw(st.lists(st.sampled_from(LATER), max_size=4)))
        ]
        after = assessed(history, [*kept, *further])[design]

        assert decision(after) == decision(before[design])


@given(data=st.data(), history=st.sampled_from([h for h in HISTORIES if h.has_index and not h.undatable]))
def test_first_draw_that_decides_stays_the_first_whatever_comes_later(data: st.DataObject, history: History) -> None:
    held = list(resources(history))
    before = assessed(history, held)["draw"]
    if not before.entered:
        return
    make = data.draw(st.sampled_from(LATER))
    further = make(history.patient, before.decision + timedelta(days=data.draw(st.integers(1, 2_000))), 0)

    assert decision(assessed(history, [*held, further])["draw"]) == decision(before)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: f"{history.patient}-{history.story}")
def test_rule_on_the_newest_results_says_what_it_says_on_all(history: History) -> None:
    heads = [h for h in map(READER.read, map(encode, resources(history))) if isinstance(h, Head)]
    record = read_record(history.patient, [h[1:] for h in heads], MEMORY.times(end_of(history.index, SITE).now))
    for days in (0, 28, 45, 90, 365):
        moment = end_of(history.day(days), SITE)
        narrow = decide_as_of(record, moment, SITE, MEMORY).assessment
        wide = decide_chart(whole(record, moment), history.patient, SITE, moment.now).assessment

        assert narrow.outcome == wide.outcome
        assert getattr(narrow, "reasons", ()) == getattr(wide, "reasons", ())
        assert getattr(narrow, "sii", None) == getattr(wide, "sii", None)
        assert getattr(narrow, "timed", None) == getattr(wide, "timed", None)


@given(data=st.data(), history=st.sampled_from([h for h in HISTORIES if h.has_index and h.draws]))
def test_what_may_still_decide_decides_as_all_results_do(data: st.DataObject, history: History) -> None:
    """Of the days behind the first draw only the results that may still decide are read."""
    held = [_maybe_unusable(data, resource) for resource in resources(history)]
    heads = [h for h in map(READER.read, map(encode, held)) if isinstance(h, Head)]
    record = read_record(history.patient, [h[1:] for h in heads], MEMORY.times(end_of(history.index, SITE).now))
    moment = end_of(history.day(data.draw(st.integers(0, 400))), SITE)

    few = decide_as_of(record, moment, SITE, MEMORY, is_whole=False).assessment
    wide = decide_chart(whole(record, moment), history.patient, SITE, moment.now).assessment

    assert _decided_afterwards(few) == _decided_afterwards(wide)
    assert (few.outcome == "not-eligible") == (wide.outcome == "not-eligible")


def _maybe_unusable(data: st.DataObject, resource: Json) -> Json:
    if resource["resourceType"] == "Observation" and data.draw(st.booleans()):
        return {**resource, "status": "preliminary"}
    return resource


def _decided_afterwards(assessment: Any) -> Any:
    timed = getattr(assessment, "timed", None)
    if timed is None or timed.relation is Relation.BEFORE:
        return None
    return assessment.outcome, assessment.sii, timed.draw.effective


def test_rule_alone_looks_ahead_which_is_why_the_chart_is_cut() -> None:
    """Without the cut a recurrence of later years is known on the day of the procedure."""
    history = next(h for h in HISTORIES if h.story == "died_after_recurrence")
    heads = [h for h in map(READER.read, map(encode, resources(history))) if isinstance(h, Head)]
    record = read_record(history.patient, [h[1:] for h in heads], MEMORY.times(end_of(history.index, SITE).now))
    late = end_of(history.day(3_000), SITE)
    now = end_of(history.day(90), SITE).now

    uncut = decide_chart(whole(record, late), history.patient, SITE, now).assessment
    cut = decide_as_of(record, end_of(history.day(90), SITE), SITE, MEMORY).assessment
    assert (uncut.outcome, cut.outcome.endswith("above-cutoff")) == ("not-eligible", True)


def whole(record: PatientRecord, moment: Moment) -> ChartAsOf:

    return ChartAsOf(record, moment, date.min)
