"""The Makefile and .ci: they find a Python that starts, or say in one sentence what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT

TASKS = (
    "demo",
    "test",
    "quick",
    "interop",
    "lint",
    "fuzz",
    "mutants",
    "bench",
    "image-test",
    "wheel",
    "sbom",
    "lock",
    "clean",
)
TOO_OLD = "sys.version_info = (3, 10, 14)"
WITHOUT_VENV = "sys.modules['ensurepip'] = None"
SUITABLE = "pass"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and what its tasks depend on, and a PATH folder without Python."""
    checkout = tmp_path / "checkout"
    (checkout / ".ci").mkdir(parents=True)
    locks = ("requirements.lock", "requirements-dev.lock", ".ci/build-tools.lock")
    for name in ("Makefile", "pyproject.toml", ".ci/find-python", *locks):
        shutil.copy(ROOT / name, checkout / name)
    (tmp_path / "bin").mkdir()
    for tool in ("awk", "make", "sh"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    return checkout


def install_fake_python(checkout: Path, name: str, lie: str) -> None:
    """A Python on the PATH that answers `-c CODE` truthfully but for one lie."""
    script = checkout.parent / "bin" / name
    script.write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "import sys; {lie}; exec(sys.argv[1])" "$2"\n')
    script.chmod(0o755)


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run with that PATH, an empty home and no terminal."""
    environment = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout.parent)}
    return subprocess.run(
        command, cwd=checkout, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def own_sentences(answer: subprocess.CompletedProcess[str]) -> list[str]:
    """Lines of the error output but for make's own closing line."""
    return [line for line in answer.stderr.splitlines() if not line.startswith("make: ***")]


@pytest.mark.parametrize("task", ["demo", "test", "interop", "lint", "bench"])
def test_task_without_python_says_so_in_one_sentence(bare_checkout: Path, task: str) -> None:
    answer = run(bare_checkout, "make", task)

    assert answer.returncode != 0
    assert len(own_sentences(answer)) == 1
    assert own_sentences(answer)[0].startswith("Python 3.11 or newer is needed, and none of python3.13")
    assert not (bare_checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("lie", "sentence"),
    [
        (TOO_OLD, "Python 3.11 or newer is needed"),
        (WITHOUT_VENV, "python3 lacks the modules venv and ensurepip (package python3-venv"),
    ],
)
def test_task_with_unsuitable_python_says_what_is_wrong(bare_checkout: Path, lie: str, sentence: str) -> None:
    install_fake_python(bare_checkout, "python3", lie)

    answer = run(bare_checkout, "make", "lint")

    assert answer.returncode != 0
    assert len(own_sentences(answer)) == 1
    assert sentence in answer.stderr


def test_task_with_named_python_that_is_missing_names_it(bare_checkout: Path) -> None:
    install_fake_python(bare_checkout, "python3", SUITABLE)

    answer = run(bare_checkout, "make", "lint", "PYTHON=/opt/none/python3")

    assert answer.returncode != 0
    assert "PYTHON=/opt/none/python3 is not one" in answer.stderr


@pytest.mark.parametrize(
    ("pythons", "chosen"),
    [
        ({"python3": SUITABLE}, "python3"),
        ({"python3.11": SUITABLE, "python3.12": SUITABLE, "python3": SUITABLE}, "python3.12"),
        ({"python3.13": TOO_OLD, "python3.11": SUITABLE}, "python3.11"),
        ({"python3.13": WITHOUT_VENV, "python3": SUITABLE}, "python3"),
    ],
)
def test_find_python_takes_the_newest_suitable(bare_checkout: Path, pythons: dict[str, str], chosen: str) -> None:
    for name, lie in pythons.items():
        install_fake_python(bare_checkout, name, lie)

    assert run(bare_checkout, ".ci/find-python").stdout.strip() == chosen


def test_find_python_passes_over_a_shim_that_does_not_start(bare_checkout: Path) -> None:
    shim = bare_checkout.parent / "bin" / "python3.13"
    shim.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    install_fake_python(bare_checkout, "python3.11", SUITABLE)

    assert run(bare_checkout, ".ci/find-python").stdout.strip() == "python3.11"


def test_demo_needs_no_more_than_what_the_service_runs_with(bare_checkout: Path) -> None:
    install_fake_python(bare_checkout, "python3", SUITABLE)

    commands = run(bare_checkout, "make", "--dry-run", "demo").stdout

    assert "requirements.lock" in commands
    assert "requirements-dev.lock" not in commands


def test_make_alone_lists_every_task(bare_checkout: Path) -> None:
    answer = run(bare_checkout, "make")

    listed = [line.split()[1] for line in answer.stdout.splitlines()]
    assert listed == ["help", *TASKS]


@pytest.mark.parametrize("name", ["run", "interop", "find-python"])
def test_ci_script_is_executable_and_parses(name: str) -> None:
    script = ROOT / ".ci" / name

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_ci_run_stops_at_the_first_failure(tmp_path: Path, bare_checkout: Path) -> None:
    """A failing lint must end the run with its own exit code, and the tests must not be started."""
    shutil.copy(ROOT / ".ci" / "run", bare_checkout / ".ci" / "run")
    present = dict.fromkeys(("git", "chromium", "node", "npm", "buildah", "mmdebstrap", "mount", "promtool"), "")
    stand_ins = present | {"make": 'echo "make $1"; exit 7', "ldconfig": "echo libatomic.so.1"}
    for tool, body in stand_ins.items():
        (tmp_path / "bin" / tool).unlink(missing_ok=True)
        (tmp_path / "bin" / tool).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "bin" / tool).chmod(0o755)
    for tool in ("bash", "dirname"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    install_fake_python(bare_checkout, "python3", SUITABLE)

    answer = run(bare_checkout, ".ci/run")

    assert answer.returncode == 7
    assert "make lint" in answer.stdout
    assert "make test" not in answer.stdout
