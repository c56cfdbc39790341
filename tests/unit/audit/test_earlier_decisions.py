"""Reading the log backwards for the decisions about one patient, and saying how far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.audit import earlier_decisions
from cds_service.audit.earlier_decisions import MOST_DECISIONS, Asked, read_earlier_decisions
from cds_service.audit.log import AuditLog
from cds_service.audit.records import HookRecord, ViewRecord

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SERVICE = "sii-recurrence-risk"


def record(kind: type = HookRecord, **changes: Any) -> Any:
    members: dict[str, Any] = {
        "time": NOW,
        "service": SERVICE,
        "request_id": "r",
        "client": "main-ehr",
        "user": "Practitioner/1",
        "patient": "p1",
        "outcome": "above-cutoff",
        "rule_version": "2",
        "mapping_version": "m",
        "configuration": "c",
    }
    if kind is HookRecord:
        members |= {"hook_instance": "h", "mode": "active"}
    return kind(**members | changes)


def asked(**changes: Any) -> Asked:
    members: dict[str, Any] = {
        "patients": frozenset({"p1"}),
        "clients": frozenset({"main-ehr"}),
        "service": SERVICE,
        "since": NOW - timedelta(days=365),
    }
    return Asked(**members | changes)


def written(folder: Path, *records: Any, **options: Any) -> Path:
    log = AuditLog(folder / "audit", key=None, clock=lambda: NOW, **{"rotate_bytes": 1_000_000} | options)
    log.start()
    log.append_batch(records)
    return folder / "audit"


def test_earlier_decisions_are_those_of_the_patient_newest_first(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        record(card="c-1", shown=True),
        record(patient="p2"),
        record(patient="p1x"),
        record(ViewRecord, shown=True, outcome="indeterminate"),
        record(client="other-ehr"),
        record(service="nlr-risk"),
        record(request_id="last", time=NOW - timedelta(days=1)),
    )

    found = read_earlier_decisions(folder, asked(), 5.0)

    assert [d.request_id for d in found.decisions] == ["last", "r", "r"]
    assert [type(d) for d in found.decisions] == [HookRecord, ViewRecord, HookRecord]
    assert found.is_complete
    assert found.shows_card("c-1")
    assert not found.shows_card("c-2")
    assert not found.shows_card("")


def test_earlier_decisions_older_than_asked_for_are_left_out(tmp_path: Path) -> None:
    folder = written(tmp_path, record(time=NOW - timedelta(days=400)), record())

    assert len(read_earlier_decisions(folder, asked(), 5.0).decisions) == 1


def test_view_does_not_prove_its_card(tmp_path: Path) -> None:
    folder = written(tmp_path, record(ViewRecord, card="c-1", shown=True))

    assert not read_earlier_decisions(folder, asked(), 5.0).shows_card("c-1")


@pytest.mark.parametrize("lot", [7, 300, 1_000, 262_144])
def test_lots_of_any_size_lose_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lot: int) -> None:
    monkeypatch.setattr(earlier_decisions, "_LOT_BYTES", lot)
    folder = written(tmp_path, *(record(request_id=str(n)) for n in range(20)), rotate_bytes=2_000)

    found = read_earlier_decisions(folder, asked(), 30.0)

    assert [d.request_id for d in found.decisions] == [str(n) for n in reversed(range(20))]
    assert found.read_back_to == NOW
    assert found.is_complete


def test_torn_and_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    folder = written(tmp_path, record(request_id="good"))
    (path,) = folder.glob("*.jsonl")
    with path.open("ab") as stream:
        stream.write(b'{"patient":"p1", broken}\n\xff\xfe\n{"sequence":9,"kind":"hook","patient":"p1","ti')

    assert [d.request_id for d in read_earlier_decisions(folder, asked(), 5.0).decisions] == ["good"]


def test_more_decisions_than_a_page_shows_are_cut(tmp_path: Path) -> None:
    folder = written(tmp_path, *(record(request_id=str(n)) for n in range(MOST_DECISIONS + 5)))

    found = read_earlier_decisions(folder, asked(), 5.0)

    assert (len(found.decisions), found.is_cut, found.is_complete) == (MOST_DECISIONS, True, False)
    assert found.decisions[0].request_id == str(MOST_DECISIONS + 4)


def test_time_that_is_over_ends_the_search_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier_decisions, "_LOT_BYTES", 1_000)
    folder = written(tmp_path, *(record(request_id=str(n), time=NOW - timedelta(days=50 - n)) for n in range(50)))

    found = read_earlier_decisions(folder, asked(), 0.0)

    assert not found.is_complete
    assert found.read_back_to is not None
    assert found.read_back_to > NOW - timedelta(days=50)


def test_log_that_is_not_there_is_not_complete(tmp_path: Path) -> None:
    found = read_earlier_decisions(tmp_path / "nowhere", asked(), 5.0)

    assert (found.decisions, found.is_complete, found.read_back_to) == ((), False, None)


def test_pseudonym_is_a_form_of_the_patient(tmp_path: Path) -> None:
    folder = written(tmp_path, record(patient="hmac:0123"))

    assert len(read_earlier_decisions(folder, asked(patients=frozenset({"p1", "hmac:0123"})), 5.0).decisions) == 1
