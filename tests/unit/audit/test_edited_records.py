"""A record that somebody edited, or that a disk damaged: counted and said by every reader, and a traceback in none."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from cds_service.audit.events.building import Observer, audit_event
from cds_service.audit.presentation import as_json, as_row
from cds_service.audit.reading import read_entries, verify_log
from cds_service.audit.records import FIRST_SERVICE
from cds_service.audit.search import Found, Query, Unreadable, search
from cds_service.cards.options import CardOptions
from cds_service.cli.main import main
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.site import Site
from cds_service.insight.monitor.days import tally_logs
from cds_service.insight.monitor.figures import as_object
from cds_service.insight.monitor.monitoring import monitor
from cds_service.insight.monitor.periods import Wanted, choose_periods
from cds_service.insight.monitor.report import monitor_document
from cds_service.insight.sources.audit_log import read_rows
from cds_service.insight.sources.replay import Unread, replay
from cds_service.insight.usage.report_figures import as_data
from cds_service.insight.usage.report_page import report_page
from cds_service.insight.usage.statistics import count
from cds_service.reports.as_text import as_text as document_text
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from tests.support.charts import NOW, draw, hook_request
from tests.support.recorded import Hook, record
from tests.unit.audit.samples import audit_log, feedback_record, files_of, hook_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = Site(
    ClinicalPolicy(ZoneInfo("Asia/Tokyo")),
    load_mappings(),
    CardOptions("https://x.example/"),
    "active",
    "h",
    SII,
)
WEST, EAST = ZoneInfo("Etc/GMT+12"), ZoneInfo("Etc/GMT-14")
TEXTS = ("abc", "", "NaN", "-Infinity", "1E+400", "0x1", "\x00\n", "Mars/X", "../etc/passwd", "2026-02-30")
TIMES = ("2026-03-10T10:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-10T25:00:00Z")
NUMBERS = (-1, 91, 10**30, 1e300, 0.5)
OTHERS: tuple[Any, ...] = (None, True, [], {}, [[]])


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A log of one file: its beginning, limits, a decision with its chart, one with a card, and feedback."""
    directory = tmp_path_factory.mktemp("log")
    record(directory, [Hook("decided", json.dumps(hook_request(*draw())).encode(), NOW, SITE)])
    log = audit_log(directory, key=None, clock=lambda: datetime.now(UTC))
    log.append(hook_record(now=NOW))
    log.append(feedback_record(time=NOW))
    (file,) = files_of(directory)
    return file.read_bytes().splitlines(keepends=True)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member and item within a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def edited(line: bytes, path: tuple[Any, ...], value: Any) -> bytes:
    """Exchange one member of a line; the form of the line stays."""
    members = json.loads(line)
    parent = members
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def written(directory: Path, lines: list[bytes], number: int, line: bytes) -> Path:
    """Write the log with one line exchanged."""
    directory.mkdir(exist_ok=True)
    changed = [*lines[:number], line, *lines[number + 1 :]]
    (directory / "audit-000000000001-2026-11-23.jsonl").write_bytes(b"".join(changed))
    return directory


def unread_by_search(directory: Path) -> int:
    found = list(search(directory, Query(since=NOW - timedelta(days=999), until=NOW)))
    rows = [one for one in found if isinstance(one, Found)]
    assert [as_row(one, UTC) + as_json(one) for one in rows]
    assert [audit_event(one, Observer("https://cds.hospital.example")) for one in rows]
    return sum(isinstance(one, Unreadable) for one in found)


def unread_by_report(directory: Path) -> int:
    for zone in (WEST, EAST):
        told = count(read_rows([directory], zone), NOW - timedelta(days=999), NOW, SII)
        assert as_data(told)
        assert document_text(report_page(told, "log", zone, "1.0.0"), 100)
    return told.unreadable


def unread_by_replay(directory: Path) -> int:
    return sum(isinstance(one, Unread) for one in replay(read_entries(directory), {SITE.service.id: SITE}))


def unread_by_monitor(directory: Path) -> int:
    for zone in (WEST, EAST):
        tallies = tally_logs([directory], zone, NOW.date() - timedelta(days=30), FIRST_SERVICE)
        result = monitor(tallies, choose_periods(Wanted(), NOW.date(), tallies.first_day), 1.0)
        assert document_text(monitor_document(result, tallies, NOW), 80)
        assert as_object(result, tallies)
    return tallies.unreadable


