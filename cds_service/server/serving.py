"""The production server: an application factory run in several worker processes, stopped and told by signals.

| signal to the process that was started | effect |
|---|---|
| SIGTERM, SIGINT | no new connections; running requests finish, at most `DRAIN_SECONDS`; exit status 0 |
| SIGHUP | passed on to every worker, which keeps running; no connection is closed |

A worker ignores SIGHUP until its application installs a handler with `signal.signal(SIGHUP, ...)`. The factory
runs in the worker's main thread, so it may do that; the handler runs in a thread of its own, beside the requests.
A worker that dies is replaced; one that dies again within 5.5 seconds ends the service with exit status 1, which the
process supervisor of the site then sees.

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
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from cds_service.server.body_memory import return_large_blocks
from cds_service.server.connections import IDLE_SECONDS
from cds_service.server.gate import RequestLimits, gate
from cds_service.server.watch import WorkerWatch

if TYPE_CHECKING:
    from collections.abc import Callable

_LOGGER = logging.getLogger(__name__)

# Longer than `server.hook_deadline_seconds` needs, shorter than the 30 seconds after which Kubernetes kills.
DRAIN_SECONDS: Final = 15
# A thread waits for the body of each request. It costs little but must not be scarce, or slow senders block others.
WAITING_THREADS: Final = 256
# Both end the service; a worker is stopped by the process that started it alone.
STOP_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
# Stays below the 1024 open files that many systems allow a process, with room for files and FHIR connections.
CONNECTIONS: Final = 768
# Threads of the process that forks the workers write under this lock, and it forks under it: a worker forked
# while another thread writes would inherit the stream as locked, and stop at its own first word.
_WRITING: Final = threading.RLock()


class _ServerRecords(logging.Handler):
    """Sends the server's records where all others go.

    A worker's records may quote data: of these, as of all foreign packages, the operational log keeps the origin.
    """

    def emit(self, record: logging.LogRecord) -> None:
        with _WRITING:
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
        os.register_at_fork(before=_WRITING.acquire, after_in_parent=_WRITING.release, after_in_child=_WRITING.release)
        server = _configure(address, port, workers, threads)
        server.on_startup(_log_warnings)
        _take_over_signals(server.signal_handler_interrupt)
        ready = _announce_when_ready(address, port, on_listening)
        watch = WorkerWatch(address, port, parent_pid=os.getpid(), ready=ready)
        load = partial(_load_in_worker, target, watch, RequestLimits(threads, max_request_bytes))
        server.serve(target_loader=load, wrap_loader=False)


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
        log_dictconfig=dict(_LOGGING),
        log_access=False,
    )


def _find_factory(target: str) -> Callable[[], Any]:
    module, _, name = target.partition(":")
    factory: Callable[[], Any] = getattr(importlib.import_module(module), name)
    return factory


def _load_in_worker(target: str, watch: WorkerWatch, limits: RequestLimits) -> Callable[..., Any]:
    """Build the application in a worker's main thread, before it listens."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    watch.start()
    return_large_blocks()
    return gate(_find_factory(target)(), limits)


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


def _log_warnings() -> None:
    """Below this level only advice on thread counts is lost, which the waiting threads contradict on purpose."""
    logging.getLogger("_granian").setLevel(logging.WARNING)


def _take_over_signals(stop: Callable[[], None]) -> None:
    """Receive signals in a thread of their own; they stay blocked in this thread and so in the workers forked here.

    The server's own handlers set a threading.Event on which the interrupted thread waits: a second signal at that
    moment, as Ctrl-C and systemd send them to all processes of a group, blocks the process for good. And on SIGHUP
    it would restart all workers, which cuts connections.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, signal.SIGHUP})
    _in_background(_receive_signals, stop)


def _receive_signals(stop: Callable[[], None]) -> None:
    while True:
        if signal.sigwait({*STOP_SIGNALS, signal.SIGHUP}) in STOP_SIGNALS:
            stop()
        else:
            _hang_up_workers()


def _hang_up_workers() -> None:
    for worker in multiprocessing.active_children():
        if worker.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGHUP)


def _in_background(function: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, name=function.__name__.strip("_"), daemon=True).start()


def _announce_when_ready(address: str, port: int, on_listening: Callable[[str], None]) -> int:
    """Return the descriptor into which a worker writes when it answers; the thread only waits for that."""
    reading, writing = os.pipe()
    shown = f"[{address}]" if ":" in address else address

    def announce() -> None:
        os.read(reading, 1)
        with _WRITING:
            on_listening(f"http://{shown}:{port}")

    _in_background(announce)
    return writing
