"""The production server: an application factory run in several worker processes, stopped and told by signals.

| signal to the process that was started | effect |
|---|---|
| SIGTERM, SIGINT | no new connections; running requests finish, at most `DRAIN_SECONDS`; exit status 0 |
| SIGHUP | passed on to every worker, which keeps running; no connection is closed |

A worker ignores SIGHUP until its application installs a handler with `signal.signal(SIGHUP, ...)`. The factory
runs in the worker's main thread, so it may do that. A worker that dies is replaced; one that dies again within
5.5 seconds ends the service with exit status 1, which the process supervisor of the site then sees.

Why this server: docs/decisions/0002-wsgi-server.md.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from cds_service.cli.worker import IDLE_SECONDS, WorkerLimits, build_worker_application

if TYPE_CHECKING:
    from collections.abc import Callable

# Longer than `server.hook_deadline_seconds` needs, shorter than the 30 seconds after which Kubernetes kills.
DRAIN_SECONDS: Final = 15
# A thread waits for the body of each request. It costs little but must not be scarce, or slow senders block others.
WAITING_THREADS: Final = 256
# Stays below the 1024 open files that many systems allow a process, with room for files and FHIR connections.
CONNECTIONS: Final = 768
# The server's records go where all others go; the access log, whose paths may name patients, stays off.
_LOG_TO_ROOT: Final = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}


def serve_application(
    target: str,
    host: str,
    port: int,
    workers: int,
    threads: int,
    *,
    max_request_bytes: int,
    on_listening: Callable[[str], None],
) -> None:
    """Run the WSGI application that the factory `target` ("module:function") returns, until a signal stops it.

    `threads` requests per worker run in the application at a time; others wait. Port 0 takes a free port.
    `on_listening` gets the address, `http://127.0.0.1:43117`, once the first worker answers there; it runs in
    another thread. Raises OSError when the address cannot be had, ImportError or AttributeError when `target`
    names nothing, SystemExit(1) when the workers cannot run. Call it from the main thread.
    """
    # Before the fork: the workers share the memory of what is imported here, and start at once.
    _find_factory(target)
    with _reserve_address(host, port) as reservation:
        address, port = reservation.getsockname()[:2]
        # Shared memory and inherited signal handling need it; newer Python versions have another default.
        multiprocessing.set_start_method("fork", force=True)
        server = _configure(address, port, workers, threads)
        server.on_startup(_take_over_signals)
        server.on_startup(partial(_announce_in_background, address, port, on_listening))
        limits = WorkerLimits(port=port, threads=threads, max_request_bytes=max_request_bytes)
        server.serve(target_loader=partial(_load_in_worker, target, limits, os.getpid()), wrap_loader=False)


def _configure(address: str, port: int, workers: int, threads: int) -> MPServer:
    return MPServer(
        "",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        loop=Loops.asyncio,
        websockets=False,
        workers=workers,
        blocking_threads=threads + WAITING_THREADS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_SECONDS * 1000),
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.error,
        log_dictconfig=dict(_LOG_TO_ROOT),
        log_access=False,
    )


def _find_factory(target: str) -> Callable[[], Any]:
    module, _, name = target.partition(":")
    factory: Callable[[], Any] = getattr(importlib.import_module(module), name)
    return factory


def _load_in_worker(target: str, limits: WorkerLimits, parent_pid: int) -> Callable[..., Any]:
    """Build the application in a worker's main thread, before it listens."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return build_worker_application(_find_factory(target)(), limits, parent_pid)


def _reserve_address(host: str, port: int) -> socket.socket:
    """Bind, without listening, so that the workers can share the port and nobody else can take it.

    Bound without SO_REUSEPORT: a second instance on the same port is refused, and does not silently get half of
    the requests. SO_REUSEADDR holds for the bind only, so that a restart need not wait for old connections.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    reservation = socket.socket(family, socket.SOCK_STREAM)
    try:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind(address)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        reservation.close()
        raise
    return reservation


def _take_over_signals() -> None:
    """Replace what the server does on SIGHUP, a restart of all workers, which cuts connections."""
    signal.signal(signal.SIGHUP, _pass_on_to_workers)
    # Below this level only advice on thread counts is lost, which the waiting threads contradict on purpose.
    logging.getLogger("_granian").setLevel(logging.WARNING)


def _pass_on_to_workers(signal_number: int, _frame: object) -> None:
    for worker in multiprocessing.active_children():
        if worker.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal_number)


def _announce_in_background(address: str, port: int, on_listening: Callable[[str], None]) -> None:
    threading.Thread(target=_announce, args=(address, port, on_listening), name="announce", daemon=True).start()


def _announce(address: str, port: int, on_listening: Callable[[str], None]) -> None:
    """Wait until a worker accepts connections. Failing workers end the process, and this thread with it."""
    while True:
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            break
        time.sleep(0.02)
    shown = f"[{address}]" if ":" in address else address
    on_listening(f"http://{shown}:{port}")
