"""The configuration changes while hooks are answered: nothing fails, and a broken file changes nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import requests

from tests.support.charts import hook_request
from tests.support.serve_command import TRIAL, serving, wait_until

if TYPE_CHECKING:
    from pathlib import Path

PATH = "/cds-services/sii-recurrence-risk"
LOCAL_CUTOFF = TRIAL + "rule: {cutoff: 330, cutoff_source: our own cohort}\n"
REFUSED = "configuration refused, the old one serves on"


def cutoffs(url: str) -> set[str]:
    """Ask often enough to have met every worker; return the cut-offs they answer with."""
    answers = [requests.post(url + PATH, json=hook_request(), timeout=10).json() for _ in range(12)]
    return {answer["extension"]["org.sii-cds.assessment"]["cutoff"] for answer in answers}


def wait_until_cutoff_is(url: str, wanted: str) -> None:
    wait_until(lambda: cutoffs(url) == {wanted}, f"the cut-off is {wanted}")


def test_changed_file_takes_effect_in_every_worker_and_is_logged(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        assert cutoffs(running.url) == {"405.08"}
        (tmp_path / "sii-cds.yaml").write_text(LOCAL_CUTOFF, encoding="utf-8")
        wait_until_cutoff_is(running.url, "330")
        assert len(running.events("configuration applied")) == 2


def test_broken_file_and_sighup_change_nothing_and_name_the_place(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        (tmp_path / "sii-cds.yaml").write_text(TRIAL + "rule: {cutof: 330}\n", encoding="utf-8")
        os.kill(running.process.pid, signal.SIGHUP)
        wait_until(lambda: bool(running.events(REFUSED)), "it is refused")
        assert cutoffs(running.url) == {"405.08"}
        problems = running.events(REFUSED)[0]["problems"]
        assert "sii-cds.yaml:4:8: rule.cutof" in str(problems)


def test_replaced_link_is_a_change_as_in_a_config_map(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        target = tmp_path / "..data-2"
        target.mkdir()
        (target / "sii-cds.yaml").write_text(LOCAL_CUTOFF, encoding="utf-8")
        link = tmp_path / "link"
        link.symlink_to(target / "sii-cds.yaml")
        link.replace(tmp_path / "sii-cds.yaml")
        wait_until_cutoff_is(running.url, "330")


def test_reloads_under_load_lose_no_request(tmp_path: Path) -> None:
    failures: list[str] = []
    done = threading.Event()
    answered = 0

    def ask(url: str) -> None:
        nonlocal answered
        with requests.Session() as session:
            while not done.is_set():
                try:
                    answer = session.post(url + PATH, json=hook_request(), timeout=10)
                except requests.RequestException as error:
                    failures.append(type(error).__name__)
                    continue
                answered += 1
                if answer.status_code != 200:
                    failures.append(str(answer.status_code))

    with serving(tmp_path) as running:
        threads = [threading.Thread(target=ask, args=(running.url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(5):
            text = LOCAL_CUTOFF if number % 2 else TRIAL
            (tmp_path / "sii-cds.yaml").write_text(text, encoding="utf-8")
            os.kill(running.process.pid, signal.SIGHUP)
            time.sleep(0.5)
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert answered > 50


def test_key_that_waits_for_a_restart_is_named_at_every_reload_until_then(tmp_path: Path) -> None:
    waiting = TRIAL.replace("port: 0", "port: 1, threads: 3")
    with serving(tmp_path) as running:
        (tmp_path / "sii-cds.yaml").write_text(waiting, encoding="utf-8")
        wait_until(lambda: len(running.events("configuration applied")) == 2, "both workers reloaded")
        (tmp_path / "sii-cds.yaml").write_text(waiting + LOCAL_CUTOFF.removeprefix(TRIAL), encoding="utf-8")
        wait_until_cutoff_is(running.url, "330")
        wait_until(lambda: len(running.events("configuration applied")) == 4, "both workers reloaded again")

        named = [event["needs_restart"] for event in running.events("configuration applied")]
        assert named == [["server.port", "server.threads"]] * 4
