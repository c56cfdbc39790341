"""Search: by patient, user, time and outcome; feedback is joined with its card."""

from __future__ import annotations

import csv
import json
import tracemalloc
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cds_service.audit.presentation import Totals, as_json, as_row, csv_rows, heading
from cds_service.audit.reading import read_entries
from cds_service.audit.records import FeedbackRecord, HookRecord, ViewRecord
from cds_service.audit.search import CardOf, Found, Query, Unreadable, patient_forms, search
from tests.support.audit_logs import write_log
from tests.unit.audit.samples import (
    CARD,
    NOW,
    ZONE,
    Clock,
    assessed,
    audit_log,
    feedback_record,
    files_of,
    hook_record,
)

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

OTHER_CARD = "c7a6b7f0-6b1e-4a7a-9b0e-5f3f0a1d2c3b"


def found_ids(directory: Path, **conditions: Any) -> list[str]:
    """Search, and return the request ids of what was found."""
    return [found.record.request_id for found in search(directory, Query(**conditions)) if isinstance(found, Found)]


@pytest.fixture
def log_directory(tmp_path: Path) -> Path:
    """A log of two days: p1 seen by two users, p2 by one, each card with feedback, and feedback on a stranger."""
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    log.append(hook_record(request_id="h1", patient="p1", encounter="e1"))
    second = hook_record(request_id="h2", patient="p1", user="Practitioner/q", card=None, now=NOW)
    log.append(msgspec.structs.replace(second, hook_instance="instance-2"))
    clock.advance(days=1)
    tomorrow = NOW + timedelta(days=1)
    log.append(hook_record(request_id="h3", patient="p2", card=OTHER_CARD, now=tomorrow))
    silent = hook_record(assessed(), "silent-card", request_id="h4", patient="p3", user="Practitioner/r", now=tomorrow)
    log.append(msgspec.structs.replace(silent, mode="silent", shown=False, presentation="silent"))
    log.append(feedback_record(request_id="f1", time=tomorrow))
    log.append(feedback_record(OTHER_CARD, request_id="f3", time=tomorrow, outcome="accepted", user="Practitioner/q"))
    log.append(feedback_record("unknown", request_id="f0", time=tomorrow, client="other-ehr"))
    return tmp_path


@pytest.mark.parametrize(
    ("conditions", "ids", "reason"),
    [
        ({}, ["h1", "h2", "h3", "h4", "f1", "f3", "f0"], "everything but what the log writes about itself"),
        ({"patients": frozenset({"p1"})}, ["h1", "h2", "f1"], "feedback belongs to the patient of its card"),
        ({"patients": frozenset({"p"})}, [], "no part of an id matches"),
        ({"user": "Practitioner/p"}, ["h1", "h3", "f1"], "feedback without a user counts for who saw the card"),
        ({"user": "Practitioner/q"}, ["h2", "f3"], "feedback with a user counts for that one"),
        ({"outcome": "overridden"}, ["f1", "f0"], "outcomes of feedback are outcomes too"),
        ({"client": "other-ehr"}, ["f0"], "by the EHR that asked"),
        ({"client": "other"}, [], "no part of a name matches"),
        ({"since": NOW}, ["h1", "h2", "h3", "h4", "f1", "f3", "f0"], "inclusive"),
        ({"since": NOW + timedelta(seconds=1)}, ["h3", "h4", "f1", "f3", "f0"], "after the first day"),
        ({"until": NOW}, ["h1", "h2"], "inclusive"),
        ({"patients": frozenset({"p1"}), "user": "Practitioner/q"}, ["h2"], "all conditions hold together"),
        ({"encounters": frozenset({"e1"})}, ["h1", "f1"], "feedback belongs to the encounter of its card"),
        ({"encounters": frozenset({"e"})}, [], "no part of an encounter's id matches"),
        ({"request": "h3"}, ["h3"], "a request id"),
        ({"request": "instance-2"}, ["h2"], "a hook instance, as the EHR names the call"),
        ({"request": "f1"}, ["f1"], "feedback came with a request of its own"),
        ({"request": "main-ehr"}, [], "the text stands in the line, but elsewhere"),
        ({"card": CARD}, ["h1", "f1"], "a card and its feedback"),
        ({"card": "h1"}, [], "the text stands in the line, but elsewhere"),
        ({"reason": "residual-disease"}, ["f1", "f3", "f0"], "of an override"),
        ({"reason": "missing-platelets"}, ["h4"], "of the outcome"),
        ({"reason": "unit-unknown"}, ["h4"], "of the outcome; of h1 to h3 it only tells a result that was not used"),
        ({"shown": True}, ["h1", "h3"], "cards that left the service; feedback was never shown"),
    ],
)
def test_search_conditions_select(log_directory: Path, conditions: dict[str, Any], ids: list[str], reason: str) -> None:
    assert found_ids(log_directory, **conditions) == ids, reason


