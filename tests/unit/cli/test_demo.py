"""The demonstration finds a port, and says so when it is not the usual one."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli import demo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cds_service.server.serving import ServerOptions


@pytest.fixture
def usual_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A port of this test's own takes the place of the usual one, and somebody listens there."""
    with socket.socket() as holder:
        holder.bind((demo.HOST, 0))
        holder.listen()
        monkeypatch.setattr(demo, "USUAL_PORT", holder.getsockname()[1])
        yield holder


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports on which the demonstration would have listened."""
    ports: list[int] = []

    def note(_build: object, _reload: object, options: ServerOptions, _announce: Callable[[str], None]) -> None:
        ports.append(options.port)

    monkeypatch.setattr(demo, "run_server", note)
    return ports


def test_demo_usual_port_free_is_used_without_a_word(usual_port: socket.socket, served: list[int]) -> None:
    port = usual_port.getsockname()[1]
    usual_port.close()

    answer = CliRunner().invoke(demo.demo, [])

    assert (served, answer.stderr) == ([port], "")


def test_demo_usual_port_taken_says_which_one_is_used(usual_port: socket.socket, served: list[int]) -> None:
    usual = usual_port.getsockname()[1]

    answer = CliRunner().invoke(demo.demo, [])

    assert usual not in served
    assert answer.stderr == f"Port {usual} is taken; {served[0]} is free and is used.\n"


def test_demo_port_asked_for_is_not_replaced(usual_port: socket.socket, served: list[int]) -> None:
    """Who names a port wants that one: the server then says that it cannot have it."""
    usual = usual_port.getsockname()[1]

    answer = CliRunner().invoke(demo.demo, ["--port", str(usual)])

    assert (served, answer.stderr) == ([usual], "")
