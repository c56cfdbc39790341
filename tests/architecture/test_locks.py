"""The locks: every requirement pinned and hashed, none from an address, none of the project's left out."""

import importlib.metadata
import re
import tomllib
from pathlib import PurePosixPath
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.architecture.checkout import read, repository_files

RUNTIME_LOCK = PurePosixPath("requirements.lock")
DEVELOPMENT_LOCK = PurePosixPath("requirements-dev.lock")
LOCKS = tuple(path for path in repository_files() if path.suffix == ".lock")
PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[[a-z0-9,-]+\])?"
    r"==(?P<version>[^\s;]+)(?:\s*;[^\\]+)?(?: \\\n +--hash=sha256:[0-9a-f]{64})+$"
)
ADDRESS = re.compile(r"\w+://|^\s*-|\s@\s")


def entries(lock: str) -> list[str]:
    """The requirements of a lock, each with its continuation lines, without comments."""
    text = "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#"))
    return [entry.strip() for entry in re.split(r"\n(?=\S)", text.strip()) if entry.strip()]


def loose_entries(lock: str) -> list[str]:
    """First lines of the requirements that are not pinned, not hashed, or that name an address or an option."""
    return [
        entry.splitlines()[0]
        for entry in entries(lock)
        if not PINNED.match(entry) or ADDRESS.search(entry.splitlines()[0])
    ]


def addresses(lock: str) -> list[str]:
    return re.findall(r"\w+://\S*", lock)


def locked_versions(lock: str) -> set[tuple[str, str]]:
    pins = [match for entry in entries(lock) if (match := PINNED.match(entry))]
    return {(normalized(pin["name"]), pin["version"]) for pin in pins}


def unlocked(requirements: list[str], lock: str) -> list[str]:
    """Requirements of the project that the lock does not pin."""
    names = {name for name, _ in locked_versions(lock)}
    return [requirement for requirement in requirements if normalized(requirement) not in names]


def extras_not_locked(lock: str, needed: dict[str, set[str]]) -> list[str]:
    """Packages that are needed with an extra while the lock pins them without it."""
    pins = [match for entry in entries(lock) if (match := PINNED.match(entry))]
    locked = {normalized(pin["name"]): set((pin["extras"] or "[]")[1:-1].split(",")) - {""} for pin in pins}
    return sorted(name for name, extras in needed.items() if name in locked and extras - locked[name])


def needed_extras() -> dict[str, set[str]]:
    """Package name to the extras that any installed distribution asks of it."""
    needed: dict[str, set[str]] = {}
    for distribution in importlib.metadata.distributions():
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.extras and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                needed.setdefault(normalized(requirement.name), set()).update(requirement.extras)
    return needed


def normalized(requirement: str) -> str:
    """The name of a requirement as the packaging standard compares names."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match.group()).lower() if match else requirement


def project() -> dict[str, Any]:
    return tomllib.loads(read(PurePosixPath("pyproject.toml")))


@pytest.mark.parametrize("path", LOCKS, ids=str)
def test_lock_pins_and_hashes_every_requirement(path: PurePosixPath) -> None:
    assert entries(read(path))
    assert loose_entries(read(path)) == []


@pytest.mark.parametrize("path", LOCKS, ids=str)
def test_lock_names_no_address(path: PurePosixPath) -> None:
    assert addresses(read(path)) == []


def test_runtime_lock_pins_every_dependency() -> None:
    assert unlocked(project()["project"]["dependencies"], read(RUNTIME_LOCK)) == []


def test_development_lock_pins_tools_and_build_backend() -> None:
    needed = project()["dependency-groups"]["dev"] + project()["build-system"]["requires"]

    assert unlocked(needed, read(DEVELOPMENT_LOCK)) == []


def test_development_lock_tests_what_the_runtime_lock_ships() -> None:
    assert locked_versions(read(RUNTIME_LOCK)) - locked_versions(read(DEVELOPMENT_LOCK)) == set()


def test_development_lock_keeps_the_extras_that_its_packages_ask_for() -> None:
    # pip before 25 takes the newest release for a requirement with an extra, although the lock pins an older one,
    # and then refuses it for want of a pin: the installation breaks on the day of that release.
    assert extras_not_locked(read(DEVELOPMENT_LOCK), needed_extras()) == []


def test_extra_that_the_lock_lost_is_named() -> None:
    assert extras_not_locked(GOOD_ENTRY, {"flask": {"async"}}) == ["flask"]


HASH = "    --hash=sha256:" + "0" * 64
GOOD_ENTRY = f"flask==3.1.3 \\\n{HASH}\n    # via sii-cds"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("flask==3.1.3", "no hash"),
        (f"flask>=3 \\\n{HASH}", "no pin"),
        ("flask==3.1.3 \\\n    --hash=md5:00", "a weak hash"),
        (f"flask==3.1.3 \\\n{HASH[:-1]}", "a hash cut short"),
        (f"flask @ https://example.org/flask.whl \\\n{HASH}", "an address"),
        ("--index-url https://example.org/simple", "an option"),
        ("-e .", "a folder"),
    ],
)
def test_loose_entry_is_reported(entry: str, reason: str) -> None:
    assert loose_entries(f"# by hand\n{GOOD_ENTRY}\n{entry}\n"), reason


def test_pinned_entry_with_marker_is_accepted() -> None:
    assert loose_entries(f"{GOOD_ENTRY}\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n{HASH}\n") == []


def test_unlocked_requirement_is_named() -> None:
    assert unlocked(["Flask>=3.1", "ruamel.yaml>=0.18"], GOOD_ENTRY) == ["ruamel.yaml>=0.18"]


def test_address_is_named() -> None:
    assert addresses("# from https://example.org/simple\n") == ["https://example.org/simple"]
