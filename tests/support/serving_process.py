"""The production server in a process of its own, with the small application of `serving_application`.

Run as a module it is that process: `python -m THIS FACTORY HOST PORT WORKERS THREADS CONFIGURATION`.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.processes import children

ROOT = Path(__file__).resolve().parents[2]
MOST_REQUEST_BYTES = 8_000_000


@dataclass(frozen=True)
class RunningServer:
    """A started server: its address and the process that was started."""

    url: str
    process: subprocess.Popen[str]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port as the socket module takes them."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def worker_pids(self) -> set[int]:
        """The processes that the started one has as children."""
        return set(children(self.process.pid))


def start(
    factory: str = "create_application", *, host: str = "127.0.0.1", port: int = 0, workers: int = 2, threads: int = 4
) -> subprocess.Popen[str]:
    """Start it in a session of its own, without HOME, with its output piped."""
    configuration = Path(__file__).with_name("serving_process.yaml")
    command = [sys.executable, "-m", __name__, factory, host, str(port), str(workers), str(threads), str(configuration)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.PIPE, text=True
    )


@contextmanager
def running_server(*, host: str = "127.0.0.1", workers: int = 2, threads: int = 4) -> Iterator[RunningServer]:
    """Start, wait for the printed address, and at the end kill whatever is left."""
    process = start(host=host, workers=workers, threads=threads)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        printed = re.fullmatch(r"listening on (http://\S+:\d+)\n", line)
        assert printed is not None, f"unexpected first line: {line!r}"
        yield RunningServer(printed[1], process)
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Kill the whole session; also workers that outlived their parent."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _announce(url: str) -> None:
    sys.stdout.write(f"listening on {url}\n")
    sys.stdout.flush()


def _main(factory: str, host: str, port: str, workers: str, threads: str, configuration: str) -> None:
    from cds_service.server.reload import Reload, in_force_at_start
    from cds_service.server.serving import ServerOptions, serve_application
    from cds_service.settings import load_settings
    from tests.support import serving_application

    path = Path(configuration)
    options = ServerOptions(host, int(port), int(workers), int(threads), MOST_REQUEST_BYTES)
    reload = Reload(in_force_at_start(load_settings(path, {}), {}), path, {}, {})
    serve_application(getattr(serving_application, factory), reload, options, _announce)


if __name__ == "__main__":
    _main(*sys.argv[1:])
