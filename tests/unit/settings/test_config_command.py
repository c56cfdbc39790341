"""sii-cds config: what it prints, where, and its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from cds_service.cli.config import config_group
from cds_service.cli.main import main
from cds_service.cli.no_configuration import CONFIG_VARIABLE
from cds_service.cli.options import config_option, load_or_exit
from cds_service.settings.models import Settings
from tests.security.forge import ec_key, jwk, key_set

if TYPE_CHECKING:
    from pathlib import Path

OPEN = "authentication: {required: false}\nservice: {public_url: 'http://127.0.0.1:8080'}\n"


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    """Call `sii-cds config` with the given arguments."""
    return CliRunner().invoke(config_group, [*arguments], env={CONFIG_VARIABLE: None, **(env or {})})


@pytest.fixture
def good(tmp_path: Path) -> str:
    """Write a file that is fine but for one warning."""
    path = tmp_path / "good.yaml"
    path.write_text(OPEN)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    """Write a file with two problems."""
    path = tmp_path / "bad.yaml"
    path.write_text(f"{OPEN}server: {{port: x, prot: 1}}\n")
    return str(path)


def test_check_of_a_good_file_prints_hash_and_restart_keys(good: str) -> None:
    result = run("check", good)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{good}: configuration ")
    assert "is fine, with 1 warning." in result.stdout
    assert "need a restart: server.host, server.port" in result.stdout
    assert result.stderr.startswith(f"warning: {good}:1:18: authentication.required: false lets")


def test_check_of_a_key_file_with_two_keys_under_one_id_warns_and_is_fine(tmp_path: Path) -> None:
    keys = key_set(jwk(ec_key(), "k1"), jwk(ec_key("twin"), "k1"), jwk(ec_key(), "k2"), {"kid": "k3", "kty": "oct"})
    (tmp_path / "keys.json").write_bytes(keys)
    file = tmp_path / "site.yaml"
    file.write_text("clients: [{name: a, issuer: 'https://a.example', jwks_file: keys.json}]\n")

    result = run("check", str(file))

    assert result.exit_code == 0
    assert 'warning: clients: "a": jwks_file: different keys have one kid ("k1"): a token is tried' in result.stderr
    assert 'warning: clients: "a": jwks_file: keys left out: 1 (key type)' in result.stderr


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ("audit: {hmac_key_file: other}", "the audit key needs at least 16 bytes, it has 1"),
        ("acquisition: {ca_file: other}", "acquisition.ca_file: {other} holds no usable certificates (PEM)"),
        ("state: {url: 'postgresql+foo://h/d'}", "state.url: no driver for this database"),
        (
            "authentication: {required: true}\nclients: [{name: a, issuer: 'https://a.example', jwks_file: other}]",
            "clients.0.jwks_file: {other}: not JSON",
        ),
    ],
)
@pytest.mark.parametrize("command", [["config", "check"], ["serve", "--config"]])
def test_file_that_is_there_and_holds_something_else_is_found_before_the_start(
    section: str, sentence: str, command: list[str], tmp_path: Path
) -> None:
    other, file = tmp_path / "other", tmp_path / "site.yaml"
    other.write_text("x")
    start = "" if section.startswith("authentication") else "authentication: {required: false}\n"
    file.write_text(f"service: {{public_url: 'http://127.0.0.1:8080'}}\n{start}{section}\n")

    result = CliRunner().invoke(main, [*command, str(file)], env={CONFIG_VARIABLE: None})

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"{file}: ")
    assert sentence.format(other=other) in result.stderr
    assert "is fine" not in result.stdout


def test_check_list_with_a_wrong_entry_is_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(f"{OPEN}normalization: {{accept_statuses: [preliminary]}}\n")

    result = run("check", str(file))

    (problem, *_excerpt) = result.stderr.splitlines()
    assert "accept_statuses.0" in problem
    assert result.stderr.count(str(file)) == 1


def test_check_of_a_bad_file_prints_every_problem_to_stderr(bad: str) -> None:
    result = run("check", bad)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f'{bad}:3:10: server.port: "x" is not a whole number',
        "  3 | server: {port: x, prot: 1}",
        "    |          ^",
        f'{bad}:3:19: server.prot: unknown key (did you mean "port"?)',
        "  3 | server: {port: x, prot: 1}",
        "    |                   ^",
    ]


@pytest.mark.parametrize("command", ["check", "show"])
def test_unreadable_file_is_a_sentence_and_exit_code_2(command: str, tmp_path: Path) -> None:
    result = run(command, "--config", str(tmp_path / "absent.yaml"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{tmp_path}/absent.yaml: cannot be read: no such file\n")


def test_check_takes_the_file_of_the_option(bad: str) -> None:
    assert run("check", "--config", bad).exit_code == 1


def test_check_takes_the_file_of_the_variable(bad: str) -> None:
    assert run("check", env={CONFIG_VARIABLE: bad}).exit_code == 1


def test_check_prefers_the_argument_to_the_variable(good: str, bad: str) -> None:
    assert run("check", good, env={CONFIG_VARIABLE: bad}).exit_code == 0


def test_check_reads_the_environment(good: str) -> None:
    result = run("check", good, env={"SII_CDS__SERVER__PORT": "x"})
    assert result.exit_code == 1
    assert result.stderr.startswith("SII_CDS__SERVER__PORT: server.port: ")


def test_check_without_any_file_checks_defaults_and_environment() -> None:
    assert run("check").exit_code == 2
    result = run("check", env={"SII_CDS__AUTHENTICATION__REQUIRED": "false"})
    assert result.stdout.startswith("defaults and environment: configuration ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("check", "a.yaml", "--config", "b.yaml"), "two files"),
        (("check", "--confg", "a.yaml"), "unknown option"),
        (("chek",), "unknown command"),
        (("show", "extra"), "unknown argument"),
    ],
)
def test_wrong_usage_gives_2(arguments: tuple[str, ...], reason: str) -> None:
    assert run(*arguments).exit_code == 2, reason


def test_defaults_pass_the_check(tmp_path: Path) -> None:
    path = tmp_path / "defaults.yaml"
    path.write_text(run("defaults").stdout)
    assert run("check", str(path)).exit_code == 0


def test_schema_is_that_of_the_models() -> None:
    printed = json.loads(run("schema").stdout)
    assert printed.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
    assert printed == Settings.model_json_schema()


def test_show_prints_value_and_origin_of_every_key(good: str) -> None:
    result = run("show", "--config", good, env={"SII_CDS__RULE__CUTOFF": "405.080"})
    rows = dict(line.split(None, 1) for line in result.stdout.splitlines())
    assert rows["rule.cutoff"].split() == ["405.08", "environment", "SII_CDS__RULE__CUTOFF"]
    assert rows["authentication.required"].split() == ["false", f"{good}:1"]
    assert rows["timing.max_age_days"].split() == ["90", "default"]
    assert rows["clients"].split() == ["[]", "default"]


def test_show_as_json_is_complete(good: str) -> None:
    shown = json.loads(run("show", "--json", "--config", good).stdout)
    assert shown["values"]["rule.cutoff"] == {"value": "405.08", "origin": "default"}
    assert shown["values"]["service.public_url"]["origin"] == f"{good}:2"
    assert len(shown["hash"]) == 12
    assert len(shown["warnings"]) == 1


def test_show_never_prints_the_content_of_a_secret_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("marker-of-the-key")
    path = tmp_path / "c.yaml"
    path.write_text(f"{OPEN}audit: {{hmac_key_file: key}}\n")
    result = run("show", "--config", str(path))
    assert str(tmp_path / "key") in result.stdout
    assert "marker-of-the-key" not in result.output


@pytest.mark.parametrize(
    "line",
    ["state: {url: 'postgresql://u:marker@h/db'}", "acquisition: {proxy: 'http://u:marker@h'}", "audit: {key: marker}"],
)
def test_refused_secret_is_not_repeated(tmp_path: Path, line: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"{OPEN}{line}\n")
    result = run("show", "--config", str(path))
    assert result.exit_code == 1
    assert "marker" not in result.output


def test_config_option_serves_any_command(good: str) -> None:
    @click.command()
    @config_option
    def port(config_file: Path | None) -> None:
        click.echo(load_or_exit(config_file, {"SII_CDS__SERVER__PORT": "9"}).server.port)

    assert CliRunner().invoke(port, ["--config", good]).stdout == "9\n"
    assert CliRunner().invoke(port, [], env={CONFIG_VARIABLE: good}).stdout == "9\n"
