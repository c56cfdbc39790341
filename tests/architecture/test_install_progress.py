"""What `make demo` and `make test` say while they install."""

import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.checkout import ROOT

SCRIPT = ROOT / ".ci" / "install_locked.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_locked", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Terminal(io.StringIO):
    """A text stream that says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


PIP_SAID = [
    "Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment",
    "Collecting flask==3.1.3 (from -r requirements.lock (line 9))",
    "  Downloading flask-3.1.3-py3-none-any.whl (103 kB)",
    "Requirement already satisfied: click==8.3.1 in lib (from -r requirements.lock (line 3)) (8.3.1)",
    "Installing collected packages: flask",
    "",
    "Successfully installed flask-3.1.3",
]


def told(script: ModuleType, stream: io.StringIO, installed: Path, total: int = 3) -> str:
    script.follow(iter(PIP_SAID), total, installed, script.Progress(stream))
    return stream.getvalue()


def test_progress_on_a_terminal_rewrites_one_line(script: ModuleType, tmp_path: Path) -> None:
    text = told(script, Terminal(), tmp_path)

    assert "\n" not in text
    assert [part.removesuffix("\x1b[K").strip() for part in text.split("\r")[1:]] == [
        "fetching packages: 1 of 2",
        "fetching packages: 2 of 2",
        "putting them in place: 0 of 1",
    ]


def test_progress_elsewhere_tells_ends_only(script: ModuleType, tmp_path: Path) -> None:
    text = told(script, io.StringIO(), tmp_path)

    assert text.splitlines() == ["  fetching packages: 2 of 2", "  putting them in place: 0 of 1"]


FLASK = "flask==3.1.3 \\\n    --hash=sha256:00\n    # via sii-cds\n"
BOTH_PLATFORMS = "psycopg[binary]==3.3 ; sys_platform == 'linux'\npsycopg[binary]==3.2 ; sys_platform == 'win32'\n"
PROJECT = """
[project]
dependencies = ["Flask>=3", "numpy>=2"]
[project.optional-dependencies]
reports = ["matplotlib>=3"]
cohort = ["matplotlib>=3", "numpy", "pyarrow>=19,<27"]
"""


def test_pins_counts_what_two_locks_share_once(script: ModuleType) -> None:
    assert script.pins([FLASK + BOTH_PLATFORMS, f"# click==1\n{FLASK}click==8.3\n"]) == 4


def test_extra_adds_what_nothing_else_asks_for(script: ModuleType) -> None:
    assert script.needed_by_extra_alone(PROJECT, "cohort") == {"pyarrow"}


def test_package_left_out_goes_with_its_hashes_and_all_else_stays(script: ModuleType) -> None:
    rest = f"# a comment\n{BOTH_PLATFORMS}this is no requirement\n"

    assert script.leave_out(FLASK + rest, {"flask"}) == rest


def test_demonstration_is_installed_without_what_it_never_imports(script: ModuleType) -> None:
    unwanted = script.needed_by_extra_alone((ROOT / "pyproject.toml").read_text(encoding="utf-8"), "cohort")
    code = f"import sys, cds_service.cli.demo; print(sorted({unwanted!r} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert unwanted == {"pyarrow", "scipy"}
    assert answer.stdout == "[]\n"


def test_install_that_fails_prints_what_pip_said_and_ends_with_its_code(tmp_path: Path) -> None:
    lock = tmp_path / "bad.lock"
    lock.write_text("this is no requirement\n")

    answer = subprocess.run([sys.executable, SCRIPT, lock], capture_output=True, text=True, check=False)

    assert answer.returncode == 1
    assert "Invalid requirement" in answer.stderr
    assert "Installed in" not in answer.stdout
