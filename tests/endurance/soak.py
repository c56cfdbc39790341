"""Mixed traffic against the running service, and what it did to the service.

python -m tests.endurance.soak --minutes 10 prints the figures and ends with 1 when a bound is exceeded.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.endurance.report import MORE_FILES, SHORT_SECONDS, problems_of, report_lines
from tests.endurance.site import Site, running_site
from tests.endurance.traffic import LARGE_BYTES, chart_of, good_hook, in_turn, largest_body, look_around
from tests.endurance.watching import Sample, sample
from tests.support.openapi import HOOK
from tests.support.processes import children
from tests.support.serving_slow_clients import SlowClients

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = 4
IDLE_CONNECTIONS = 200
SLOW = {"silent": 10, "half header": 5, "slow header": 10, "slow body": 10, "silent body": 5, "slow chunks": 5}
LARGE_AT_ONCE = 50
WARMING = 40
# Idle and slow connections live shorter than the server lets them.
RENEWED_AFTER_SECONDS = 50
RELOAD_SECONDS = 5
_PAUSE_SECONDS = 0.02


@dataclass
class Result:
    """What was done and seen. `samples` are by worker; `before` and `after` are without any client."""

    pids: frozenset[int]
    before: dict[int, Sample]
    after: dict[int, Sample] = field(default_factory=dict)
    samples: dict[int, list[Sample]] = field(default_factory=dict)
    peaks: dict[int, float] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    decisions: int = 0
    perhaps: int = 0
    reloads: int = 0
    seconds: float = 0.0
    pids_after: frozenset[int] = frozenset()


class Soak:
    """A run against one service."""

    def __init__(self, site: Site, seconds: float) -> None:
        """Look at the workers as they are after one request."""
        self._site = site
        self._seconds = seconds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        pids = frozenset(children(site.serving.process.pid))
        self.result = Result(pids, {pid: sample(pid) for pid in pids}, samples={pid: [] for pid in pids})

    def run(self) -> Result:
        """Run all of it."""
        started = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as clients, self._observed():
            if self._seconds > SHORT_SECONDS:
                self._many_large_bodies(dense=True)
            traffic = [clients.submit(self._traffic, number) for number in range(CLIENTS)]
            self._watch(started + self._seconds)
            self._stop.set()
            for each in traffic:
                each.result()
            self._many_large_bodies(dense=False)
        self._settle()
        self.result.seconds = time.monotonic() - started
        return self.result

    def _traffic(self, number: int) -> None:
        for turn, kind in enumerate(itertools.cycle(in_turn())):
            if self._stop.wait(_PAUSE_SECONDS):
                return
            try:
                seen = kind(self._site, turn + number)
            except OSError as error:
                self._note(f"{kind.__name__}: {error!r}")
                continue
            with self._lock:
                self.result.statuses.update(f"{kind.__name__} {status}" for status in seen.statuses)
                self.result.decisions += seen.decisions
                self.result.perhaps += seen.perhaps
            if not seen.is_right:
                self._note(f"{kind.__name__}: {seen.statuses}")

    def _note(self, what: str) -> None:
        with self._lock:
            self.result.wrong.append(what)

    def _watch(self, until: float) -> None:
        """Keep the connections that do nothing, reload, and take samples."""
        reloading = itertools.cycle([True, None, False, None])
        next_reload = time.monotonic() + RELOAD_SECONDS
        while time.monotonic() < until:
            with self._connections_that_do_nothing():
                renewal = min(until, time.monotonic() + RENEWED_AFTER_SECONDS)
                while time.monotonic() < renewal:
                    time.sleep(min(1.0, max(0.0, renewal - time.monotonic())))
                    for pid in self.result.pids & frozenset(children(self._site.serving.process.pid)):
                        self.result.samples[pid].append(sample(pid))
                    if time.monotonic() >= next_reload:
                        self._reload(next(reloading))
                        next_reload += RELOAD_SECONDS

    @contextmanager
    def _connections_that_do_nothing(self) -> Iterator[None]:
        with ExitStack() as stack:
            for _ in range(IDLE_CONNECTIONS):
                stack.enter_context(socket.create_connection(self._site.address, timeout=30))
            stack.enter_context(SlowClients(self._site.address, SLOW))
            yield

    def _reload(self, show_not_above: bool | None) -> None:
        self.result.reloads += 1
        if show_not_above is None:
            os.kill(self._site.serving.process.pid, signal.SIGHUP)
        else:
            self._site.reload(show_not_above=show_not_above)

    def _many_large_bodies(self, *, dense: bool) -> None:
        body = largest_body() if dense else chart_of(500).ljust(LARGE_BYTES)
        with ThreadPoolExecutor(LARGE_AT_ONCE) as pool:
            asked = [
                pool.submit(self._site.ask, "POST", HOOK, body, self._site.token(HOOK)) for _ in range(LARGE_AT_ONCE)
            ]
            for each in asked:
                status, _ = each.result()
                self.result.statuses[f"large body {status}"] += 1
                self.result.decisions += 1
                if status != 200:
                    self._note(f"large body: {status}")

    @contextmanager
    def _observed(self) -> Iterator[None]:
        """Note the largest memory of each worker meanwhile."""
        done = threading.Event()
        observer = threading.Thread(target=self._observe, args=(done,))
        observer.start()
        try:
            yield
        finally:
            done.set()
            observer.join()

    def _observe(self, done: threading.Event) -> None:
        while not done.wait(0.05):
            for pid in self.result.pids & frozenset(children(self._site.serving.process.pid)):
                self.result.peaks[pid] = max(self.result.peaks.get(pid, 0.0), sample(pid).rss)

    def _settle(self) -> None:
        """Wait until what the clients left is cleared away, then look again."""
        patience = time.monotonic() + 30
        self.result.pids_after = frozenset(children(self._site.serving.process.pid))
        while True:
            self.result.after = {pid: sample(pid) for pid in self.result.pids & self.result.pids_after}
            more = [after.files - self.result.before[pid].files for pid, after in self.result.after.items()]
            if max(more, default=0) <= MORE_FILES or time.monotonic() > patience:
                return
            time.sleep(0.2)


def soak(folder: Path, seconds: float) -> tuple[Result, list[str]]:
    """Run the service in a folder; return what was seen, and in what it is not as it must be."""
    with running_site(folder) as site:
        _warm_up(site)
        soaking = Soak(site, seconds)
        soaking.result.decisions += WARMING
        result = soaking.run()
        return result, problems_of(result, folder)


def _warm_up(site: Site) -> None:
    """Open what stays open: connections of the pools, files of the metrics."""
    with ThreadPoolExecutor(WARMING) as pool:
        for asked in [pool.submit(good_hook, site, turn) for turn in range(WARMING)]:
            assert asked.result().is_right
        for asked in [pool.submit(look_around, site, turn) for turn in range(WARMING)]:
            assert asked.result().is_right


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="sii-cds-soak-") as folder:
        result, problems = soak(Path(folder), minutes * 60)
    sys.stdout.write(
        "\n".join([*report_lines(result), *(f"NOT AS IT MUST BE: {problem}" for problem in problems)]) + "\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
