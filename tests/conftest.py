"""What every kind of test shares: repeatable examples, the browser, and a PostgreSQL server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import settings

from tests.support.postgresql import PROGRAMS, PostgreSQL, programs, running_postgresql

IN_CI = os.environ.get("CI") == "true"

# The same examples in every run: a failure seen by one person is seen by all.
settings.register_profile("developer", derandomize=True, deadline=timedelta(seconds=2))
# A shared build machine stalls for seconds now and then; pytest-timeout still ends a hang.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if IN_CI else "developer")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


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
