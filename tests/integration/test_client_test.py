"""`sii-cds client test` as hospital IT uses it: make keys, enter them, prove the wiring, break it, read the words."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.support.serve_command import serving

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

PUBLIC_URL = "https://cds.hospital.example"
SITE = f"""\
service: {{public_url: {PUBLIC_URL}, timezone: Europe/Zurich}}
server: {{port: 0, workers: 2}}
clients:
  - name: client-test
    issuer: https://client-test.invalid
    jwks_file: client-test/jwks.json
    algorithms: [ES384, RS384]
"""
OPEN = "authentication: {required: false}\n"


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["client", "test", "--config", str(folder / "sii-cds.yaml"), *arguments])


def prepare(folder: Path) -> None:
    """Make the keys; no service runs yet, and no client is entered."""
    (folder / "sii-cds.yaml").write_text(SITE.partition("clients:")[0])
    assert run(folder).exit_code == 1


def test_client_test_before_anything_is_entered_prints_keys_and_entry(tmp_path: Path) -> None:
    (tmp_path / "sii-cds.yaml").write_text(SITE.partition("clients:")[0])

    first, second = run(tmp_path), run(tmp_path)

    private = tmp_path / "client-test" / "private-key.json"
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert first.stdout == second.stdout, "the keys are made once"
    assert '"kty": "EC"' in first.stdout
    assert f'jwks_file: "{tmp_path / "client-test" / "jwks.json"}"' in first.stdout
    assert 'needs at least one client; add an entry under "clients"' in first.stderr
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert '"d"' not in first.stdout, "the private half stays in its file"
    assert '"d"' not in (tmp_path / "client-test" / "jwks.json").read_text()


def test_client_test_printed_entry_is_all_that_is_needed(tmp_path: Path) -> None:
    prepare(tmp_path)
    printed = run(tmp_path).stdout
    entry = printed[printed.index("clients:") : printed.index("\nA running service")]

    with serving(tmp_path, SITE.partition("clients:")[0] + entry) as service:
        result = run(tmp_path, "--url", service.url)

    assert result.exit_code == 0, result.stdout
    assert "FAIL" not in result.stdout
    assert result.stdout.count("ok    ") == 11
    for told in ("a hook with a good token is answered", "the same token once more (replay): refused"):
        assert told in result.stdout


def test_client_test_of_another_algorithm_wants_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "sii-cds.yaml").write_text(SITE.partition("clients:")[0])
    made = run(tmp_path, "--algorithm", "RS384")
    refused = run(tmp_path)

    assert '"kty": "RSA"' in made.stdout
    assert "algorithms: [RS384]" in made.stdout
    assert refused.exit_code == 2
    assert "holds a key for RS384: use it with --algorithm RS384, or name another folder with --keys" in refused.stderr


def test_client_test_key_set_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    prepare(tmp_path)
    key_set = tmp_path / "client-test" / "jwks.json"
    before = key_set.read_text()
    key_set.unlink()

    result = run(tmp_path)

    assert result.exit_code == 1
    assert key_set.read_text() == before
    assert before.strip() in result.stdout


@pytest.mark.parametrize("change", ["alg", "kty", "d", None])
def test_client_test_private_key_that_is_none_of_ours_is_said(change: str | None, tmp_path: Path) -> None:
    prepare(tmp_path)
    file = tmp_path / "client-test" / "private-key.json"
    key = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in key.items() if name != change}) if change else "[]")

    result = run(tmp_path)

    assert result.exit_code == 2
    assert "holds no key of this command" in result.stderr


def test_client_test_configuration_that_does_not_exist_makes_no_keys(tmp_path: Path) -> None:
    result = run(tmp_path / "typo")

    assert result.exit_code == 2
    assert "no such file" in result.stderr
    assert not (tmp_path / "typo").exists()


def test_client_test_finds_what_is_amiss_and_says_what_to_do(tmp_path: Path) -> None:
    """One service, asked through configurations that do not fit it, as after a mistake of somebody's."""
    prepare(tmp_path)
    with serving(tmp_path, SITE) as service:
        (tmp_path / "other").mkdir()
        other = tmp_path / "other" / "sii-cds.yaml"
        other.write_text(
            SITE.replace("cds.hospital.example", "cds2.example").replace("client-test/", "../client-test/")
        )
        elsewhere = run(tmp_path / "other", "--url", service.url, "--keys", str(tmp_path / "client-test"))
        strangers = tmp_path / "stranger"
        unknown_key = run(tmp_path, "--url", service.url, "--keys", str(strangers))
        not_a_service = run(tmp_path, "--url", f"{service.url}/livez")
    not_running = run(tmp_path, "--url", service.url)

    assert (elsewhere.exit_code, unknown_key.exit_code) == (1, 1)
    assert "has another public_url" in " ".join(elsewhere.stdout.split())
    assert "unknown-kid: The key set holds no usable key with this `kid`." in " ".join(unknown_key.stdout.split())
    assert (not_a_service.exit_code, not_running.exit_code) == (1, 1)
    assert "is not this service" in not_a_service.stdout
    assert "nothing listens there" in not_running.stdout


def test_client_test_of_a_service_that_trusts_everybody_fails(tmp_path: Path) -> None:
    prepare(tmp_path)
    with serving(tmp_path, SITE + OPEN) as service:
        result = run(tmp_path, "--url", service.url)

    assert result.exit_code == 1
    assert "FAIL  no token: ANSWERED" in result.stdout
    assert "authentication.required is false" in result.stdout


@pytest.mark.parametrize("url", ["cds.hospital.example", "ftp://cds.example", "http://user:word@cds.example"])
def test_client_test_url_that_is_none_is_a_usage_error(url: str, tmp_path: Path) -> None:
    result = run(tmp_path, "--url", url)

    assert result.exit_code == 2
    assert "--url" in result.stderr
    assert "word@" not in result.stderr
    assert not (tmp_path / "client-test").exists()