def test_search_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    log_sizes = (200, 4000)
    peaks = []
    for size in log_sizes:
        directory = tmp_path / str(size)
        write_log(directory, size, lambda number: hook_record(request_id=f"r{number}", card=f"card-{number}"))
        tracemalloc.start()
        assert sum(1 for _ in search(directory, Query(outcome="above-cutoff"))) == size
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < peaks[0] + 100_000, "500 000 bytes would be 125 a record"


@pytest.mark.parametrize("since", [None, NOW, NOW + timedelta(seconds=1)])
@pytest.mark.parametrize("outcome", [None, "overridden", "above-cutoff"])
@pytest.mark.parametrize("user", [None, "Practitioner/p", "Practitioner/q"])
@pytest.mark.parametrize("patient", [None, "p1", "p2", "p3"])
def test_search_finds_what_reading_every_record_whole_finds(
    log_directory: Path, patient: str | None, user: str | None, outcome: str | None, since: datetime | None
) -> None:
    patients = frozenset({patient}) if patient else None
    cards: dict[str, HookRecord] = {}
    expected = []
    for entry in read_entries(log_directory):
        record = entry.record
        if isinstance(record, HookRecord) and record.card:
            cards[record.card] = record
        if isinstance(record, HookRecord | FeedbackRecord):
            call = record if isinstance(record, HookRecord) else cards.get(record.card)
            who = record.user or (call.user if call else None)
            if (
                (patients is None or (call is not None and call.patient in patients))
                and user in (None, who)
                and outcome in (None, record.outcome)
                and (since is None or record.time >= since)
            ):
                expected.append(record.request_id)

    assert found_ids(log_directory, patients=patients, user=user, outcome=outcome, since=since) == expected


def test_search_keyed_log_with_plain_patients_needs_no_key(log_directory: Path) -> None:
    found = list(search(log_directory, Query(patients=patient_forms("p1", ()))))

    assert [one for one in found if not isinstance(one, Found)] == []


def test_search_line_that_cannot_be_read_is_not_passed_over_in_silence(log_directory: Path) -> None:
    with files_of(log_directory)[1].open("ab") as stream:
        stream.write(b"garbage\n")
    found = list(search(log_directory, Query(outcome="nothing")))

    assert found == [Unreadable(files_of(log_directory)[1].name, 7)]


def test_as_json_is_the_record_as_logged(log_directory: Path) -> None:
    first = next(search(log_directory, Query()))
    assert isinstance(first, Found)
    logged = json.loads(files_of(log_directory)[0].read_bytes().splitlines()[1])
    del logged["link"]

    assert json.loads(as_json(first)) == logged


@pytest.mark.parametrize(
    ("outcome", "known", "patient"), [("accepted", True, "p2"), ("overridden", True, "p1"), ("none", False, None)]
)
def test_as_json_feedback_says_whether_its_card_is_known(
    tmp_path: Path, outcome: str, known: bool, patient: str | None
) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record(patient="p1"))
    log.append(hook_record(patient="p2", card=OTHER_CARD))
    log.append(feedback_record({"accepted": OTHER_CARD, "overridden": CARD}.get(outcome, "?"), outcome=outcome))
    (found,) = search(tmp_path, Query(outcome=outcome))
    assert isinstance(found, Found)
    printed = json.loads(as_json(found))

    assert (printed["card_known"], printed.get("patient")) == (known, patient)


