"""What `config check` and a start say of the audit directory and of the files beside it."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.accounts import own_account
from cds_service.audit.standing import notices
from cds_service.cli import serve
from cds_service.cli.main import main
from tests.security.forge import ec_key, jwk, key_set
from tests.unit.audit.samples import KEY, NOW, OTHER_KEY, Clock, audit_log, hook_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TODAY = NOW.date()
OWN = own_account()
NEW = "audit.directory: {0} is not there: a start begins a new log"


def said(directory: Path, **private: Path | None) -> list[str]:
    return [text.replace(str(directory), "{0}") for text in notices(directory, KEY, 2_200, private, TODAY)]


def nothing(directory: Path) -> None:
    """Leave the directory to be made by a start."""


def empty(directory: Path) -> None:
    directory.mkdir()


def log(directory: Path) -> None:
    audit_log(directory).append(hook_record())


def other_key(directory: Path) -> None:
    audit_log(directory, key=OTHER_KEY)


def no_key(directory: Path) -> None:
    audit_log(directory, key=None)


def clock_ahead(directory: Path) -> None:
    clock = Clock(NOW - timedelta(days=4_000))
    audit_log(directory, clock=clock)


def clock_behind(directory: Path) -> None:
    audit_log(directory, clock=Clock(NOW + timedelta(days=4_000)))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (nothing, ["is not there: a start begins a new log"]),
        (empty, ["holds no log: a start begins a new one"]),
        (log, []),
        (other_key, ["has another key (9db30c2990a2022a, here 1ac73d11fec8f5a2): was the key changed"]),
        (no_key, ["has another key (none, here 1ac73d11fec8f5a2): was the key changed"]),
        (clock_ahead, ["is the clock of this host wrong? the log goes from 2015-03-27 to 2026-03-10 at once"]),
        (clock_behind, ["is the clock of this host wrong? the newest file of the log is of 2037-02-19"]),
    ],
)
def test_notices_of_a_log_say_what_looks_like_no_fault(
    tmp_path: Path, make: Callable[[Path], None], expected: list[str]
) -> None:
    make(tmp_path / "audit")
    found = said(tmp_path / "audit")

    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True))


@pytest.mark.parametrize(
    ("mode", "open_to_others"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o644, True)]
)
def test_file_that_others_can_read_is_named(tmp_path: Path, mode: int, open_to_others: bool) -> None:
    (tmp_path / "key").touch()
    (tmp_path / "key").chmod(mode)
    found = said(tmp_path / "audit", hmac_key_file=tmp_path / "key", absent=tmp_path / "none", not_set=None)

    assert [text for text in found if "can be read by others" in text] == (
        [f"hmac_key_file: {tmp_path / 'key'} can be read by others (mode {mode:04o}, owner {OWN}); make it 0600"]
        if open_to_others
        else []
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another owner")
def test_key_that_its_reader_does_not_own_may_be_read_by_its_group(tmp_path: Path) -> None:
    """As a Secret is mounted into a pod: owned by root, read through the group of the volume."""
    (tmp_path / "key").touch()
    (tmp_path / "key").chmod(0o440)
    os.chown(tmp_path / "key", 10_001, 10_001)

    assert said(tmp_path / "audit", hmac_key_file=tmp_path / "key") == [NEW]


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    (tmp_path / "audit-key").write_bytes(KEY)
    (tmp_path / "audit-key").chmod(0o644)
    (tmp_path / "state.db").touch()
    (tmp_path / "state.db").chmod(0o644)
    (tmp_path / "site.yaml").write_text(
        "authentication: {required: false}\naudit: {hmac_key_file: audit-key}\nstate: {url: 'sqlite:///state.db'}\n"
    )
    return tmp_path / "site.yaml"


EXPECTED = ("audit.hmac_key_file", "state.url", "audit.directory")


def test_config_check_prints_what_is_to_be_known_and_exits_0(configuration: Path) -> None:
    result = CliRunner().invoke(main, ["config", "check", str(configuration)])

    assert result.exit_code == 0
    told = [line for line in result.stderr.splitlines() if line.startswith("note: ")]
    assert [line.split()[1].rstrip(":") for line in told] == list(EXPECTED)
    assert not (configuration.parent / "audit").exists(), "nothing is written"


def test_serve_prints_its_address_first_and_then_logs_what_is_to_be_known(
    configuration: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def listen(_build: object, _reload: object, _options: object, on_listening: Callable[[str], None]) -> None:
        assert caplog.records == []
        on_listening("http://127.0.0.1:1")

    monkeypatch.setattr(serve, "run_server", listen)
    result = CliRunner().invoke(main, ["serve", "--config", str(configuration)])

    assert result.stdout == "listening on http://127.0.0.1:1\n"
    told = [one.getMessage() for one in caplog.records]
    assert [text.split()[2].rstrip(":") for text in told] == list(EXPECTED)


def test_file_of_trust_that_others_can_change_is_named(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(jwk(ec_key(), "k1")))
    keys.chmod(0o666)
    (tmp_path / "site.yaml").write_text("clients: [{name: a, issuer: 'https://a.example', jwks_file: keys.json}]\n")

    result = CliRunner().invoke(main, ["config", "check", str(tmp_path / "site.yaml")])

    assert result.exit_code == 0
    assert f"note: {keys} can be changed by others (mode 0666, owner {OWN})" in result.stderr
