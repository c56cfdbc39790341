"""The production server: an application run in several worker processes, on one address, until it is told to stop.

Reading order: `supervisor.py` (the process that was started), `reload.py` (the configuration it holds), `worker.py` (a
worker), `gate.py` (a request). Why this server: docs/decisions/0002-wsgi-server.md.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import socket
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from cds_service.server.body_memory import return_large_blocks
from cds_service.server.connections import IDLE_SECONDS
from cds_service.server.gate import RequestLimits, gate
from cds_service.server.supervisor import Supervisor
from cds_service.server.worker import WorkerLife
from cds_service.web.logging import configure_logging
from cds_service.web.paths import DIRECTORY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.server.in_force import InForce, ServedApplication
    from cds_service.server.reload import Reload
    from cds_service.server.slot import Slot

_LOGGER = logging.getLogger(__name__)

# Longer than `server.hook_deadline_seconds` needs, shorter than the 30 seconds after which Kubernetes kills.
DRAIN_SECONDS: Final = 15
# A thread waits for the body of each request. It costs little but must not be scarce, or slow senders block others.
WAITING_THREADS: Final = 256
# Stays below the 1024 open files that many systems allow a process, with room for files and FHIR connections.
CONNECTIONS: Final = 768
# Connections that may wait to be accepted, by any worker.
_BACKLOG: Final = 1024


class _ServerRecords(logging.Handler):
    """Sends the server's records where all others go.

    A worker's records may quote data: of these, as of all foreign packages, the operational log keeps the origin.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if multiprocessing.parent_process() is None:
            _LOGGER.log(record.levelno, record.getMessage())
        else:
            logging.getLogger().handle(record)


# The access log, whose paths may name patients, stays off.
_LOGGING: Final = {
    "formatters": {},
    "handlers": {"records": {"()": _ServerRecords}},
    "loggers": {"_granian": {"handlers": ["records"], "propagate": False}},
}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where to listen, with how many workers, and what each lets in. Port 0 takes a free one."""

    host: str
    port: int
    workers: int
    threads: int
    max_request_bytes: int


def serve_application(
    build: Callable[[InForce], ServedApplication],
    reload: Reload,
    options: ServerOptions,
    on_listening: Callable[[str], None],
) -> None:
    """Run the application that `build` makes in each worker, until a signal stops it. Call it from the main thread.

    `on_listening` gets the address, `http://127.0.0.1:43117`, once the first worker is about to answer there. Raises
    OSError when the address cannot be had, SystemExit(1) when no worker can build its application.
    """
    with (
        _listen(options.host, options.port) as listener,
        tempfile.TemporaryDirectory(prefix="sii-cds-metrics-") as directory,
    ):
        # A directory of the caller's could hold what another run counted.
        os.environ[DIRECTORY_VARIABLE] = directory
        # Shared memory and inherited signal handling need it; newer Python versions have another default.
        multiprocessing.set_start_method("fork", force=True)
        # What is imported by now stays shared with the workers as long as their collectors do not touch it.
        gc.collect()
        gc.freeze()
        address, port = listener.getsockname()[:2]
        limits = RequestLimits(options.threads, options.max_request_bytes, port)

        def run_worker(slot: Slot) -> Callable[..., Any]:
            worker = supervisor.leave_to(slot)
            # Here and below: granian closed the handlers that were there.
            configure_logging()
            life = WorkerLife(worker.below, port)
            return_large_blocks()
            return gate(life.build(worker.has, build), limits)

        supervisor = Supervisor(
            listener, reload, lambda: on_listening(_shown(address, port)), run_worker, **_server_options(options)
        )
        configure_logging()
        supervisor.on_startup(_log_warnings)
        supervisor.serve()


def _server_options(options: ServerOptions) -> dict[str, Any]:
    return {
        "interface": Interfaces.WSGI,
        "http": HTTPModes.http1,
        "loop": Loops.asyncio,
        "websockets": False,
        "workers": options.workers,
        "blocking_threads": options.threads + WAITING_THREADS,
        "backlog": _BACKLOG,
        "backpressure": CONNECTIONS,
        "http1_settings": HTTP1Settings(header_read_timeout=IDLE_SECONDS * 1000),
        "workers_kill_timeout": DRAIN_SECONDS,
        "log_level": LogLevels.error,
        "log_dictconfig": dict(_LOGGING),
        "log_access": False,
    }


def _listen(host: str, port: int) -> socket.socket:
    """Listen at an address. Raises OSError when another process has it.

    SO_REUSEADDR, so that a restart need not wait for old connections; no SO_REUSEPORT, so that a second instance does
    not silently get half of the requests.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _shown(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _log_warnings() -> None:
    """Below this level only advice on thread counts is lost, which the waiting threads contradict on purpose."""
    logging.getLogger("_granian").setLevel(logging.WARNING)