READERS = (unread_by_search, unread_by_report, unread_by_replay, unread_by_monitor)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say with an error what was edited."""
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise


@pytest.mark.parametrize("number", range(5))
def test_edited_member_breaks_no_reader_and_is_counted_where_it_cannot_be_read(
    lines: list[bytes], tmp_path: Path, number: int
) -> None:
    values = (*TEXTS, *TIMES, *NUMBERS, *OTHERS)
    counted: Counter[str] = Counter()
    for turn, path in enumerate(places(json.loads(lines[number]))):
        # A quarter of the values for each member, another one for its neighbours.
        for value in values[turn % 4 :: 4]:
            directory = written(tmp_path / "log", lines, number, edited(lines[number], path, value))
            with told(f"{path} became {value!r}"):
                assert verify_log(directory).broken is not None or edited(lines[number], path, value) == lines[number]
                for reader in READERS:
                    counted[reader.__name__] += reader(directory)

    assert all(counted[reader.__name__] for reader in READERS)


# Where each stood when it was found: in the decision (2) or in the limits (1).
FOUND = [
    (2, ("sii",), "abc", {"search", "report", "export", "replay", "monitor"}, "a text where a number belongs"),
    (2, ("sample_time",), "x026-10-14", {"search", "report", "export", "replay", "monitor"}, "a text for a day"),
    (2, ("time",), "2026-11-23T10:00:00", {"search", "report", "export", "replay", "monitor"}, "a time without zone"),
    (2, ("used", 0, "value"), "NaN", {"search", "report", "export", "replay", "monitor"}, "no number"),
    (2, ("chart", "person"), 5, {"replay"}, "a chart that is none; only replay reads charts"),
    (2, ("chart", "person", "age"), 4000, {"replay"}, "a patient born before the calendar"),
    (2, ("chart", "blood_counts", "observations", 0, "quantity", "value"), "NaN", {"replay"}, "no number"),
    (1, ("policy", "cutoff"), "x", {"replay"}, "only replay reads limits"),
    (1, ("policy", "timezone"), "Mars/X", {"replay"}, "a zone nobody knows"),
    (1, ("policy", "baseline_window_days"), 10**12, {"replay"}, "a window wider than the calendar"),
    (1, ("policy", "same_draw"), "P400000D", {"replay"}, "an hour without end"),
    (1, ("policy", "minimum_age"), "old", {"replay"}, "a text where a number belongs"),
    (2, ("time",), "1969-12-31T23:59:59Z", {"search", "report", "export", "replay", "monitor"}, "older than any clock"),
    (2, ("time",), "1970-01-01T00:00:00Z", set(), "a clock that was not set yet"),
    (1, ("time",), "2026-11-23T10:00:00", {"search", "report", "export", "replay", "monitor"}, "a time without zone"),
]
COMMANDS = {
    "search": ("audit", "search", "--since", "2026-01-01"),
    "report": ("audit", "report", "--since", "2026-01-01"),
    "export": ("audit", "export", "--fhir"),
    "replay": ("audit", "replay"),
    "monitor": ("monitor", "--until", "2026-11-23"),
}


@pytest.mark.parametrize(("number", "path", "value", "unread", "reason"), FOUND)
def test_edited_record_exit_1_and_said_by_every_command_that_reads_it(
    lines: list[bytes], tmp_path: Path, number: int, path: tuple[Any, ...], value: Any, unread: set[str], reason: str
) -> None:
    directory = written(tmp_path / "log", lines, number, edited(lines[number], path, value))
    said = set()
    for name, arguments in COMMANDS.items():
        result = CliRunner().invoke(main, [*arguments, "--directory", str(directory)])
        assert isinstance(result.exception, SystemExit | None), f"{name}: {result.exception!r}"
        if re.search(r"ines that cannot be read: 1\b", result.output):
            said.add(name)
            assert result.exit_code == 1

    assert said == unread, reason


def test_edited_record_of_an_unknown_kind_is_not_passed_over(lines: list[bytes], tmp_path: Path) -> None:
    directory = written(tmp_path / "log", lines, 2, lines[2].replace(b'"kind":"hook"', b'"kind":"hoak"'))

    assert [reader(directory) for reader in READERS] == [1, 1, 1, 1]


def test_edited_record_nested_too_deep_is_counted(lines: list[bytes], tmp_path: Path) -> None:
    nested = b"[" * 100_000 + b"]" * 100_000
    directory = written(tmp_path / "log", lines, 2, lines[2].replace(b'"chart":{', b'"chart":' + nested + b',"x":{'))

    assert [reader(directory) for reader in READERS] == [1, 1, 1, 1]
