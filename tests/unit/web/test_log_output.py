"""A log reader that hangs or goes away costs lines, never answers."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
from typing import TYPE_CHECKING, TextIO

import pytest

from cds_service.web.logging import JSONFormatter, UnwaitingHandler, output_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Ends = tuple[TextIO, "Callable[[], bytes]", "Callable[[], None]"]


@pytest.fixture(params=["pipe", "socket"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """The stream, a way to read all that is in it, and a way to make its reader go away."""
    if request.param == "pipe":
        reading, writing = os.pipe()
    else:
        reading, writing = (end.detach() for end in socket.socketpair())
    os.set_blocking(reading, False)
    left: list[int] = []

    def leave() -> None:
        os.close(reading)
        left.append(reading)

    with os.fdopen(writing, "w") as stream:
        yield stream, lambda: drained(reading), leave
    if not left:
        leave()


def drained(descriptor: int) -> bytes:
    data = b""
    try:
        while part := os.read(descriptor, 65536):
            data += part
    except BlockingIOError:
        pass
    return data


@pytest.fixture
def handler(ends: Ends) -> Iterator[logging.Handler]:
    made = output_handler(ends[0])
    made.setFormatter(JSONFormatter())
    assert isinstance(made, UnwaitingHandler)
    yield made
    made.close()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("cds_service.test", logging.INFO, __file__, 1, text, None, None)


def events(data: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in data.splitlines()]


def test_lines_are_written_as_they_come(ends: Ends, handler: logging.Handler) -> None:
    _, read, _ = ends
    for number in range(3):
        handler.handle(record(f"line {number}"))

    assert [line["event"] for line in events(read())] == ["line 0", "line 1", "line 2"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("size", [10, 3000, 20_000], ids=["short", "long", "longer than a pipe writes at once"])
def test_reader_that_hangs_costs_lines_that_are_counted(ends: Ends, handler: logging.Handler, size: int) -> None:
    _, read, _ = ends
    sent = 5000
    for number in range(sent):
        handler.handle(record(f"{number} {'x' * size}"))
    taken = read()
    handler.handle(record("back"))
    handler.handle(record("again"))

    lines = events(taken + read())
    numbers = [int(str(line["event"]).split()[0]) for line in lines if str(line["event"])[0].isdigit()]
    told = sum(int(str(line["lines"])) for line in lines if "lines" in line)
    assert numbers[:3] == [0, 1, 2]
    assert numbers == sorted(set(numbers)), "whole lines, once each, in their order"
    assert len(numbers) + told == sent
    assert [line["event"] for line in lines[-2:]] == ["back", "again"]


def test_reader_that_is_gone_raises_and_prints_nothing(
    ends: Ends, handler: logging.Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, leave = ends
    leave()
    for _ in range(3):
        handler.handle(record("nobody reads this"))

    assert capsys.readouterr() == ("", "")


def test_files_and_texts_are_written_as_usual(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        assert type(output_handler(file)) is logging.StreamHandler
    assert type(output_handler(io.StringIO())) is logging.StreamHandler
