"""Metrics of the running service: added up over its workers, the dead ones too, and nothing grows."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.charts import hook_request
from tests.support.exposed_metrics import scraped, total
from tests.support.serve_command import Serving, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/cds-services/sii-recurrence-risk"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Serving]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with serving(tmp_path, TMPDIR=str(temporary)) as running:
        wait_until(lambda: total(running.url, "sii_cds_workers") == 2, "both workers run")
        yield running


def ask(service: Serving, times: int) -> None:
    for _ in range(times):
        assert requests.post(service.url + PATH, json=hook_request(), timeout=10).status_code == 200


def counted(service: Serving) -> float:
    return total(service.url, "sii_cds_hooks_total", service="sii-recurrence-risk", client="anonymous")


def files(service: Serving) -> set[str]:
    (directory,) = (service.folder / "temporary").glob("sii-cds-metrics-*")
    return {path.name for path in directory.iterdir()}


def worker_pids(service: Serving) -> list[int]:
    pid = service.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_every_hook_is_counted_once_whichever_worker_answered_and_died(service: Serving) -> None:
    ask(service, 20)
    assert {counted(service) for _ in range(8)} == {20}
    before = files(service)
    victim = worker_pids(service)[0]
    os.kill(victim, signal.SIGKILL)
    # Connections that wait for it at this moment are reset.
    wait_until(lambda: victim not in worker_pids(service) and len(worker_pids(service)) == 2, "it is replaced")
    wait_until(lambda: total(service.url, "sii_cds_worker_starts_total") == 3, "the new worker counts")
    ask(service, 20)

    assert counted(service) == 40
    assert total(service.url, "sii_cds_hook_duration_seconds_count") == 40
    assert total(service.url, "sii_cds_workers") == 2
    assert files(service) == before


def test_stop_ends_cleanly_and_leaves_no_files_of_metrics(service: Serving) -> None:
    ask(service, 3)
    service.process.terminate()

    assert service.process.wait(timeout=10) == 0
    assert list((service.folder / "temporary").iterdir()) == []


def test_audit_state_is_that_of_the_log(service: Serving) -> None:
    ask(service, 5)
    files = sorted((service.folder / "audit").glob("*.jsonl"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    assert total(service.url, "sii_cds_audit_head_sequence") == len(lines)
    # Each worker records the configuration it decides by.
    assert total(service.url, "sii_cds_audit_records_total") == 5 + 2
    assert total(service.url, "sii_cds_audit_write_failures_total") == 0
    assert total(service.url, "sii_cds_ready", check="audit") == 1


def test_audit_that_cannot_be_written_is_told(service: Serving) -> None:
    audit = service.folder / "audit"
    audit.rename(service.folder / "moved away")
    audit.write_text("no folder")
    answers = [requests.post(service.url + PATH, json=hook_request(), timeout=10).status_code for _ in range(3)]

    assert answers == [503] * 3
    assert total(service.url, "sii_cds_audit_write_failures_total") == 3
    assert total(service.url, "sii_cds_refusals_total", reason="audit-unavailable") == 3
    assert total(service.url, "sii_cds_ready", check="audit") == 0
    assert requests.get(f"{service.url}/readyz", timeout=10).status_code == 503
    assert requests.get(f"{service.url}/livez", timeout=10).status_code == 200

    audit.unlink()
    (service.folder / "moved away").rename(audit)
    ask(service, 3)
    assert total(service.url, "sii_cds_ready", check="audit") == 1


def test_labels_hold_nothing_of_patient_or_caller(service: Serving) -> None:
    requests.post(service.url + PATH, json=hook_request(members={"hookInstance": "mark-1"}), timeout=10)
    requests.get(f"{service.url}/Patient/mark-2", headers={"Authorization": "Bearer mark-3"}, timeout=10)
    requests.request("MARK-4", f"{service.url}{PATH}", timeout=10)

    values = {value for sample in scraped(service.url) for value in sample.labels.values()}
    assert not [value for value in values if "mark" in value.lower() or value == "p1"]
