"""A PostgreSQL server of the tests' own: Debian's programs, a throw-away cluster, a loopback port, a password."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROLE = "sii_cds"
PROGRAMS = Path("/usr/lib/postgresql")
_START_SECONDS = 30.0
# The port is looked for and given back before the server takes it: somebody else may be faster.
_PORTS_TRIED = 5
# Nothing here outlives the machine, so nothing waits for the disk; without Unix sockets no path is shared.
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "16MB",
}


def programs() -> Path | None:
    """Give the folder of the newest PostgreSQL server on this machine, None without one."""
    found = [folder for folder in PROGRAMS.glob("*/bin") if (folder / "initdb").exists()]
    return max(found, key=lambda folder: float(folder.parent.name), default=None)


@dataclass
class PostgreSQL:
    """A running server that can also be stopped, started again and frozen, as it happens to hospitals."""

    programs: Path
    folder: Path
    user: str | None
    options: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    _databases: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def password_file(self) -> Path:
        """The password, as a site keeps it: in a file that the address names."""
        return self.folder / "pgpass"

    def url(self, database: str = "postgres") -> str:
        """Give the address of a database as `state.url` takes it."""
        return f"postgresql+psycopg://{ROLE}@127.0.0.1:{self.port}/{database}?passfile={self.password_file}"

    def new_database(self) -> str:
        """Create an empty database and give its address."""
        name = f"state_{next(self._databases)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the owner of everything."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Open a connection on which every statement is committed by itself."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ROLE,
            dbname=database,
            passfile=str(self.password_file),
            connect_timeout=5,
            autocommit=True,
        )

    def start(self) -> None:
        """Start the server and wait until it answers; again on the same port after `stop`."""
        options = [part for name, value in {**_OPTIONS, **self.options}.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self.user,
                group=_group(self.user),
                extra_groups=[] if self.user else None,
                # So that a frozen server can be thawed and ended with all its processes.
                start_new_session=True,
            )
        self._wait_until_it_answers(self.process)

    def stop(self) -> None:
        """End the server at once, whatever its clients do; its data stay."""
        if self.process is not None:
            self.thaw()
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=_START_SECONDS)

    def freeze(self) -> None:
        """Let it answer no more while its connections stay open: an overloaded host, or a network that swallows."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        # Each backend is a process with a session of its own.
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(ProcessLookupError, FileNotFoundError):
            for child in (int(text) for text in children.read_text().split()):
                with suppress(ProcessLookupError):
                    os.kill(child, number)
            self.process.send_signal(number)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "server.log").read_text(errors="replace")
                    raise ServerDidNotStartError(f"{error}\n{log}") from None
                time.sleep(0.05)
            else:
                return


class ServerDidNotStartError(AssertionError):
    """The server ended or did not answer; the text holds its log."""


@contextmanager
def running_postgresql(found: Path, options: Mapping[str, str] = MappingProxyType({})) -> Iterator[PostgreSQL]:
    """Make a cluster, start its server, and at the end remove both; `options` come before those of the tests."""
    user = _unprivileged_user()
    # Not below pytest's folders: those are closed to other users, and root may not run the server.
    folder = Path(tempfile.mkdtemp(prefix="sii-cds-postgresql-"))
    server = PostgreSQL(found, folder, user, options)
    try:
        _make_cluster(server)
        _start_on_a_free_port(server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _make_cluster(server: PostgreSQL) -> None:
    password = secrets.token_urlsafe(16)
    only_password = server.folder / "password"
    only_password.write_text(password)
    server.password_file.write_text(f"127.0.0.1:*:*:{ROLE}:{password}\n")
    for path in (server.folder, only_password, server.password_file):
        path.chmod(0o700 if path.is_dir() else 0o600)
        if server.user:
            shutil.chown(path, server.user, _group(server.user))
    options = {"pgdata": server.folder / "data", "username": ROLE, "pwfile": only_password, "auth": "scram-sha-256"}
    made = subprocess.run(
        [
            server.programs / "initdb",
            *(f"--{name}={value}" for name, value in options.items()),
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        cwd=server.folder,
        user=server.user,
        group=_group(server.user),
        extra_groups=[] if server.user else None,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr


def _start_on_a_free_port(server: PostgreSQL) -> None:
    for tries_left in reversed(range(_PORTS_TRIED)):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            server.port = probe.getsockname()[1]
        try:
            server.start()
        except ServerDidNotStartError:
            if not tries_left:
                raise
        else:
            return


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: give the user to become then, None to stay who one is."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _group(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None
