"""Exports of synthetic histories: clean, dirty or gzipped, in one order or another."""

from __future__ import annotations

import gzip
import json
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.cohort.synthetic_resources import (
    ALBUMIN,
    HEART_RATE,
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    at_hour,
    condition,
    observation,
    patient,
    procedure,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tests.support.cohort.histories import Draw, History

# Lines that are no resource, each with why.
BAD_LINES: tuple[tuple[bytes, str], ...] = (
    (b'{"resourceType":"Observation","id":"torn","status":"fi', "torn"),
    (b"[]", "a list"),
    (b'"text"', "a text"),
    (b"null", "nothing"),
    (b'{"id":"no-type","status":"final"}', "no resourceType"),
    (b'{"resourceType":7,"id":"x"}', "a resourceType that is a number"),
    (b'{"resourceType":"Observation","id":17,"status":"final","subject":{"reference":"Patient/p000000"}}', "id"),
    (b'{"resourceType":"Observation","id":"x","status":["final"],"subject":{"reference":"Patient/p000000"}}', "status"),
    (b'{"resourceType":"Observation","id":"x","status":"final","subject":"Patient/p000000"}', "subject"),
    (b'{"resourceType":"Procedure","id":"x","status":"completed","subject":{"reference":4}}', "reference"),
    (b"\xff\xfe not JSON at all", "bytes"),
)


class Bad(NamedTuple):
    """A bad line of an export by its file and its number from 1."""

    file: str
    line: int


def resources(history: History, *, padding: int = 0) -> Iterator[Json]:
    """Yield what a hospital holds of a history; `padding` is how many further results, which say nothing."""
    death: Json = {}
    if history.death is not None:
        death = {"deceasedDateTime": history.day(history.death).isoformat()}
    members = {"gender": history.sex, "birthDate": history.birth.isoformat(), **death, **history.patient_members}
    yield patient(history.patient, **members)
    number = history.patient
    dates = {"recordedDate": history.day(-20).isoformat(), "onsetDateTime": history.day(-40).isoformat()}
    yield condition(f"{number}-c", number, history.cancer, **{**dates, **history.cancer_members})
    yield from _procedures(history)
    yield from _recurrence(history)
    for draw in history.draws:
        yield from _results(history, draw)
    last = at_hour(history.day(history.last))
    yield observation(f"{number}-last", number, HEART_RATE, 71, "/min", last)
    for further in range(padding):
        # Never after the last contact.
        when = at_hour(history.day(-300 + further * (300 + min(history.last, 0)) // max(padding, 1)), further)
        yield observation(f"{number}-h{further}", number, HEART_RATE, 60 + further % 40, "/min", when)
    yield from history.extra


def _procedures(history: History) -> Iterator[Json]:
    number, members = history.patient, history.therapy_members
    dated = {} if "performedPeriod" in members else {"performedDateTime": at_hour(history.index, 4)}
    yield _without_nothing(procedure(f"{number}-p", number, history.therapy, **{**dated, **members}))
    if history.again is not None:
        when = at_hour(history.day(history.again), 4)
        yield procedure(f"{number}-again", number, history.therapy, performedDateTime=when)


def _recurrence(history: History) -> Iterator[Json]:
    if history.recurrence is None:
        return
    members = {"recordedDate": history.day(history.recurrence).isoformat()}
    if history.recurrence_onset is not None:
        members["onsetDateTime"] = history.day(history.recurrence_onset).isoformat()
    yield condition(f"{history.patient}-r", history.patient, history.recurrence_code, **members)


def _results(history: History, draw: Draw) -> Iterator[Json]:
    hour = abs(draw.day) % 7
    when, issued = at_hour(history.day(draw.day), hour), at_hour(history.day(draw.known), hour)
    codes = (NEUTROPHILS_SHARE, LYMPHOCYTES_SHARE) if draw.shares else (NEUTROPHILS, LYMPHOCYTES)
    unit = "%" if draw.shares else "10*9/L"
    values = (
        (PLATELETS, draw.platelets, "10*9/L"),
        (codes[0], float(draw.neutrophils), unit),
        (codes[1], float(draw.lymphocytes), unit),
        (ALBUMIN, 39.5, "g/L"),
    )
    for code, value, of in values:
        number = f"{history.patient}-{draw.day}-{code}"
        yield observation(number, history.patient, code, value, of, when, issued=issued)


def _without_nothing(resource: Json) -> Json:
    return {name: member for name, member in resource.items() if member is not None}


def lines_of(histories: Iterable[History], *, padding: int = 0) -> dict[str, list[bytes]]:
    """Return the lines of an export by type of resource."""
    lines: dict[str, list[bytes]] = {"Patient": [], "Condition": [], "Procedure": [], "Observation": []}
    for history in histories:
        for resource in resources(history, padding=padding):
            lines[resource["resourceType"]].append(encode(resource))
    return lines


def encode(resource: Any) -> bytes:
    return json.dumps(resource, separators=(",", ":")).encode()


def write_export(folder: Path, lines: dict[str, list[bytes]], *, zipped: bool = False) -> Path:
    """Write one file a type; each line ends with a line feed."""
    folder.mkdir(parents=True)
    for name, content in lines.items():
        _write(folder / f"{name}.ndjson{'.gz' if zipped else ''}", content, zipped=zipped)
    return folder


def write_dirty_export(
    folder: Path, histories: Sequence[History], seed: int, *, zipped: bool = False
) -> tuple[Path, list[Bad]]:
    """Write an export as exports are met: shuffled over many files, lines twice, old versions, blanks, bad lines.

    Returns it with its bad lines.
    """
    random = Random(seed)  # noqa: S311
    good = [line for content in lines_of(histories).values() for line in content]
    good += random.choices(good, k=len(good) // 50) + [_older(line) for line in random.choices(good, k=len(good) // 50)]
    random.shuffle(good)
    bad: list[Bad] = []
    folder.mkdir(parents=True)
    for number in range(7):
        name = f"part-{number}.ndjson{'.gz' if zipped and number % 2 else ''}"
        content = good[number::7]
        for line, _ in random.sample(BAD_LINES, 4):
            content.insert(random.randrange(len(content)), line)
        for _ in range(3):
            content.insert(random.randrange(len(content)), b"  ")
        kinds = {line for line, _ in BAD_LINES}
        bad += [Bad(name, place) for place, line in enumerate(content, 1) if line in kinds]
        _write(folder / name, content, zipped=name.endswith(".gz"))
    return folder, sorted(bad)


def _older(line: bytes) -> bytes:
    """An earlier version of a resource, which says something else."""
    resource = json.loads(line)
    resource["meta"] = {"versionId": "0", "lastUpdated": "2023-12-31T23:00:00.5-02:00"}
    if "valueQuantity" in resource:
        resource["valueQuantity"]["value"] = 99.25
    if resource["resourceType"] == "Patient":
        resource["birthDate"] = (date(2020, 1, 1) + timedelta(days=1)).isoformat()
    return encode(resource)


def _write(path: Path, lines: Iterable[bytes], *, zipped: bool) -> None:
    content = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(content, mtime=0) if zipped else content)
