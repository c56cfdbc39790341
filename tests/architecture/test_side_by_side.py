"""Tests of several processes keep out of each other's way where they must."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.side_by_side import place_among_tests

ROOT = Path(__file__).resolve().parents[2]
# Says when it has its place, and keeps it until its standard input is closed.
OTHER = """
import sys
from pathlib import Path
from tests.support.side_by_side import place_among_tests
with place_among_tests(Path(sys.argv[1]), alone=sys.argv[2] == "alone"):
    print("in", flush=True)
    sys.stdin.read()
"""


def other(lock: Path, manner: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OTHER, str(lock), manner]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("mine", "others", "waits", "reason"),
    [
        (False, "beside", False, "two that compute share the machine"),
        (False, "alone", True, "who measures waits until the other has ended"),
        (True, "beside", True, "and nobody begins beside one who measures"),
        (True, "alone", True, "nor does another who measures"),
    ],
)
def test_place_among_tests_is_given_to_one_or_to_many(
    tmp_path: Path, mine: bool, others: str, waits: bool, reason: str
) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    with place_among_tests(lock, alone=mine):
        process = other(lock, others)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        assert process.poll() is None
        if not waits:
            assert process.stdout is not None
            assert process.stdout.readline() == "in\n", reason
    # It has its place now at the latest; with the end of its input it gives it back.
    printed, _ = process.communicate(timeout=20)
    assert (printed == "in\n") is waits, reason
