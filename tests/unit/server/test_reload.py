"""A configuration is tried in one worker and then in force; whatever is refused changes nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from cds_service.server.reload import REFUSED, Reload, in_force_at_start
from cds_service.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.server.in_force import InForce
    from cds_service.server.slot import Worker

OPEN = "authentication: {required: false}\n"


@dataclass
class FakeWorker:
    """A worker as far as a reload knows it."""

    has: InForce
    is_ready: bool = True
    trying: InForce | None = None
    sent: list[InForce] = field(default_factory=list)
    killed: bool = False

    def send(self, in_force: InForce) -> None:
        self.trying = in_force
        self.sent.append(in_force)

    def kill(self) -> None:
        self.killed = True


class Service:
    """A reload over two workers, driven round by round."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "sii-cds.yaml"
        self.file.write_text(OPEN)
        held = in_force_at_start(load_settings(self.file, {}), {})
        self.reload = Reload(held, self.file, {}, {})
        self.first, self.second = self.workers = [FakeWorker(held), FakeWorker(held)]
        self.now = 0.0

    def round(self) -> None:
        self.now += 1
        self.reload.go_on(cast("list[Worker]", self.workers), self.now)

    def told(self, text: str) -> None:
        """Write the file, ask for a reload, and go on until it was read."""
        self.file.write_text(text)
        self.reload.tell()
        self.round()
        while self.reload.is_reading(0):
            self.round()

    def answer(self, worker: FakeWorker, *, is_applied: bool) -> None:
        self.reload.answered(cast("Worker", worker), is_applied=is_applied)
        self.round()

    def cutoff(self, in_force: InForce) -> Any:
        return int(in_force.settings.rule.cutoff)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def local(cutoff: int) -> str:
    return f"{OPEN}rule: {{cutoff: {cutoff}, cutoff_source: our own}}\n"


def test_configuration_is_tried_in_one_worker_before_the_others_get_it(service: Service) -> None:
    service.told(local(330))
    assert [len(worker.sent) for worker in service.workers] == [1, 0]
    assert service.cutoff(service.reload.held) == 405, "not before it was applied"

    service.answer(service.first, is_applied=True)
    assert service.cutoff(service.reload.held) == 330
    assert [service.cutoff(sent) for sent in service.second.sent] == [330]


def test_configuration_that_the_first_worker_refuses_reaches_no_other_and_is_remembered(service: Service) -> None:
    service.told(local(330))
    service.answer(service.first, is_applied=False)

    assert service.cutoff(service.reload.held) == 405
    assert service.reload.held.is_refused, "what starts later tells it in its metrics"
    assert all(service.cutoff(sent) == 405 for sent in service.second.sent)


def test_configuration_that_cannot_be_read_is_told_once_and_changes_nothing(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        service.told("rule: {cutof: 1}\n")

    assert [record.message for record in caplog.records] == [REFUSED]
    assert service.cutoff(service.reload.held) == 405
    assert all(sent.is_refused and service.cutoff(sent) == 405 for worker in service.workers for sent in worker.sent)


def test_worker_that_refuses_what_is_in_force_is_built_anew(service: Service) -> None:
    service.told(local(330))
    service.answer(service.first, is_applied=True)
    service.answer(service.second, is_applied=False)

    assert service.second.killed
    assert not service.first.killed
    assert service.cutoff(service.reload.held) == 330


def test_worker_that_dies_while_it_tries_is_followed_by_another_but_not_for_ever(service: Service) -> None:
    service.told(local(330))
    for _ in range(3):
        dying = next(worker for worker in service.workers if worker.trying is not None)
        service.reload.gone(cast("Worker", dying))
        service.workers[service.workers.index(dying)] = FakeWorker(service.reload.held)
        service.round()

    assert service.cutoff(service.reload.held) == 405
    assert service.reload.held.is_refused
    assert not service.reload.is_busy


def test_worker_that_refuses_what_a_newer_one_has_overtaken_serves_on(service: Service) -> None:
    service.told(local(330))
    service.told(local(340))
    service.answer(service.first, is_applied=False)

    assert not service.first.killed, "it serves what is in force"
    assert not service.reload.held.is_refused, "the newer one is still to be tried"


def test_worker_that_never_answers_does_not_keep_a_newer_configuration_from_others(service: Service) -> None:
    service.told(local(330))
    service.told(local(340))
    assert [service.cutoff(sent) for sent in service.second.sent] == [340]

    service.answer(service.second, is_applied=True)
    assert service.cutoff(service.reload.held) == 340


def test_reloads_asked_for_all_the_time_leave_rounds_in_which_workers_are_started(service: Service) -> None:
    readings = []
    for _ in range(200):
        service.reload.tell()
        service.round()
        while service.reload._reader is not None and not service.reload._reader.is_done:
            pass
        readings.append(service.reload.is_reading(0))

    assert readings.count(False) >= 90, "workers are started between two readings"
    assert len(service.first.sent) == 1, "the same configuration is not tried again before it was answered"


def test_configuration_waits_until_a_worker_is_ready(service: Service) -> None:
    for worker in service.workers:
        worker.is_ready = False
    service.told(local(330))
    assert not any(worker.sent for worker in service.workers)

    service.second.is_ready = True
    service.round()
    assert service.second.sent
    assert not service.first.sent


def test_keys_that_need_a_restart_stay_those_of_the_start(service: Service) -> None:
    service.told(f"{OPEN}state: {{url: 'sqlite:///other.db'}}\naudit: {{directory: elsewhere}}\n")
    service.answer(service.first, is_applied=True)

    held = service.reload.held
    assert held.needs_restart == ("audit.directory", "state.url")
    assert "other.db" not in held.settings.state.url
    assert held.settings.audit.directory.name == "audit"


def test_reload_without_a_file_never_reads(tmp_path: Path) -> None:
    held = in_force_at_start(load_settings(None, {"SII_CDS__AUTHENTICATION__REQUIRED": "false"}), {})
    reload = Reload(held, None, {}, {})
    reload.tell()
    reload.go_on([cast("Worker", FakeWorker(held))], 1.0)

    assert not reload.is_busy
