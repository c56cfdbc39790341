"""Connections on which nothing was sent for long are closed; others, and other files, are left alone."""

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cds_service.server.connections import close_stalled_connections


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket(request.param, socket.SOCK_STREAM) as listening:
        listening.bind(("127.0.0.1" if request.param == socket.AF_INET else "::1", 0))
        listening.listen()
        yield listening


def connect(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """The client's end and the accepted end."""
    client = socket.socket(listener.family, socket.SOCK_STREAM)
    client.settimeout(2)
    client.connect(listener.getsockname())
    return client, listener.accept()[0]


def test_close_stalled_connection_that_only_receives_is_closed(listener: socket.socket) -> None:
    client, accepted = connect(listener)
    with client, accepted:
        time.sleep(0.3)
        client.sendall(b"a byte now and then")

        assert close_stalled_connections(listener.getsockname()[1], 0.25) == 1
        assert accepted.recv(100) == b"a byte now and then"
        assert accepted.recv(100) == b""
        assert client.recv(100) == b""


def test_close_stalled_connection_that_was_just_answered_is_kept(listener: socket.socket) -> None:
    client, accepted = connect(listener)
    with client, accepted:
        time.sleep(0.3)
        accepted.sendall(b"answer")

        assert close_stalled_connections(listener.getsockname()[1], 0.25) == 0
        client.sendall(b"next request")
        assert accepted.recv(100) == b"next request"


def test_close_stalled_other_files_are_left_alone(listener: socket.socket) -> None:
    client, accepted = connect(listener)
    pair = socket.socketpair()
    with client, accepted, closing(pair[0]), closing(pair[1]), socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        other_port = datagrams.getsockname()[1]

        assert close_stalled_connections(other_port, 0) == 0
        pair[0].sendall(b"still open")
        assert pair[1].recv(100) == b"still open"
        accepted.sendall(b"still open")
        assert client.recv(100) == b"still open"


def test_close_stalled_connections_leaves_locks_of_open_files(tmp_path: Path) -> None:
    """SQLite holds locks that belong to the process: a handle opened beside and closed again would take them away."""
    database = tmp_path / "state.db"
    with closing(sqlite3.connect(database)) as held:
        held.execute("PRAGMA journal_mode = WAL")
        held.execute("CREATE TABLE used (name)")
        close_stalled_connections(1, 0)
        # The last process to close a database deletes its write-ahead log; this one is not the last.
        script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('SELECT 1 FROM used'); db.close()"
        subprocess.run([sys.executable, "-c", script, database], check=True, timeout=30)

        assert (tmp_path / "state.db-wal").exists()
