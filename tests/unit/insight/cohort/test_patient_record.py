"""One patient of an export: versions, days, contacts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.cohort.export_heads import CONTACT, DIAGNOSIS, PATIENT, RESULT, THERAPY
from cds_service.insight.cohort.patient_record import PatientRecord, read_record
from cds_service.normalization.effective_time import TimeReader

ZONE = ZoneInfo("Asia/Shanghai")
TIMES = TimeReader(ZONE, datetime(2026, 1, 1, tzinfo=UTC))


def record(*lines: tuple[Any, Any], until: date | None = None) -> PatientRecord:
    encoded = [(kind, line if isinstance(line, bytes) else json.dumps(line).encode()) for kind, line in lines]
    return read_record("p1", encoded, TIMES, until)


def resource(kind: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": "x", "subject": {"reference": "Patient/p1"}, **members}


def person(**members: Any) -> tuple[Any, Any]:
    return PATIENT, {"resourceType": "Patient", "id": "p1", **members}


def taken(when: str, **members: Any) -> dict[str, Any]:
    return resource("Observation", effectiveDateTime=when, **members)


def performed(start: str | None = None, end: str | None = None) -> dict[str, Any]:
    return resource("Procedure", performedPeriod={"start": start, "end": end})


DAY_ONE, DAY_FIVE = "2020-01-01", "2020-01-05"
# Days as they are written, some of them in another zone.
WRITTEN = st.tuples(
    st.dates(date(1995, 1, 1), date(2030, 1, 1)), st.sampled_from(["{}", "{}T23:59:59Z", "{}T00:10:00+14:00"])
)


@pytest.mark.parametrize(
    ("kind", "content", "since", "reason"),
    [
        (DIAGNOSIS, resource("Condition", recordedDate="2020-03-01", onsetDateTime=DAY_ONE), "2020-03-01", "recorded"),
        (DIAGNOSIS, resource("Condition", onsetDateTime="2020-01"), "2020-01-31", "the last day of a month"),
        (DIAGNOSIS, resource("Condition", recordedDate="soon", onsetDateTime="2020-01-01"), "2020-01-01", "no date"),
        (DIAGNOSIS, resource("Condition", onsetPeriod={"start": "2019", "end": "2020-02-02"}), "2020-02-02", "a span"),
        (DIAGNOSIS, resource("Condition", recordedDate="0001-01-01"), None, "a placeholder"),
        (DIAGNOSIS, resource("Condition"), None, "no date"),
        (THERAPY, performed(DAY_ONE, "2020-01-03"), "2020-01-03", "end"),
        (THERAPY, performed(DAY_ONE), "2020-01-01", "an open span"),
        (THERAPY, resource("Procedure", performedDateTime="2020-01-01T20:00:00Z"), "2020-01-02", "a day at the site"),
        (RESULT, taken(DAY_ONE, issued="2020-01-05T00:00:00Z"), DAY_FIVE, "issued"),
        (RESULT, taken(DAY_FIVE, issued="2020-01-01T00:00:00Z"), DAY_FIVE, "issued before"),
        (RESULT, resource("Observation", effectivePeriod={"end": "2020-01-05"}), "2020-01-05", "the end of a span"),
        (RESULT, taken(DAY_ONE, modifierExtension=[{}]), DAY_ONE, "malformed"),
        (DIAGNOSIS, resource("Condition", recordedDate="2020-01-01", code="x"), "2020-01-01", "malformed"),
    ],
)  # fmt: skip
def test_resource_is_known_since(kind: Any, content: dict[str, Any], since: str | None, reason: str) -> None:
    read = record((kind, content))
    (known,) = (*read.conditions, *read.procedures, *read.results)

    assert (known.since[0].isoformat() if known.since is not None else None) == since, reason


@pytest.mark.parametrize(
    ("metas", "kept", "unclear", "reason"),
    [
        (({"lastUpdated": "2020-01-01T00:00:00Z"}, {"lastUpdated": "2020-01-02T00:00:00Z"}), 1, 0, "the newest"),
        (({"lastUpdated": "2020-01-01T02:00:00+02:00"}, {"lastUpdated": "2020-01-01T00:30:00Z"}), 1, 0, "by moment"),
        (({"versionId": "9"}, {"versionId": "10"}), 1, 0, "versions as numbers"),
        (({"versionId": "10"}, {"lastUpdated": "2020-01-01T00:00:00Z"}), 1, 0, "a time tells more"),
        (({"versionId": "1"}, {"versionId": "1"}), None, 1, "nothing tells"),
        (({}, {}), None, 1, "nothing tells"),
        (("x", {"versionId": 7}), None, 1, "nothing that can be read"),
    ],
)
def test_one_version_of_a_resource_counts(metas: tuple[Any, Any], kept: int | None, unclear: int, reason: str) -> None:
    days = ("2020-01-01", "2020-01-02")
    told = zip(metas, days, strict=True)
    versions = [(THERAPY, resource("Procedure", meta=meta, performedDateTime=day)) for meta, day in told]
    for lines in (versions, versions[::-1], [*versions, *versions]):
        read = record(*lines)
        (known,) = read.procedures

        assert read.unclear == unclear, reason
        if kept is not None:
            assert known.resource.performedDateTime == days[kept], reason


def test_resources_without_an_id_are_all_kept_and_the_same_line_counts_once() -> None:
    lines = [
        (THERAPY, {**resource("Procedure", performedDateTime=day), "id": None}) for day in ("2020", "2021", "2021")
    ]

    assert len(record(*lines).procedures) == 2


@given(
    st.lists(
        st.tuples(
            st.dates(date(1995, 1, 1), date(2030, 1, 1)), st.sampled_from(["{}", "{}T23:59:59Z", "{}T00:10:00+14:00"])
        )
    )
)
def test_last_contact_is_the_last_day_of_all(found: list[tuple[date, str]]) -> None:
    texts = [form.format(day) for day, form in found]
    days = [date.fromisoformat(t) if len(t) == 10 else datetime.fromisoformat(t).astimezone(ZONE).date() for t in texts]
    until = date(2020, 6, 1)

    assert record(*((CONTACT, text.encode()) for text in texts)).last_contact == max(days, default=None)
    early = [day for day in days if day <= until]
    assert record(*((CONTACT, text.encode()) for text in texts), until=until).last_contact == max(early, default=None)


def test_last_contact_of_a_year_alone_is_its_last_day() -> None:
    assert record((CONTACT, b"2020"), (CONTACT, b"2020-06-01")).last_contact == date(2020, 12, 31)


@pytest.mark.parametrize(
    ("members", "death", "undated", "reason"),
    [
        ({"deceasedDateTime": "2020-01-02"}, "2020-01-02", False, "a day"),
        ({"deceasedDateTime": "2020"}, "2020-12-31", False, "the last day of the year"),
        ({"deceasedBoolean": True}, None, True, "nobody knows when"),
        ({"deceasedBoolean": False}, None, False, "alive"),
        ({"deceasedDateTime": "last year"}, None, True, "no date"),
        ({"deceasedDateTime": "2020-01-02", "deceasedBoolean": True}, "2020-01-02", False, "dated all the same"),
        ({}, None, False, "nothing said"),
    ],
)
def test_death_is_dated_or_not(members: dict[str, Any], death: str | None, undated: bool, reason: str) -> None:
    read = record((PATIENT, {"resourceType": "Patient", "id": "p1", **members}))

    assert (read.death[0].isoformat() if read.death is not None else None, read.died_undated) == (death, undated), (
        reason
    )


def test_death_after_the_last_day_is_not_known() -> None:
    read = record(
        (PATIENT, {"resourceType": "Patient", "id": "p1", "deceasedDateTime": "2020-01-02"}), until=date(2020, 1, 1)
    )

    assert (read.death, read.died_undated) == (None, False)
    assert read.patient is not None
    assert read.patient.deceasedDateTime is None


@pytest.mark.parametrize(("days", "age"), [(-1, 39), (0, 40), (364, 40)])
def test_age_is_in_whole_years(days: int, age: int) -> None:
    read = record(person(birthDate="1980-05-05", gender="female"))

    assert (read.age_on(date(2020, 5, 5) + timedelta(days=days)), read.sex) == (age, "female")
