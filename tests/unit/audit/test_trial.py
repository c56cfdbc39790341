"""The folders of log and state store are tried as the service would use them, and nothing is left behind."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.accounts import account, own_account
from cds_service.audit import trial
from cds_service.audit.trial import folder_notices, write_problems
from cds_service.cli.main import main
from cds_service.settings import settings_from_dict
from tests.unit.audit.samples import audit_log, hook_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.settings import Settings

# Of nobody on any host.
STRANGER = 54_321
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs another owner")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "state").mkdir(mode=0o700)
    state = f"sqlite:///{tmp_path}/state/state.db"
    return settings_from_dict({"authentication": {"required": False}, "state": {"url": state}}, tmp_path)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_folders_that_can_be_written_are_fine_and_as_they_were(settings: Settings, tmp_path: Path) -> None:
    log = audit_log(tmp_path / "audit")
    log.append(hook_record())
    (tmp_path / "state" / "state.db").touch(mode=0o600)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if (tmp_path / name).is_file()}

    assert list(write_problems(settings)) == []
    assert list(folder_notices(settings)) == []

    after = {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if (tmp_path / name).is_file()}
    assert after == before
    log.append(hook_record())


def test_audit_folder_that_is_not_there_is_tried_above_and_not_made(settings: Settings, tmp_path: Path) -> None:
    assert list(write_problems(settings)) == []
    assert names(tmp_path) == ["state"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "audit").touch(), "audit.directory: {0}/audit is no folder"),
        (
            lambda folder: (folder / "state").rmdir(),
            "state.url: the folder {0}/state is not there; make it, for the user of the service alone (mode 0700)",
        ),
    ],
    ids=["a file in its place", "SQLite makes no folder"],
)
def test_folder_that_cannot_serve_is_a_problem(
    settings: Settings, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(tmp_path)

    assert list(write_problems(settings)) == [said.format(tmp_path)]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "cannot be written: No space left on device"),
        (errno.EROFS, "cannot be written: Read-only file system"),
        (errno.EIO, "cannot be written: Input/output error"),
        (errno.EACCES, f"cannot be written by {own_account()}; run this check as the user of the service"),
    ],
)
def test_disk_that_does_not_keep_what_is_written_is_a_problem_and_keeps_no_trial(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fdatasync", refuse)

    found = list(write_problems(settings))

    assert len(found) == 2
    assert all(said in text for text in found)
    assert names(tmp_path) == ["state"]


def test_config_check_of_a_folder_that_cannot_be_written_exits_1(tmp_path: Path) -> None:
    (tmp_path / "audit").touch()
    (tmp_path / "site.yaml").write_text("authentication: {required: false}\n")

    result = CliRunner().invoke(main, ["config", "check", str(tmp_path / "site.yaml")])

    assert result.exit_code == 1
    assert f"{tmp_path}/site.yaml: audit.directory: {tmp_path}/audit is no folder" in result.stderr
    assert "is fine" not in result.stdout


def test_folder_that_others_can_write_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "state").chmod(0o777)

    assert list(folder_notices(settings)) == [
        f"state.url: {tmp_path}/state can be written by others (mode 0777); make it 0700"
    ]


def test_disk_that_is_nearly_full_is_named(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_LITTLE_BYTES", 1 << 62)

    assert any(f"the disk of {tmp_path}/state has " in text for text in folder_notices(settings))


@needs_root
def test_folder_of_the_service_checked_by_root_asks_for_the_check_of_its_owner(
    settings: Settings, tmp_path: Path
) -> None:
    os.chown(tmp_path / "state", STRANGER, STRANGER)

    assert list(folder_notices(settings)) == [
        f"state.url: {tmp_path}/state belongs to uid {STRANGER}: root may write everywhere, "
        f"so run this check as uid {STRANGER} as well"
    ]


@needs_root
def test_file_that_root_made_in_the_folder_of_the_service_is_named(settings: Settings, tmp_path: Path) -> None:
    """As after one start as root: the service could append to nothing, and every call would be refused."""
    audit_log(tmp_path / "audit").append(hook_record())
    os.chown(tmp_path / "audit", STRANGER, STRANGER)

    found = list(folder_notices(settings))

    assert [text.split("/audit/")[1].split(" belongs to ")[1] for text in found[1:]] == 2 * [
        f"root, its folder to uid {STRANGER}: a service of uid {STRANGER} could not write it; "
        f"was it started as root once? Give the file to uid {STRANGER}"
    ]


def test_account_without_a_name_is_its_number() -> None:
    assert account(STRANGER) == f"uid {STRANGER}"
