"""sii-cds client test --smart: what it checks at an authorization server, and the sheet that it prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.support import fhir_stub_faults as faults
from tests.support.smart_server import running_smart_server
from tests.support.smart_site import PUBLIC_URL, smart_settings, with_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from tests.support.smart_server import SmartServer


@pytest.fixture
def server() -> Iterator[SmartServer]:
    with running_smart_server() as server:
        yield server


def run(folder: Path, settings: object, *command: str) -> Result:
    (folder / "sii-cds.yaml").write_text(json.dumps(settings))
    return CliRunner().invoke(main, [*command, "--config", str(folder / "sii-cds.yaml")])


def test_client_test_smart_prints_the_sheet_for_registration(server: SmartServer, tmp_path: Path) -> None:
    settings = smart_settings(server, with_key(tmp_path, server))

    result = run(tmp_path, settings, "client", "test", "--smart")

    assert result.exit_code == 0, result.output
    for text in (
        f"{PUBLIC_URL}/smart/main-ehr/launch",
        f"{PUBLIC_URL}/smart/main-ehr/callback",
        f"{PUBLIC_URL}/smart/main-ehr/jwks.json",
        "private_key_jwt",
        "app-1 (ES384)",
        "launch openid fhirUser patient/Patient.rs",
        f"id_tokens must come from {server.root}",
        "ok    the keys of id_tokens can be read",
    ):
        assert text in result.output


@pytest.mark.parametrize(
    ("place", "named"), [("discovery", ".well-known/smart-configuration"), ("keys", "the keys of id_tokens")]
)
def test_client_test_smart_names_what_does_not_work(
    place: str, named: str, server: SmartServer, tmp_path: Path
) -> None:
    server.faults = {place: faults.status(500)}

    result = run(tmp_path, smart_settings(server), "client", "test", "--smart")

    assert result.exit_code == 1
    assert f"{named}" in result.output
    assert "FAIL" in result.output


def test_client_test_smart_says_which_issuer_id_tokens_must_have(server: SmartServer, tmp_path: Path) -> None:
    settings = smart_settings(server, {"id_token_issuer": "https://ehr.example/oauth2"})

    result = run(tmp_path, settings, "client", "test", "--smart")

    assert "id_tokens must come from https://ehr.example/oauth2" in result.output
    assert f"note  discovery names another issuer, {server.root}" in result.output


def test_client_test_smart_without_an_app_is_a_usage_error(server: SmartServer, tmp_path: Path) -> None:
    assert run(tmp_path, smart_settings(server, client={"smart_app": None}), "client", "test", "--smart").exit_code == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("x", "holds what is no RSA or EC key"), ('{"keys": []}', "holds no private RSA or EC key"), ("{", "is no JSON")],
)
def test_config_check_names_a_key_that_cannot_sign(
    content: str, sentence: str, server: SmartServer, tmp_path: Path
) -> None:
    settings = smart_settings(server, with_key(tmp_path, server))
    (tmp_path / "app-key.json").write_text(content)

    result = run(tmp_path, settings, "config", "check")

    assert result.exit_code == 1
    assert "clients.0.smart_app.private_key_file" in result.output
    assert sentence in result.output


def test_config_check_says_that_others_can_read_the_key(server: SmartServer, tmp_path: Path) -> None:
    settings = smart_settings(server, with_key(tmp_path, server))
    (tmp_path / "app-key.json").chmod(0o644)

    result = run(tmp_path, settings, "config", "check")

    assert result.exit_code == 0, result.output
    assert "clients.0.smart_app.private_key_file" in result.output
    assert "make it 0600" in result.output
