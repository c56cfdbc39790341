"""What every kind of test shares: repeatable examples, places among other processes, browser, PostgreSQL server."""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.postgresql import PROGRAMS, PostgreSQL, programs, running_postgresql
from tests.support.side_by_side import place_among_tests

IN_CI = os.environ.get("CI") == "true"

# The same examples in every run: a failure seen by one person is seen by all.
settings.register_profile("developer", derandomize=True, deadline=timedelta(seconds=2))
# A shared build machine stalls for seconds now and then; pytest-timeout still ends a hang.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if IN_CI else "developer")

# Where temporary folders may lie: in memory, no test waits for a disk that is not its subject.
MEMORY = Path("/dev/shm")  # noqa: S108  pytest makes a folder of its own in it
MEMORY_BYTES = 4 << 30
# Names the file by which several processes keep out of each other's way.
LOCK = "SII_CDS_TESTS_LOCK"

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_configure(config: pytest.Config) -> None:
    """Put temporary folders into memory where there is enough of it, and make the lock of several processes."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    # Reports are as wide as where nobody watches, whatever the terminal of whoever runs the tests.
    os.environ.pop("COLUMNS", None)
    if _starts_others(config):
        descriptor, os.environ[LOCK] = tempfile.mkstemp(prefix="sii-cds-tests-", suffix=".lock")
        os.close(descriptor)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the lock."""
    if _starts_others(config):
        Path(os.environ.pop(LOCK)).unlink()


def _starts_others(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", 0)) and not hasattr(config, "workerinput")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that mostly wait for processes: the short ones fill what is left of the time."""
    items.sort(key=lambda item: "integration" not in item.path.parts)


def pytest_runtest_setup() -> None:
    """Let every test see what the package logs: a service or a demonstration that ran before in this process set it."""
    logging.getLogger("cds_service").setLevel(logging.NOTSET)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run a test beside those of other processes, or alone where its mark asks for it."""
    lock = os.environ.get(LOCK)
    if lock is None:
        return (yield)
    with place_among_tests(Path(lock), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the installed Chromium; without a browser the test is skipped, or fails where CI=true."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    lacking = _lacking_driver_library() if path else f"no Chromium on the PATH ({', '.join(CHROMIUM_NAMES)})"
    if path and not lacking:
        return path
    if IN_CI:
        pytest.fail(f"{lacking}; CI=true makes browser tests required")
    pytest.skip(lacking)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server; without its programs the test is skipped, or fails where CI=true.

    Whoever stops or freezes it starts it again: it is shared.
    """
    found = programs()
    if found is None:
        lacking = f"no PostgreSQL server below {PROGRAMS} (Debian: postgresql)"
        if IN_CI:
            pytest.fail(f"{lacking}; CI=true makes these tests required")
        pytest.skip(lacking)
    with running_postgresql(found) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> str:
    """The address of an empty database, as `state.url` takes it."""
    return postgresql.new_database()


def _lacking_driver_library() -> str:
    """Why Playwright's driver does not start, as on a bare Debian without libatomic1; empty when it does."""
    command = [sys.executable, "-m", "playwright", "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"Playwright's driver does not start: {answer.stderr.strip()}" if answer.returncode else ""
