"""`sii-cds serve` as hospital IT starts it: a configuration file, a command, an address printed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMAND = Path(sys.executable).with_name("sii-cds")

# No authentication, on loopback, everything in the folder of the file.
TRIAL = """\
service: {public_url: http://127.0.0.1:8080, timezone: Europe/Zurich}
server: {host: 127.0.0.1, port: 0, workers: 2}
authentication: {required: false}
"""

CONFIGURATION_NAME = "sii-cds.yaml"


class Serving(NamedTuple):
    """A running service: its address, its folder, the process that was started, and what it printed so far."""

    url: str
    folder: Path
    process: subprocess.Popen[str]

    def events(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of this event in the operational log so far."""
        lines = (self.folder / "stdout.log").read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        return [record for record in records if record.get("event") == event]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Wait for a condition; fail with a sentence when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"in {seconds:.0f} seconds it did not come true that {what}"
        time.sleep(0.1)


def write_configuration(folder: Path, text: str = TRIAL) -> Path:
    """Write a configuration file into a folder and return its path."""
    path = folder / CONFIGURATION_NAME
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def serving(folder: Path, text: str | None = TRIAL, **environment: str) -> Iterator[Serving]:
    """Start the service, wait for its address, and end it with all its workers.

    Without text the configuration stands in the folder already.
    """
    configuration = write_configuration(folder, text) if text is not None else folder / CONFIGURATION_NAME
    with (
        (folder / "stdout.log").open("w", encoding="utf-8") as output,
        (folder / "stderr.log").open("w", encoding="utf-8") as errors,
    ):
        process = subprocess.Popen(
            [COMMAND, "serve", "--config", str(configuration)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], **environment},
            start_new_session=True,
            stdout=output,
            stderr=errors,
            text=True,
        )
    try:
        yield Serving(_wait_for_address(folder, process), folder, process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_address(folder: Path, process: subprocess.Popen[str]) -> str:
    for _ in range(600):
        found = re.search(r"^listening on (http://\S+)$", (folder / "stdout.log").read_text(), re.MULTILINE)
        if found:
            return found[1]
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
            break
    raise AssertionError(f"the service did not start: {(folder / 'stderr.log').read_text()}")
