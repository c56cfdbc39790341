"""The operational log: JSON lines on stdout, without patient data and without tokens.

Records of this package are written as they are worded. Of records of other packages only their origin is written:
an HTTP library, for one, words its warnings with the address it called, and that address holds the patient's id.
"""

from __future__ import annotations

import logging
import os
import socket
import stat
import sys
from datetime import UTC, datetime
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from flask import g, has_request_context

if TYPE_CHECKING:
    from types import TracebackType

    from cds_service.web.exchange import Exchange

_OWN = "cds_service"
_LOGGER = logging.getLogger(__name__)


class JSONFormatter(logging.Formatter):
    """One JSON object for each record; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end. An exception is named by type and frames, never by its message."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name == _OWN or record.name.startswith(f"{_OWN}."):
            line["event"] = record.getMessage()
            line |= getattr(record, "fields", {})
        else:
            line["origin"] = f"{record.module}:{record.lineno}"
        if "request_id" not in line and has_request_context() and "exchange" in g:
            line["request_id"] = g.exchange.request_id
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe_defect(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send the records of this process to `stream`, stdout by default. Replaces what was set.

    Records of this package are sent from `level` on, those of others from warning level on.
    """
    handler = output_handler(stream or sys.stdout)
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(_OWN).setLevel(level)


def log_exchange(exchange: Exchange, *, route: str, method: str, status: int, seconds: float) -> None:
    """Write the one line of a request. `route` is the rule that matched, never the path that was asked for."""
    level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO
    distrust = exchange.distrust
    if not _LOGGER.isEnabledFor(level) or (distrust is not None and not distrust.logged):
        return
    verdict = exchange.verdict
    fields = {
        "request_id": exchange.request_id,
        "route": route,
        "method": method,
        "status": status,
        "duration_ms": round(seconds * 1000, 2),
        "client": exchange.client,
        "outcome": verdict.outcome if verdict is not None else None,
        "reasons": (verdict.reasons or None) if verdict is not None else None,
        "detail": exchange.detail,
        "address": exchange.address if distrust is not None else None,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    _LOGGER.log(level, "request", extra={"fields": fields | (exchange.defect or {})})


# A recursion error has a thousand frames; the innermost ones tell where.
_FRAMES_KEPT = 30


def describe_defect(error: BaseException) -> dict[str, object]:
    """Return exception types, outermost first, and frames as `file:line function`, innermost last.

    Messages and values are left out: the message of a KeyError or ValidationError repeats data of the patient.
    """
    return {"exception": " < ".join(_types(error)), "frames": _frames(error.__traceback__)}


def _types(error: BaseException) -> list[str]:
    names: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        names.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    return names


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in walk_tb(traceback)]
    return frames[-_FRAMES_KEPT:]


_LOST = "log lines were lost: their reader did not take them"


def output_handler(stream: TextIO) -> logging.Handler:
    """Return the handler for a stream. Files and terminals, which do not hang, are written to as usual."""
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError):
        return logging.StreamHandler(stream)
    if stat.S_ISFIFO(mode):
        return UnwaitingHandler(_Pipe(descriptor))
    if stat.S_ISSOCK(mode):
        return UnwaitingHandler(_Socket(descriptor))
    return logging.StreamHandler(stream)


class UnwaitingHandler(logging.Handler):
    """Writes log lines to a pipe or a socket without waiting for its reader.

    A log collector that hangs fills the pipe within some hundred lines. A worker that then waits to write its line
    answers nobody any more, so lines are lost instead, and how many is told as soon as the reader is back.
    """

    def __init__(self, output: _Pipe | _Socket) -> None:
        super().__init__()
        self._output = output
        self._rest = b""
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record, or count it as lost."""
        if self._lost and self._take(self._told_lost()):
            self._lost = 0
        if self._lost or not self._take(record):
            self._lost += 1

    def _told_lost(self) -> logging.LogRecord:
        told = logging.LogRecord(__name__, logging.ERROR, __file__, 0, _LOST, None, None)
        told.fields = {"lines": self._lost}
        return told

    def _take(self, record: logging.LogRecord) -> bool:
        """Write a line after the rest of the one before; a line that was begun is ended the next time."""
        line = self.format(record).encode() + b"\n"
        try:
            while self._rest:
                self._rest = self._rest[self._output.write(self._rest) :]
            self._rest = line[self._output.write(line) :]
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the handler's own opening of the stream."""
        self._output.close()
        super().close()


class _Pipe:
    """Opened again: not to wait is a property of the opening, and the old one is shared with other processes."""

    def __init__(self, descriptor: int) -> None:
        try:
            self._own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            # No reader, or no /proc: writing fails at once, or waits as it always did.
            self._own = os.dup(descriptor)

    def write(self, data: bytes) -> int:
        """Return how many bytes were taken. Raises OSError when none were."""
        return os.write(self._own, data)

    def close(self) -> None:
        """Close it."""
        os.close(self._own)


class _Socket:
    def __init__(self, descriptor: int) -> None:
        self._own = socket.socket(fileno=os.dup(descriptor))

    def write(self, data: bytes) -> int:
        """Return how many bytes were taken. Raises OSError when none were."""
        return self._own.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def close(self) -> None:
        """Close it."""
        self._own.close()
