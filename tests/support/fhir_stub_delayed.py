"""A FHIR server for measurements: every answer is ready, and leaves after a fixed delay at little cost.

`python -m tests.support.fhir_stub_delayed SECONDS WRITES` takes a prefetch on its standard input, prints its base
address, and answers each key's query from it until its standard input ends. With 2 writes, header and body leave apart,
the second once the first is acknowledged, as sockets do unless told otherwise.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.charts import ALBUMIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

# What is written, one write after the other.
Answer = tuple[bytes, ...]


@contextmanager
def running_delayed(prefetch: Json, seconds: float, writes: int = 1) -> Iterator[str]:
    """Serve a prefetch from a process of its own, each answer in so many writes; yields the base address."""
    command = [sys.executable, "-m", __name__, str(seconds), str(writes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(prefetch) + "\n")
        process.stdin.flush()
        # Leaving the block closes the standard input.
        yield process.stdout.readline().strip()


class _Delayed(asyncio.Protocol):
    def __init__(self, answers: dict[str, Answer], seconds: float) -> None:
        self._answers = answers
        self._seconds = seconds
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            asyncio.get_running_loop().call_later(self._seconds, self._answer, self._answers[_key(target)])

    def _answer(self, answer: Answer) -> None:
        if isinstance(self._transport, asyncio.Transport) and not self._transport.is_closing():
            for part in answer:
                self._transport.write(part)


def _key(target: str) -> str:
    resource_type = target.removeprefix("/fhir/").partition("?")[0].partition("/")[0]
    keys = {"Patient": "patient", "Condition": "conditions", "Procedure": "procedures"}
    return keys.get(resource_type) or ("albumin" if ALBUMIN in target else "bloodCounts")


def _ready(resource: Json, writes: int) -> Answer:
    body = json.dumps(resource).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head.encode() + body,) if writes == 1 else (head.encode(), body)


async def _serve(seconds: float, writes: int) -> None:
    loop = asyncio.get_running_loop()
    prefetch = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    answers = {key: _ready(resource, writes) for key, resource in prefetch.items()}
    server = await loop.create_server(lambda: _Delayed(answers, seconds), "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}/fhir\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), int(sys.argv[2])))
