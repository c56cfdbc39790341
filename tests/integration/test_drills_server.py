"""Fault drills on the running service. docs/operations.md has a row for each."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import requests

from tests.support.charts import hook_request
from tests.support.openapi import HOOK
from tests.support.processes import children
from tests.support.serve_command import COMMAND, TRIAL, Serving, serving, write_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 20.0


def ask(server: Serving | str) -> requests.Response:
    url = server if isinstance(server, str) else server.url
    return requests.post(url + HOOK, json=hook_request(), timeout=30)


def wait_until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def log_of(folder: Path) -> list[dict[str, object]]:
    lines = (folder / "stdout.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def worker_pids(server: Serving) -> set[int]:
    return set(children(server.process.pid))


def limit_files(server: Serving, most_bytes: int) -> None:
    """Let the workers write no file beyond so many bytes, as a full disk or a quota does."""
    for pid in worker_pids(server):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


def test_drill_audit_disk_full_is_503_until_there_is_room(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert [ask(server).status_code for _ in range(30)] == [200] * 30
        (log,) = (tmp_path / "audit").glob("*.jsonl")
        limit_files(server, log.stat().st_size)

        refusals = [ask(server) for _ in range(4)]
        ready = requests.get(f"{server.url}/readyz", timeout=30)

        assert {answer.status_code for answer in refusals} == {503}
        assert all("cannot record its decision" in answer.text for answer in refusals)
        assert ready.status_code in (200, 503), "the probe is a small file beside the log"
        told = [str(line.get("detail")) for line in log_of(tmp_path) if line.get("status") == 503]
        assert all("audit log" in detail and "File too large" in detail for detail in told), told
        limit_files(server, resource.RLIM_INFINITY)
        assert ask(server).status_code == 200
    checked = subprocess.run([str(COMMAND), "audit", "verify", "--config", str(tmp_path / "sii-cds.yaml")], check=False)
    assert checked.returncode == 0


def test_drill_worker_killed_is_replaced_and_others_answer(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        before = worker_pids(server)
        victim = min(before)
        os.kill(victim, signal.SIGKILL)

        assert wait_until(lambda: victim not in worker_pids(server) and len(worker_pids(server)) == len(before))
        assert [ask(server).status_code for _ in range(10)] == [200] * 10
        assert wait_until(lambda: any(str(victim) in str(line) or "worker" in str(line) for line in log_of(tmp_path)))


def test_drill_configuration_deleted_changes_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        (tmp_path / "sii-cds.yaml").unlink()
        refused = "configuration refused, the old one serves on"

        assert wait_until(lambda: any(line["event"] == refused for line in log_of(tmp_path)))
        assert [ask(server).status_code for _ in range(6)] == [200] * 6
        assert all("sii-cds.yaml" in str(line["problems"]) for line in log_of(tmp_path) if line["event"] == refused)


@contextmanager
def piped(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the service with its stdout in a pipe, of which the address was read and nothing more."""
    configuration = write_configuration(folder, TRIAL)
    with (folder / "stderr.log").open("w") as errors:
        process = subprocess.Popen(
            [str(COMMAND), "serve", "--config", str(configuration)],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().removeprefix("listening on ").strip(), process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_drill_log_reader_gone_leaves_answers_as_they_are(tmp_path: Path) -> None:
    with piped(tmp_path) as (url, process):
        assert process.stdout is not None
        process.stdout.close()

        assert [ask(url).status_code for _ in range(12)] == [200] * 12
        assert requests.post(url + HOOK, data=b"{", timeout=30).status_code == 415
        assert process.poll() is None
    printed = (tmp_path / "stderr.log").read_text(encoding="utf-8")
    assert "Traceback" not in printed
    assert "p1" not in printed


def test_drill_log_reader_hangs_leaves_answers_as_they_are(tmp_path: Path) -> None:
    with piped(tmp_path) as (url, process), requests.Session() as session:
        # A pipe holds 64 KiB, a line has more than 100 bytes.
        answers = Counter(session.get(f"{url}/cds-services/x", timeout=30).status_code for _ in range(1000))
        assert answers == {404: 1000}
        assert ask(url).status_code == 200

        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        taken = wait_until_said(process.stdout.fileno(), lambda: ask(url), "log lines were lost")
    lines = [json.loads(line) for line in taken.splitlines() if line.startswith("{")]
    assert sum(line["event"] == "request" for line in lines) < 1000


def wait_until_said(descriptor: int, ask_again: Callable[[], object], wanted: str) -> str:
    """Read what there is and ask again, until the log says so; return all of it but the last, unfinished line."""
    data = b""
    end = time.monotonic() + PATIENCE
    while wanted.encode() not in data:
        assert time.monotonic() < end, data[-500:]
        with suppress(BlockingIOError):
            data += os.read(descriptor, 1_000_000)
        ask_again()
    return data.rpartition(b"\n")[0].decode()
