"""Workers die, hang and find their files changed: the service answers, with the configuration that is in force."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

from cds_service.state.chain_heads import kept_head
from tests.security.forge import EC_KID, ec_key, jwk, key_set, token
from tests.support.charts import hook_request
from tests.support.processes import children
from tests.support.serve_command import COMMAND, CONFIGURATION_NAME, TRIAL, Serving, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATH = "/cds-services/sii-recurrence-risk"
PUBLIC_URL = "http://127.0.0.1:8080"
CONFIGURATION = """\
service: {public_url: "http://127.0.0.1:8080", timezone: Europe/Zurich}
server: {host: 127.0.0.1, port: 0, workers: 2}
clients: [{name: main-ehr, issuer: "https://ehr.hospital.example", jwks_file: ehr-jwks.json}]
mappings: {overlays: [site-codes.yaml]}
audit: {directory: audit, hmac_key_file: audit-key}
state: {url: "sqlite:///state.db"}
rule: {cutoff: 330, cutoff_source: our own cohort}
"""
OVERLAY = """\
about: {what: Local codes, approved_by: "Dr. A. Example"}
systems: [{uri: "https://laboratory.hospital.example/tests"}]
laboratory_codes:
  - {system: "https://laboratory.hospital.example/tests", code: PLT, analyte: platelets, basis: count}