@pytest.mark.parametrize(
    ("found", "cells", "reason"),
    [
        (Found(2, hook_record(), None), ["hook", "above-cutoff", "501.816", "shown"], "a card was shown"),
        (Found(2, hook_record(card=None), None), ["none"], "no card was made"),
        (Found(2, feedback_record(), CardOf("p1", "u")), ["feedback", "p1", "known", "residual-disease"], "joined"),
        (Found(2, feedback_record(), None), ["unknown"], "feedback on a card this log does not hold"),
    ],
)
def test_as_row_holds_what_a_person_looks_for(found: Found, cells: list[str], reason: str) -> None:
    row = as_row(found, ZONE).split()

    assert row[0] == "2026-03-10T00:30:00+09:00"
    assert set(cells) <= set(row), reason


@pytest.mark.parametrize(("presentation", "told"), [("", "silent"), ("silent", "silent"), ("snoozed", "snoozed")])
def test_as_row_says_why_a_card_was_kept_back(presentation: str, told: str) -> None:
    hidden = msgspec.structs.replace(hook_record(mode="silent"), shown=False, presentation=presentation)

    assert told in as_row(Found(2, hidden, None), ZONE).split()


def test_csv_rows_have_a_heading_and_no_cell_that_is_a_formula() -> None:
    heading_row, row, feedback = csv.reader(
        csv_rows(
            [
                Found(2, hook_record(user="=cmd()", encounter="e1"), None),
                Found(3, feedback_record(), CardOf("p1", "u")),
            ],
            ZONE,
        )
    )
    told = dict(zip(heading_row, row, strict=True))

    assert told["user"] == "'=cmd()"
    assert (told["record"], told["time"]) == ("2", "2026-03-10T00:30:00+09:00")
    assert (told["sii"], told["cutoff"], told["card"], told["card_id"]) == ("501.816", "405.08", "shown", CARD)
    assert told["encounter"] == "e1"
    of_feedback = dict(zip(heading_row, feedback, strict=True))
    assert (of_feedback["what"], of_feedback["patient"], of_feedback["sii"]) == ("feedback", "p1", "")


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([hook_record()], "1 record matches: 1 hook call (1 above-cutoff)."),
        (
            [hook_record(), hook_record(), feedback_record()],
            "3 records match: 2 hook calls, 1 feedback item (2 above-cutoff, 1 overridden).",
        ),
        ([hook_record()] * 1234, "1,234 records match: 1,234 hook calls (1,234 above-cutoff)."),
    ],
)
def test_totals_count_by_kind_and_outcome(records: list[HookRecord | FeedbackRecord], told: str) -> None:
    totals = Totals()
    for record in records:
        totals.count(Found(2, record, None))

    assert totals.told() == told


def test_as_row_control_characters_do_not_reach_the_terminal() -> None:
    row = as_row(Found(2, hook_record(user="Practitioner/\x1b[2Jx\n", patient="p\u202e1"), None), ZONE)

    assert row.isprintable()
    assert heading().split()[0] == "TIME"


def test_search_finds_a_view_with_its_patient_and_takes_no_card_from_it(tmp_path: Path) -> None:
    """The card that led to a page was shown to whom the hook names, whoever opens the page."""
    members = msgspec.structs.asdict(hook_record(request_id="h1", patient="p1"))
    for name in ("hook_instance", "mode", "presentation"):
        del members[name]
    log = audit_log(tmp_path)
    log.append(hook_record(request_id="h1", patient="p1"))
    log.append(ViewRecord(**{**members, "request_id": "v1", "user": "Practitioner/q", "shown": True}))
    log.append(ViewRecord(**{**members, "request_id": "v2", "outcome": "refused", "shown": False, "refused": "scope"}))
    log.append(feedback_record(request_id="f1"))

    assert found_ids(tmp_path, patients=frozenset({"p1"})) == ["h1", "v1", "v2", "f1"]
    assert found_ids(tmp_path, user="Practitioner/q") == ["v1"]
    assert found_ids(tmp_path, outcome="refused") == ["v2"]
    rows = [as_row(found, ZONE).split() for found in search(tmp_path, Query()) if isinstance(found, Found)]
    assert [(row[1], row[-1]) for row in rows] == [
        ("hook", "shown"),
        ("view", "shown"),
        ("view", "scope"),
        ("feedback", "residual-disease"),
    ]
