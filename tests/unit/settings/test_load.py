"""Loading: all problems at once, paths, origins, hash."""

from __future__ import annotations

import errno
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from cds_service.errors import ConfigurationError
from cds_service.settings import SettingsError, load_settings, settings_from_dict

if TYPE_CHECKING:
    from tests.unit.settings.conftest import Load, Problems

OPEN = "authentication: {required: false}\n"


def test_all_problems_come_at_once_sorted_by_position(problems: Problems) -> None:
    text = """service:
  timezone: Mars/Olympus
server:
  port: 70000
  port: 8080
rul: {}
timing:
  max_age_days: "90"
"""
    lines = problems(text, {"SII_CDS__AUDIT__VALUES": "maybe", "SII_CDS__QUITE__OTHER": "1"})
    assert [line.split(": ")[:2] for line in lines] == [
        ["sii-cds.yaml:1:1", "authentication.required"],
        ["sii-cds.yaml:2:3", "service.timezone"],
        ["sii-cds.yaml:4:3", "server.port"],
        ["sii-cds.yaml:5:3", "server.port"],
        ["sii-cds.yaml:6:1", "rul"],
        ["sii-cds.yaml:8:3", "timing.max_age_days"],
        ["SII_CDS__AUDIT__VALUES", "audit.values"],
        ["SII_CDS__QUITE__OTHER", "there is no such setting"],
    ]


def test_settings_error_is_the_configuration_error_of_the_tree(problems: Problems) -> None:
    assert issubclass(SettingsError, ConfigurationError)
    assert problems("a: 1\n")


def test_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "absent.yaml", {})
    assert str(caught.value) == f"{tmp_path}/absent.yaml: cannot be read: no such file"


def test_relative_paths_start_from_the_directory_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "etc"
    site.mkdir()
    (site / "keys.json").write_text("{}")
    (site / "c.yaml").write_text(
        "clients: [{name: a, issuer: b, jwks_file: keys.json}]\n"
        "audit: {directory: ../audit}\n"
        "state: {url: 'sqlite:///run/state.db?timeout=5'}\n"
    )
    monkeypatch.chdir(tmp_path)
    settings = load_settings(Path("etc/c.yaml"), {})
    assert settings.clients[0].jwks_file == site / "keys.json"
    assert settings.audit.directory == site / "../audit"
    assert settings.state.url == f"sqlite:///{site}/run/state.db?timeout=5"


def test_absolute_paths_stay(load: Load) -> None:
    settings = load(f"{OPEN}audit: {{directory: /var/lib/sii-cds}}\nstate: {{url: 'sqlite:////var/state.db'}}\n")
    assert settings.audit.directory == Path("/var/lib/sii-cds")
    assert settings.state.url == "sqlite:////var/state.db"


def test_unreadable_key_file_is_refused(problems: Problems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").touch()
    opened = Path.open

    def denied(self: Path, mode: str = "r") -> IO[Any]:
        # Stands for a file of another user: where tests run as administrator, every real file can be read.
        if self.name == "key":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(self, mode)

    monkeypatch.setattr(Path, "open", denied)
    (line,) = problems(f"{OPEN}audit: {{hmac_key_file: key}}\n")
    assert "2:9: audit.hmac_key_file: the file cannot be read: Permission denied: " in line


def test_origins_name_line_variable_or_default(load: Load, config_file: Path) -> None:
    text = f"{OPEN}clients:\n  - name: a\n    issuer: b\n"
    origins = load(text, {"SII_CDS__SERVER__PORT": "9000"}).origins
    assert origins["authentication.required"] == f"{config_file}:1"
    assert origins["clients.0.issuer"] == f"{config_file}:4"
    assert origins["clients.0.mode"] == "default"
    assert origins["server.port"] == "environment SII_CDS__SERVER__PORT"
    assert origins["server.host"] == "default"


def test_cutoff_is_exact(load: Load) -> None:
    cutoff = load(f"{OPEN}rule: {{cutoff: 405.0800000000000000000001}}\n").rule.cutoff
    assert cutoff == Decimal("405.0800000000000000000001")


@pytest.mark.parametrize(
    ("one", "other", "same", "reason"),
    [
        ("", "# a comment\n", True, "comments do not count"),
        ("server: {port: 8080}\n", "", True, "a written default is the default"),
        ("rule: {cutoff: 405.080}\n", "", True, "the same number"),
        ("rule: {cutoff: 405.081}\n", "", False, "another number"),
        ("service: {mode: silent}\n", "", False, "another mode"),
        ("clients: [{name: a, issuer: b}]\n", "", False, "one more client"),
    ],
)
def test_hash_stands_for_the_effective_values(load: Load, one: str, other: str, same: bool, reason: str) -> None:
    first, second = load(OPEN + one).hash, load(OPEN + other).hash
    assert (first == second) is same, reason
    assert len(first) == 12
    assert int(first, 16) >= 0


def test_hash_is_the_same_from_file_and_environment(load: Load) -> None:
    by_file = load(f"{OPEN}rule: {{cutoff: 330}}\n").hash
    assert load(OPEN, {"SII_CDS__RULE__CUTOFF": "330"}).hash == by_file


def test_copy_with_other_values_has_another_hash(load: Load) -> None:
    settings = load(OPEN)
    before = settings.hash
    changed = settings.model_copy(update={"rule": settings.rule.model_copy(update={"cutoff": Decimal(1)})})
    assert changed.hash != before


def test_settings_from_dict_is_checked_like_a_file(tmp_path: Path) -> None:
    data = {
        "authentication": {"required": False},
        "rule": {"cutoff": 330.1, "cutoff_source": "demo"},
        "server": {"hook_deadline_seconds": 1.5},
        "audit": {"directory": tmp_path / "a"},
        "clients": [{"name": "a", "issuer": "b", "tenants": ["t"]}],
    }
    settings = settings_from_dict(data, tmp_path)
    assert settings.rule.cutoff == Decimal("330.1")
    assert settings.server.hook_deadline_seconds == 1.5
    assert settings.audit.directory == tmp_path / "a"
    assert settings.clients[0].tenants == ("t",)
    assert settings.origins["rule.cutoff"] == "program"
    assert settings.origins["server.port"] == "default"


def test_settings_from_dict_names_the_program_in_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from_dict({"authentication": {"required": False}, "server": {"port": "1"}}, tmp_path)
    assert str(caught.value) == '(program): server.port: "1" is text; write 1 without quotes'