"""
REFUSED = "configuration refused, the old one serves on"
# A worker that is busy or just killed breaks connections off; nobody waits longer than this for the next answer.
PATIENCE = 5.0


@contextmanager
def site(folder: Path, workers: int = 2) -> Iterator[Serving]:
    write_files(folder)
    with serving(folder, CONFIGURATION.replace("workers: 2", f"workers: {workers}")) as running:
        wait_until(lambda: len(answering(running, workers)) == workers, "all workers answer", 30)
        yield running


def write_files(folder: Path) -> None:
    (folder / "ehr-jwks.json").write_bytes(key_set(jwk(ec_key(), EC_KID)))
    (folder / "site-codes.yaml").write_text(OVERLAY, encoding="utf-8")
    (folder / "audit-key").write_text("k" * 64, encoding="utf-8")


def answering(service: Serving, wanted: int) -> set[int]:
    """Return the workers, once there are so many and one of them answers."""
    pids = set(children(service.process.pid))
    return pids if len(pids) == wanted and status(service) == 200 else set()


def new_token() -> str:
    now = int(time.time())
    times: dict[str, Any] = {"iat": now, "exp": now + 300, "aud": PUBLIC_URL + PATH, "jti": str(uuid4())}
    return token("ES384", **times)


def ask(service: Serving, signed: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {signed or new_token()}"}
    return requests.post(service.url + PATH, json=hook_request(), headers=headers, timeout=PATIENCE)


def status(service: Serving) -> int:
    with suppress(requests.ConnectionError, requests.Timeout):
        return requests.get(service.url + "/readyz", timeout=PATIENCE).status_code
    return 0


def cutoffs(service: Serving) -> set[str]:
    """Ask often enough to have met every worker; a connection that a killed worker broke off is tried again."""
    found = set()
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda _: answered(service), range(16)):
            assert answer.status_code == 200, answer.text
            found.add(answer.json()["extension"]["org.sii-cds.assessment"]["cutoff"])
    return found


def answered(service: Serving) -> requests.Response:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask(service)
        except requests.ConnectionError:
            assert time.monotonic() < deadline


def kill(service: Serving, number: int = signal.SIGKILL) -> int:
    victim = max(children(service.process.pid))
    os.kill(victim, number)
    return victim


def assert_whole(service: Serving, configuration: str = CONFIGURATION) -> None:
    """Verify the one audit log as an auditor does, with the configuration that is in force."""
    write_files(service.folder)
    file = service.folder / "for-the-auditor.yaml"
    file.write_text(configuration, encoding="utf-8")
    command = [str(COMMAND), "audit", "verify", "--config", str(file)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert {path.parent.name for path in service.folder.rglob("*.jsonl")} == {"audit"}


def printed(service: Serving) -> str:
    return "".join((service.folder / name).read_text() for name in ("stdout.log", "stderr.log"))


def test_newest_of_four_workers_killed_six_times_in_four_seconds(tmp_path: Path) -> None:
    with site(tmp_path, workers=4) as service:
        began = time.monotonic()
        for _ in range(6):
            kill(service)
            assert answered(service).status_code == 200
            time.sleep(max(0.0, 0.6 - (time.monotonic() - began) % 0.6))
        wait_until(lambda: len(answering(service, 4)) == 4, "all four are back", 30)

        assert cutoffs(service) == {"330"}
        assert service.process.poll() is None
        assert_whole(service, CONFIGURATION.replace("workers: 2", "workers: 4"))


def test_every_worker_killed_again_and_again_the_service_comes_back(tmp_path: Path) -> None:
    with site(tmp_path) as service:
        for _ in range(4):
            for pid in children(service.process.pid):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.3)
        wait_until(lambda: len(answering(service, 2)) == 2, "both are back", 30)

        assert ask(service).status_code == 200
        assert service.process.poll() is None


def delete(path: Path) -> None:
    path.unlink()


def write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (CONFIGURATION_NAME, write("rule: {cutof: 1}"), "a slip of the pen"),
        (CONFIGURATION_NAME, delete, "none at all"),
        (CONFIGURATION_NAME, write("["), "half of one"),
        ("ehr-jwks.json", write("{}"), "keys that are none"),
        ("ehr-jwks.json", delete, "no keys"),
        ("site-codes.yaml", write("about: 1"), "a broken overlay"),
        ("site-codes.yaml", delete, "no overlay"),
    ],
)
def test_file_that_is_refused_and_then_a_death_leave_everything_in_force(
    tmp_path: Path, name: str, change: Callable[[Path], object], reason: str
) -> None:
    with site(tmp_path) as service:
        change(tmp_path / name)
        wait_until(lambda: bool(service.events(REFUSED)), f"it is refused: {reason}")
        for _ in range(2):
            victim = kill(service)
            wait_until(lambda gone=victim: gone not in answering(service, 2) != set(), "it is replaced")  # type: ignore[misc]
            assert cutoffs(service) == {"330"}, reason
        assert "Traceback" not in printed(service)
        assert_whole(service)


def test_audit_key_that_is_deleted_and_then_a_death_leave_one_chain(tmp_path: Path) -> None:
    with site(tmp_path) as service:
        (tmp_path / "audit-key").unlink()
        victim = kill(service)
        wait_until(lambda: victim not in answering(service, 2) != set(), "it is replaced")
        assert cutoffs(service) == {"330"}
        assert_whole(service)


def test_edit_that_needs_a_restart_and_then_a_death_split_nothing(tmp_path: Path) -> None:
    with site(tmp_path) as service:
        used = [new_token() for _ in range(4)]
        assert {ask(service, signed).status_code for signed in used} == {200}
        edited = CONFIGURATION.replace("state.db", "other.db").replace("directory: audit", "directory: elsewhere")
        (tmp_path / CONFIGURATION_NAME).write_text(edited.replace("cutoff: 330", "cutoff: 340"), encoding="utf-8")
        wait_until(lambda: cutoffs(service) == {"340"}, "what can change in place has changed")
        victim = kill(service)
        wait_until(lambda: victim not in answering(service, 2) != set(), "it is replaced")

        assert cutoffs(service) == {"340"}
        assert {ask(service, signed).status_code for signed in used for _ in range(6)} == {401}, "each counts once"
        assert not (tmp_path / "other.db").exists()
        assert_whole(service)


def test_worker_that_hangs_is_replaced_and_others_answer_meanwhile(tmp_path: Path) -> None:
    with site(tmp_path) as service:
        victim = kill(service, signal.SIGSTOP)
        waits = []
        deadline = time.monotonic() + 20
        while victim in children(service.process.pid) and time.monotonic() < deadline:
            began = time.monotonic()
            assert ask(service).status_code == 200
            waits.append(time.monotonic() - began)
            time.sleep(0.1)

        assert victim not in children(service.process.pid)
        assert max(waits) < 2
        wait_until(lambda: len(answering(service, 2)) == 2, "it is replaced")
        assert len(service.events("worker hangs and is killed")) == 1
        assert_whole(service)


def test_reload_beside_a_worker_that_hangs_reaches_the_others_and_its_successor(tmp_path: Path) -> None:
    with site(tmp_path) as service:
        kill(service, signal.SIGSTOP)
        (tmp_path / CONFIGURATION_NAME).write_text(CONFIGURATION.replace("330", "350"), encoding="utf-8")
        wait_until(lambda: bool(service.events("worker ended")), "it was given up", 30)
        wait_until(lambda: cutoffs(service) == {"350"}, "both have it")


def test_worker_that_is_terminated_finishes_and_is_replaced(tmp_path: Path) -> None:
    with site(tmp_path) as service:
        victim = kill(service, signal.SIGTERM)
        wait_until(lambda: victim not in answering(service, 2) != set(), "it is replaced")

        (ended,) = service.events("worker ended")
        assert (ended["worker"], ended["exit"]) == (victim, 0)


def test_temporary_directory_that_was_cleaned_away_ends_no_worker_that_starts_later(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with serving(tmp_path, TRIAL, TMPDIR=str(temporary)) as service:
        wait_until(lambda: len(answering(service, 2)) == 2, "all workers answer", 30)
        shutil.rmtree(temporary / next(path.name for path in temporary.glob("sii-cds-metrics-*")))
        for pid in children(service.process.pid):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(answering(service, 2)) == 2, "both are back", 30)

        assert "sii_cds_worker_starts_total" in requests.get(service.url + "/metrics", timeout=PATIENCE).text


def test_head_of_the_last_record_is_kept_when_the_service_stops(tmp_path: Path) -> None:
    with site(tmp_path, workers=1) as service:
        time.sleep(2)  # The heads of the start are reported within a second, and with them those that come meanwhile.
        assert {ask(service).status_code for _ in range(5)} == {200}
        service.process.terminate()
        assert service.process.wait(20) == 0

        kept = kept_head(f"sqlite:///{tmp_path}/state.db", tmp_path / "audit")
        lines = sum(len(file.read_text().splitlines()) for file in tmp_path.glob("audit/audit-*.jsonl"))
        assert kept is not None
        assert kept.sequence == lines


def test_stop_while_a_place_waits_for_its_next_worker_ends_at_once(tmp_path: Path) -> None:
    with site(tmp_path, workers=1) as service:
        for _ in range(4):
            for pid in children(service.process.pid):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.4)
        service.process.terminate()

        assert service.process.wait(10) == 0


def test_reader_of_the_address_that_has_gone_ends_nothing_and_the_service_still_stops(tmp_path: Path) -> None:
    configuration = tmp_path / CONFIGURATION_NAME
    configuration.write_text(TRIAL, encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    command = [str(COMMAND), "serve", "--config", str(configuration)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=writing, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        wait_until(lambda: (tmp_path / "state.db").exists() and len(children(process.pid)) == 2, "it serves", 30)
        time.sleep(2)
        victim = max(children(process.pid))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in children(process.pid) and len(children(process.pid)) == 2, "it is supervised")
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
