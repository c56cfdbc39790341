"""The running service while its audit log cannot be written: refused or counted, not ready, well again by itself."""

from __future__ import annotations

import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest
import requests

from cds_service.audit.reading import verify_log
from tests.benchmarks.bodies import patient_view_body
from tests.support.exposed_metrics import total
from tests.support.fhir_stub_site import HOOK_PATH
from tests.support.processes import children
from tests.support.serve_command import TRIAL, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.serve_command import Serving
FAILURES = "sii_cds_audit_write_failures_total"


@contextmanager
def directory_gone(server: Serving) -> Iterator[None]:
    """What was mounted there is away for a while."""
    directory, away = server.folder / "audit", server.folder / "away"
    directory.rename(away)
    yield
    away.rename(directory)


@contextmanager
def file_in_its_place(server: Serving) -> Iterator[None]:
    """Something else stands where the directory was."""
    directory, away = server.folder / "audit", server.folder / "away"
    directory.rename(away)
    directory.write_text("no directory")
    yield
    directory.unlink()
    away.rename(directory)


@contextmanager
def disk_full(server: Serving) -> Iterator[None]:
    """No file can grow beyond a few bytes: neither the audit log, nor its probe, nor the state store."""
    workers = {worker: resource.prlimit(worker, resource.RLIMIT_FSIZE) for worker in children(server.process.pid)}
    for worker, (_, most) in workers.items():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (100, most))
    yield
    for worker, limits in workers.items():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, limits)


@contextmanager
def file_replaced(server: Serving) -> Iterator[None]:
    """Something that nobody can write to stands where the newest file was."""
    path = next((server.folder / "audit").glob("*.jsonl"))
    path.rename(server.folder / path.name)
    path.mkdir()
    yield
    path.rmdir()
    (server.folder / path.name).rename(path)


WAYS: tuple[Callable[[Serving], AbstractContextManager[None]], ...] = (
    directory_gone,
    file_in_its_place,
    file_replaced,
    disk_full,
)


class Answer(NamedTuple):
    """What a hook got."""

    status: int
    text: str


def ask(server: Serving) -> Answer:
    answer = requests.post(
        server.url + HOOK_PATH,
        patient_view_body(12, eligible=True),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )
    return Answer(answer.status_code, answer.text)


def readiness(server: Serving) -> int:
    return requests.get(f"{server.url}/readyz", timeout=30).status_code


@pytest.fixture(scope="module", params=["refuse", "continue"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp(request.param)
    with serving(folder, f"{TRIAL}audit: {{on_failure: {request.param}}}\n") as running:
        assert ask(running).status == 200
        yield running


def recorded(folder: Path) -> int:
    """The hooks in the log, which has to be whole."""
    found = verify_log(folder / "audit")
    assert found.broken is None
    return found.counts["hook"]


@pytest.mark.parametrize("make_unwritable", WAYS, ids=[way.__name__ for way in WAYS])
def test_audit_unwritable_is_answered_as_the_site_wants_and_needs_no_restart(
    server: Serving, make_unwritable: Callable[[Serving], AbstractContextManager[None]]
) -> None:
    continues = "continue" in server.folder.name
    before, failures = recorded(server.folder), total(server.url, FAILURES)
    with make_unwritable(server):
        answers = [ask(server) for _ in range(4)]
        assert readiness(server) == 503
    assert {answer.status for answer in answers} == ({200} if continues else {503})
    for answer in answers:
        assert ("cards" in answer.text, "OperationOutcome" in answer.text) == (continues, not continues)
        assert continues or "bench-1" not in answer.text, "no patient data"
    assert recorded(server.folder) == before
    assert total(server.url, FAILURES) == failures + 4, "what goes on without a record is counted"
    assert readiness(server) == 200
    assert ask(server).status == 200

    assert recorded(server.folder) == before + 1


def test_service_started_without_audit_directory_becomes_ready_by_itself(tmp_path: Path) -> None:
    # The volume is mounted late.
    (tmp_path / "audit").write_text("in the way")
    with serving(tmp_path) as late:
        assert (ask(late).status, readiness(late)) == (503, 503)
        (tmp_path / "audit").unlink()
        (tmp_path / "audit").mkdir()
        end = time.monotonic() + 10
        while readiness(late) != 200 and time.monotonic() < end:
            time.sleep(0.05)
        assert ask(late).status == 200

        assert recorded(tmp_path) == 1
