"""A synthetic patient: the chart, what it teaches, and what the service is expected to find."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from cds_service.demo.patients import resources
from cds_service.demo.patients.draws import Draw, albumin, blood_counts

if TYPE_CHECKING:
    from cds_service.demo.patients.resources import Gender, Resource

Outcome = Literal["above-cutoff", "not-above-cutoff", "indeterminate", "not-eligible"]


@dataclass(frozen=True, slots=True)
class Expected:
    """The story's claim, worked out by hand from the chart and the rule.

    `reasons` must be among the reasons of the answer and `exclusions` among its exclusions; `sii`
    (10*9/L, three decimals), `days_ago`, `basis`, `relation` and `days_from_procedure` belong to decided
    outcomes and are None otherwise.
    """

    outcome: Outcome
    reasons: frozenset[str] = frozenset()
    exclusions: dict[str, int] = field(default_factory=dict)
    sii: Decimal | None = None
    days_ago: int | None = None
    basis: Literal["absolute", "percent"] | None = None
    relation: Literal["after", "before"] | None = None
    days_from_procedure: int | None = None


def decided(
    outcome: Literal["above-cutoff", "not-above-cutoff"],
    sii: str,
    *,
    days_ago: int,
    days_from_procedure: int,
    relation: Literal["after", "before"] = "after",
    basis: Literal["absolute", "percent"] = "absolute",
    exclusions: dict[str, int] | None = None,
) -> Expected:
    """Return the claim that SII can be computed from the draw `days_ago` days before today."""
    return Expected(
        outcome=outcome,
        exclusions=exclusions or {},
        sii=Decimal(sii),
        days_ago=days_ago,
        basis=basis,
        relation=relation,
        days_from_procedure=days_from_procedure,
    )


def undecided(
    outcome: Literal["indeterminate", "not-eligible"], *reasons: str, exclusions: dict[str, int] | None = None
) -> Expected:
    """Return the claim that SII is not judged, and why."""
    return Expected(outcome=outcome, reasons=frozenset(reasons), exclusions=exclusions or {})


@dataclass(frozen=True, slots=True)
class PatientStory:
    """A chart of FHIR R4 resources and its claim; `draws` are the blood draws behind the Observations."""

    id: str
    built_for: date
    title: str
    story: str
    expected: Expected
    patient: Resource
    conditions: tuple[Resource, ...]
    procedures: tuple[Resource, ...]
    draws: tuple[Draw, ...]

    @property
    def name(self) -> str:
        """Family name, then given name, as an EHR lists patients."""
        name = self.patient["name"][0]
        return f"{name['family']}, {name['given'][0]}"

    @property
    def blood_counts(self) -> tuple[Resource, ...]:
        """Every neutrophil, lymphocyte and platelet Observation, newest first."""
        newest_first = sorted(self.draws, key=lambda drawn: drawn.sampled, reverse=True)
        return tuple(result for drawn in newest_first for result in blood_counts(drawn, self.id))

    @property
    def albumin(self) -> tuple[Resource, ...]:
        """Every albumin Observation, newest first."""
        newest_first = sorted(self.draws, key=lambda drawn: drawn.sampled, reverse=True)
        return tuple(result for drawn in newest_first for result in albumin(drawn, self.id))

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The whole chart."""
        return (self.patient, *self.conditions, *self.procedures, *self.blood_counts, *self.albumin)


@dataclass(frozen=True, slots=True)
class Person:
    """Who the invented patient is; `age` in years on the day the chart is built."""

    given: str
    family: str
    gender: Gender
    age: int


@dataclass(frozen=True, slots=True)
class Event:
    """A diagnosis or procedure that many days before today; None: planned, not done."""

    code: Resource
    days_ago: int | None


def story(
    today: date,
    story_id: str,
    person: Person,
    *,
    title: str,
    text: str,
    diagnoses: tuple[Event, ...],
    treatments: tuple[Event, ...],
    draws: tuple[Draw, ...],
    expected: Expected,
) -> PatientStory:
    """Build a story, with the resource ids derived from its own id."""
    return PatientStory(
        id=story_id,
        built_for=today,
        title=title,
        story=text,
        expected=expected,
        patient=resources.patient(story_id, person.given, person.family, person.gender, _birth_date(today, person.age)),
        conditions=tuple(
            resources.condition(
                f"{story_id}-condition-{number}", story_id, event.code, _day(today, event.days_ago or 0)
            )
            for number, event in enumerate(diagnoses, start=1)
        ),
        procedures=tuple(
            resources.procedure(
                f"{story_id}-procedure-{number}",
                story_id,
                event.code,
                None if event.days_ago is None else _day(today, event.days_ago),
            )
            for number, event in enumerate(treatments, start=1)
        ),
        draws=draws,
    )


def _day(today: date, days_ago: int) -> date:
    return today - timedelta(days=days_ago)


def _birth_date(today: date, age: int) -> date:
    # A fixed day early in the year keeps birth dates free of 29 February and the age right all year
    # from that day on; before it the patient is a year younger, which no story depends on.
    return date(today.year - age, 1, 15)
