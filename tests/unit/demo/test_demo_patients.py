"""The synthetic charts: valid FHIR, and claims that hold when worked out again from the resources."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.demo.answers import REASON_CODES
from cds_service.demo.patients import PatientStory, build_stories
from cds_service.demo.wording import page_texts_in

TODAY = date(2026, 3, 1)
STORIES = build_stories(TODAY)
CUTOFF = Fraction("405.08")
# UCUM factors to 10*9/L; percentages cancel in the ratio of neutrophils to lymphocytes.
FACTORS = {"10*9/L": Fraction(1), "10*3/uL": Fraction(1), "/uL": Fraction(1, 1000), "%": Fraction(1)}
CODES = {"751-8": "N", "770-8": "N", "731-0": "L", "736-9": "L", "777-3": "P"}

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
each_decided_story = pytest.mark.parametrize(
    "story", [s for s in STORIES if s.expected.sii is not None], ids=lambda story: story.id
)


def counts_of_day(story: PatientStory, day: date) -> dict[str, Fraction]:
    """Read the three values of a day from the FHIR resources, as a stranger to the builders would."""
    found = {}
    for observation in story.blood_counts:
        if datetime.fromisoformat(observation["effectiveDateTime"]).date() == day:
            quantity = observation["valueQuantity"]
            analyte = CODES[observation["code"]["coding"][0]["code"]]
            found[analyte] = Fraction(str(quantity["value"])) * FACTORS[quantity["code"]]
    return found


def completed_procedures(story: PatientStory) -> list[date]:
    return [date.fromisoformat(item["performedDateTime"]) for item in story.procedures if item["status"] == "completed"]


def days_usable_in_time(story: PatientStory) -> list[int]:
    """Return, preferred first, how many days ago complete draws were taken that design section 5 lets be judged."""
    done = completed_procedures(story)
    own = [o for o in story.blood_counts if o["subject"]["reference"] == f"Patient/{story.id}"]
    results = Counter(
        datetime.fromisoformat(o["effectiveDateTime"]).date()
        for o in own
        if o["status"] == "final" and "valueQuantity" in o
    )
    complete = sorted((day for day, count in results.items() if count == 3), reverse=True)
    settled = [day for day in complete if not any(0 <= (day - procedure).days <= 27 for procedure in done)]
    after = [day for day in settled if day > max(done) and (TODAY - day).days <= 90]
    before = [day for day in settled if 0 < (max(done) - day).days <= 30]
    return [(TODAY - day).days for day in (*after, *before)]


def test_stories_number_and_ids_are_many_and_unique() -> None:
    assert len(STORIES) >= 14
    assert max(Counter(story.id for story in STORIES).values()) == 1
    assert {story.expected.outcome for story in STORIES} == set(page_texts_in("en").outcomes)


@each_story
def test_story_resources_are_valid_fhir(story: PatientStory) -> None:
    for resource in story.resources:
        model = get_fhir_model_class(resource["resourceType"])
        assert json.loads(model.model_validate(resource).model_dump_json())["id"] == resource["id"]


@each_story
def test_story_resource_ids_are_unique(story: PatientStory) -> None:
    ids = Counter((resource["resourceType"], resource["id"]) for resource in story.resources)
    assert max(ids.values()) == 1


@each_story
def test_story_person_is_recognizably_synthetic(story: PatientStory) -> None:
    assert story.name.startswith("Demo-")
    assert story.patient["meta"]["security"][0]["code"] == "HTEST"


@each_story
def test_story_laboratory_results_carry_what_a_us_core_laboratory_sends(story: PatientStory) -> None:
    observations = [*story.blood_counts, *story.albumin]
    assert observations
    for observation in observations:
        assert observation["category"][0]["coding"][0]["code"] == "laboratory"
        assert observation["code"]["text"]
        assert observation["code"]["coding"][0]["system"] == "http://loinc.org"
        assert datetime.fromisoformat(observation["effectiveDateTime"]).tzinfo is not None
        assert datetime.fromisoformat(observation["issued"]).tzinfo is not None
        assert observation["specimen"]["reference"].startswith("Specimen/")
        assert ("valueQuantity" in observation) != ("dataAbsentReason" in observation)


@each_story
def test_story_counts_of_one_draw_share_their_specimen(story: PatientStory) -> None:
    specimens: dict[str, set[str]] = {}
    for observation in story.blood_counts:
        specimens.setdefault(observation["effectiveDateTime"], set()).add(observation["specimen"]["reference"])
    assert all(len(references) == 1 for references in specimens.values())
    assert len({next(iter(references)) for references in specimens.values()}) == len(specimens)


@each_story
def test_story_events_lie_in_the_past(story: PatientStory) -> None:
    drawn = [datetime.fromisoformat(o["effectiveDateTime"]).date() for o in story.blood_counts]
    # Two days leave room for a service in any time zone.
    assert max(drawn) <= TODAY - timedelta(days=2)
    assert all(day < TODAY for day in completed_procedures(story))


@each_story
def test_story_reasons_are_codes_with_an_explanation(story: PatientStory) -> None:
    decided = story.expected.outcome in {"above-cutoff", "not-above-cutoff"}
    assert bool(story.expected.reasons) != decided
    assert story.expected.reasons | set(story.expected.exclusions) <= REASON_CODES


@each_decided_story
def test_decided_story_sii_recomputed_from_resources_is_the_claimed_one(story: PatientStory) -> None:
    assert story.expected.days_ago is not None
    counts = counts_of_day(story, TODAY - timedelta(days=story.expected.days_ago))
    sii = counts["P"] * counts["N"] / counts["L"]
    assert Fraction(round(sii * 1000), 1000) == Fraction(story.expected.sii or 0)
    assert story.expected.outcome == ("above-cutoff" if sii > CUTOFF else "not-above-cutoff")


@each_decided_story
def test_decided_story_draw_is_the_first_that_may_be_judged(story: PatientStory) -> None:
    assert days_usable_in_time(story)[0] == story.expected.days_ago


@pytest.mark.parametrize("story_id", ["demo-five-days-after-tace", "demo-stale-panel"])
def test_story_about_timing_has_no_draw_that_may_be_judged(story_id: str) -> None:
    assert days_usable_in_time(next(s for s in STORIES if s.id == story_id)) == []


@each_decided_story
def test_decided_story_timing_is_the_claimed_one(story: PatientStory) -> None:
    claimed = story.expected
    assert claimed.days_ago is not None
    assert claimed.days_from_procedure is not None
    drawn = TODAY - timedelta(days=claimed.days_ago)
    distance = (drawn - max(completed_procedures(story))).days
    assert claimed.relation == ("after" if distance > 0 else "before")
    assert abs(distance) == claimed.days_from_procedure
    if claimed.relation == "after":
        assert distance >= 28
        assert claimed.days_ago <= 90
    else:
        assert -30 <= distance < 0


@each_decided_story
def test_decided_story_basis_follows_the_reported_unit(story: PatientStory) -> None:
    units = {
        observation["valueQuantity"]["code"]
        for observation in story.blood_counts
        if CODES[observation["code"]["coding"][0]["code"]] == "N"
    }
    assert story.expected.basis == ("percent" if units == {"%"} else "absolute")


@each_story
def test_story_drawn_sii_equals_the_one_from_resources(story: PatientStory) -> None:
    for drawn in story.draws:
        if drawn.sii is not None:
            counts = counts_of_day(story, drawn.day)
            assert round(Fraction(drawn.sii) - counts["P"] * counts["N"] / counts["L"], 9) == 0


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (date(2028, 2, 29), "leap day"),
        (date(2027, 1, 1), "first day of a year"),
        (date(2026, 12, 31), "last day of a year"),
    ],
)
def test_stories_on_another_day_move_with_it(later: date, reason: str) -> None:
    def offsets(stories: tuple[PatientStory, ...], today: date) -> list[list[int]]:
        return [[(today - drawn.day).days for drawn in story.draws] for story in stories]

    moved = build_stories(later)
    assert offsets(moved, later) == offsets(STORIES, TODAY), reason
    assert [story.expected for story in moved] == [story.expected for story in STORIES]


def test_story_results_of_another_patient_name_that_patient() -> None:
    story = next(s for s in STORIES if s.id == "demo-results-of-another-patient")
    subjects: Counter[Any] = Counter(o["subject"]["reference"] for o in story.blood_counts)
    assert subjects == {f"Patient/{story.id}": 6, "Patient/demo-somebody-else": 3}
