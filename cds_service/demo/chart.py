"""What the chart page shows of a patient's FHIR resources: rows of text, ready for the template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cds_service.demo.answers import Assessment
    from cds_service.demo.patients.resources import Resource
    from cds_service.demo.patients.story import PatientStory
    from cds_service.demo.wording import PageTexts

ANALYTES = ("Neutrophils", "Lymphocytes", "Platelets", "Albumin")


@dataclass(frozen=True, slots=True)
class Result:
    """One cell of the laboratory table; `flag` is High, Low or empty."""

    value: str
    unit: str
    flag: str
    reference: str


@dataclass(frozen=True, slots=True)
class DrawRow:
    """One line of the laboratory table: the results of one blood draw, by analyte, and what is odd."""

    sampled: datetime
    day: str
    results: dict[str, Result]
    remarks: tuple[str, ...]
    judged: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A condition or procedure: what, since or on which day, its codes."""

    text: str
    day: str
    note: str
    codes: str


@dataclass(frozen=True, slots=True)
class Banner:
    """Who the patient is."""

    name: str
    sex: str
    born: str
    age: int
    record_number: str


def banner(story: PatientStory, today: date, texts: PageTexts) -> Banner:
    """Return the patient's data for the head of the chart."""
    patient = story.patient
    born = date.fromisoformat(patient["birthDate"])
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    sex = texts.genders.get(patient["gender"], patient["gender"])
    return Banner(story.name, sex, texts.written(born), age, patient["identifier"][0]["value"])


def conditions(story: PatientStory, texts: PageTexts) -> tuple[Entry, ...]:
    """Return the problem list, newest first."""
    newest_first = sorted(story.conditions, key=lambda item: item["onsetDateTime"], reverse=True)
    return tuple(
        Entry(item["code"]["text"], texts.since.format(_day(item["onsetDateTime"], texts)), "", _codes(item))
        for item in newest_first
    )


def procedures(story: PatientStory, texts: PageTexts) -> tuple[Entry, ...]:
    """Return the procedures, planned ones first, then newest first."""
    newest_first = sorted(story.procedures, key=lambda item: item.get("performedDateTime", "9999"), reverse=True)
    return tuple(
        Entry(
            item["code"]["text"],
            _day(item["performedDateTime"], texts) if "performedDateTime" in item else texts.planned,
            texts.statuses.get(item["status"], item["status"]),
            _codes(item),
        )
        for item in newest_first
    )


def laboratory(story: PatientStory, assessment: Assessment | None, texts: PageTexts) -> tuple[DrawRow, ...]:
    """Return the blood draws, newest first; the one the service judged is marked."""
    draws: dict[str, list[Resource]] = {}
    for observation in (*story.blood_counts, *story.albumin):
        draws.setdefault(observation["effectiveDateTime"], []).append(observation)
    rows = []
    for sampled in sorted(draws, reverse=True):
        time = datetime.fromisoformat(sampled)
        results = {_analyte(result): _result(result, texts) for result in draws[sampled]}
        remarks = dict.fromkeys(note for result in draws[sampled] for note in _remarks(result, story.id, texts))
        judged = was_judged(time, assessment)
        rows.append(DrawRow(time, texts.written(time.date()), results, tuple(remarks), judged))
    return tuple(rows)


def was_judged(sampled: datetime, assessment: Assessment | None) -> bool:
    """Return whether the assessment rests on the draw of this time; it may state the day alone."""
    if assessment is None or not assessment.sample_time:
        return False
    stated = datetime.fromisoformat(assessment.sample_time)
    if len(assessment.sample_time) == len("2026-01-31") or stated.tzinfo is None:
        return stated.date() == sampled.date()
    return stated == sampled


def _day(iso: str, texts: PageTexts) -> str:
    return texts.written(date.fromisoformat(iso[:10]))


def _codes(resource: Resource) -> str:
    return ", ".join(coding["code"] for coding in resource["code"].get("coding", ()))


def _analyte(observation: Resource) -> str:
    text: str = observation["code"]["text"]
    return next(name for name in ANALYTES if text.startswith(name))


def _result(observation: Resource, texts: PageTexts) -> Result:
    if "valueQuantity" not in observation:
        return Result(texts.no_value, "", "", "")
    interpretation = observation.get("interpretation", [{"text": ""}])[0]["text"]
    flag = "" if interpretation == "Normal" else interpretation
    reference = ""
    for limits in observation.get("referenceRange", ()):
        reference = texts.reference.format(_number(limits["low"]), _number(limits["high"]))
    quantity = observation["valueQuantity"]
    return Result(_number(quantity), quantity["unit"], flag, reference)


def _number(quantity: Resource) -> str:
    return str(Decimal(str(quantity["value"])))


def _remarks(observation: Resource, patient_id: str, texts: PageTexts) -> list[str]:
    remarks = []
    if (status := observation["status"]) != "final":
        remarks.append(texts.statuses.get(status, status))
    if (reference := observation["subject"]["reference"]) != f"Patient/{patient_id}":
        remarks.append(texts.of_another.format(reference))
    if "dataAbsentReason" in observation:
        remarks.append(observation["dataAbsentReason"]["text"])
    return remarks
