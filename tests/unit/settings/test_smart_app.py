"""What a trend app may be configured to, and which sentence tells what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.settings import SettingsError, load_settings, settings_from_dict

if TYPE_CHECKING:
    from pathlib import Path

APP = {"client_id": "sii-trend", "authentication": "none"}
EHR = {
    "name": "main-ehr",
    "issuer": "https://ehr.example",
    "jwks_url": "https://ehr.example/keys",
    "fhir_servers": ["https://ehr.example/fhir"],
}


def problems(folder: Path, app: Any, **client: Any) -> list[str]:
    try:
        settings_from_dict({"clients": [EHR | {"smart_app": app} | client]}, folder)
    except SettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("app", "client", "key", "sentence", "reason"),
    [
        ({}, {}, "client_id", "this key is required", "nothing agreed"),
        (APP | {"authentication": "secret"}, {}, "authentication", "is not one of", "another way to prove it"),
        (APP | {"authentication": "private_key_jwt"}, {}, "private_key_file", "private_key_jwt needs it", "no key"),
        (APP | {"authentication": "client_secret_basic"}, {}, "client_secret_file", "needs it", "no secret"),
        (APP | {"private_key_file": "key"}, {}, "private_key_file", "leave it out", "a public client needs none"),
        (APP | {"private_key_file": "nowhere"}, {}, "private_key_file", "no such file", "a file that is not there"),
        (APP | {"fhir_server": "https://x.example"}, {}, "fhir_server", "none of the client's", "not listed"),
        (APP, {"fhir_servers": []}, "fhir_server", "none is listed", "nowhere to come from"),
        (APP, {"fhir_servers": ["https://a.example", "https://b.example"]}, "fhir_server", "several", "which one?"),
        (APP | {"frame_ancestors": ["http://ehr.example"]}, {}, "frame_ancestors", "loopback only", "http"),
        (APP | {"frame_ancestors": ["https://ehr.example/x"]}, {}, "frame_ancestors", "not an origin", "a path"),
        (APP | {"frame_ancestors": ["https://*.ehr.example"]}, {}, "frame_ancestors", "no address holds", "any host"),
        (APP | {"scope_syntax": "v3"}, {}, "scope_syntax", "is not one of", "not yet"),
        (APP | {"earlier_decisions_days": -1}, {}, "earlier_decisions_days", "at least 0", "the future"),
        (APP | {"clientid": "x"}, {}, "clientid", 'did you mean "client_id"?', "a typing mistake"),
    ],
)
def test_wrong_trend_app_is_named_with_its_place(
    app: Any, client: Any, key: str, sentence: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("x")
    found = problems(tmp_path, app, **client)

    assert any(f"clients.0.smart_app.{key}" in line and sentence in line for line in found), (reason, found)


@pytest.mark.parametrize("name", ["Main EHR", "a/b", "ä", "..", "%2e"])
def test_client_with_an_app_has_a_name_that_fits_into_an_address(name: str, tmp_path: Path) -> None:
    assert any("clients.0.name" in line for line in problems(tmp_path, APP, name=name))


@pytest.mark.parametrize(
    ("app", "client"),
    [
        (APP, {}),
        (APP | {"frame_ancestors": ["https://ehr.example", "http://127.0.0.1:9000", "http://localhost"]}, {}),
        (APP | {"fhir_server": "https://ehr.example/fhir/"}, {}),
        (APP | {"authentication": "private_key_jwt", "private_key_file": "key"}, {}),
        (None, {"name": "Main EHR"}),
    ],
)
def test_good_trend_app_is_accepted(app: Any, client: Any, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")

    assert problems(tmp_path, app, **client) == []


def test_wrong_key_of_a_trend_app_is_named_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "sii-cds.yaml"
    path.write_text(
        "clients:\n  - name: a\n    issuer: x\n    jwks_url: https://a.example\n    smart_app:\n      clientid: x\n"
    )

    with pytest.raises(SettingsError) as error:
        load_settings(path, {})

    assert f"{path}:6:7: clients.0.smart_app.clientid: unknown key" in str(error.value)


def test_silent_client_with_an_app_is_warned_about(tmp_path: Path) -> None:
    settings = settings_from_dict({"clients": [EHR | {"smart_app": APP, "mode": "silent"}]}, tmp_path)

    assert any("its trend app is not served" in warning for warning in settings.warnings)


def test_files_of_a_trend_app_are_read_again_on_reload(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    app = APP | {"authentication": "private_key_jwt", "private_key_file": "key"}
    settings = settings_from_dict({"clients": [EHR | {"smart_app": app}]}, tmp_path)

    assert tmp_path / "key" in settings.files
    assert settings.hash != settings_from_dict({"clients": [EHR]}, tmp_path).hash
