"""Log lines to a pipe or a socket without waiting for whoever reads them.

A log collector that hangs fills the pipe within some hundred lines. A worker that then waits to write its line answers
nobody any more, so lines are lost instead, and how many is told as soon as the reader is back.
"""

from __future__ import annotations

import logging
import os
import socket
import stat
from typing import TextIO

_NAME = __name__
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
    """Writes what is taken at once."""

    def __init__(self, output: _Pipe | _Socket) -> None:
        """Begin with nothing lost."""
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
        told = logging.LogRecord(_NAME, logging.ERROR, __file__, 0, _LOST, None, None)
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
