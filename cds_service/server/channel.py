"""What the process above and a worker say to each other, over one pair of sockets.

Neither end waits for the other: a worker that was stopped reads nothing, and supervision must go on. The process above
understands four words of one byte and nothing else; it hands configurations down, which the worker trusts.
"""

from __future__ import annotations

import pickle
import socket
import struct
import threading
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_BYTES: Final = 65536
_LENGTH: Final = struct.Struct("!I")


class Word(Enum):
    """What a worker says."""

    BEAT = b"b"
    READY = b"r"
    APPLIED = b"a"
    REFUSED = b"x"


_WORDS: Final = {word.value[0]: word for word in Word}


class UpperEnd:
    """The end of the process above."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._waiting = b""

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._connection.fileno()

    def words(self) -> list[Word]:
        """Return what the worker said since; nothing when it is gone, which its end tells better."""
        said = b""
        with suppress(OSError):
            said = self._connection.recv(_READ_BYTES)
        return [_WORDS[byte] for byte in said if byte in _WORDS]

    def send(self, message: object) -> None:
        """Send as much as the worker takes now; `flush` sends the rest."""
        content = pickle.dumps(message)
        self._waiting += _LENGTH.pack(len(content)) + content
        self.flush()

    def flush(self) -> bool:
        """Send what waits; tell whether something waits still."""
        with suppress(OSError):
            while self._waiting:
                self._waiting = self._waiting[self._connection.send(self._waiting) :]
        return bool(self._waiting)

    def close(self) -> None:
        """Close it."""
        self._connection.close()


class LowerEnd:
    """The end of a worker. Several threads may speak; one listens."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self._speaking = threading.Lock()

    def say(self, word: Word) -> None:
        """Say a word; it is lost when the process above is gone."""
        with self._speaking, suppress(OSError):
            self._connection.send(word.value, socket.MSG_NOSIGNAL)

    def messages(self, seconds: float) -> Iterator[Any]:
        """Yield what arrives within so many seconds, until nothing more is there."""
        self._connection.settimeout(seconds)
        with suppress(OSError):
            received = self._connection.recv(_READ_BYTES)
            self._received += received
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            end = _LENGTH.size + length
            if len(self._received) < end:
                return
            content, self._received = self._received[_LENGTH.size : end], self._received[end:]
            yield pickle.loads(content)  # noqa: S301  the process above sent it

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def channel() -> tuple[UpperEnd, LowerEnd]:
    """Return both ends of a new channel. Raises OSError."""
    above, below = socket.socketpair()
    return UpperEnd(above), LowerEnd(below)
