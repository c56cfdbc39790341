"""Languages: one for the site, one for each client, and consent to texts that no clinician has reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.authorization.from_settings import authenticator_from_settings
from cds_service.settings import SettingsError, settings_from_dict

BASE = Path("/etc/sii-cds")
REQUIRED = {"authentication": {"required": True}}
CHINESE = "zh-Hans"


def site(service: dict[str, Any], *clients: dict[str, Any]) -> dict[str, Any]:
    listed = [{"name": f"ehr-{n}", "issuer": f"https://ehr-{n}.example", **client} for n, client in enumerate(clients)]
    return {"service": service, "authentication": {"required": False}, "clients": listed}


@pytest.mark.parametrize(
    ("service", "clients", "place", "reason"),
    [
        ({"language": CHINESE}, [], "service.language", "shown to everybody"),
        ({"language": CHINESE}, [{}], "service.language", "shown to a client that names no language"),
        ({"language": CHINESE, "mode": "silent"}, [{"mode": "active"}], "service.language", "one client is active"),
        ({}, [{"language": CHINESE}], "clients.0.language", "shown to one client"),
    ],
)
def test_unreviewed_language_that_is_shown_needs_consent(
    service: dict[str, Any], clients: list[dict[str, Any]], place: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match="no clinician has reviewed yet") as refused:
        settings_from_dict(site(service, *clients), BASE)

    assert place in str(refused.value), reason
    assert "service.accept_unreviewed_language: true" in str(refused.value)


@pytest.mark.parametrize(
    ("service", "clients", "reason"),
    [
        ({"language": CHINESE, "mode": "silent"}, [], "silent mode shows nobody anything"),
        ({}, [{"language": CHINESE, "mode": "silent"}], "the client is silent"),
        ({"language": CHINESE, "accept_unreviewed_language": True}, [], "accepted"),
    ],
)
def test_unreviewed_language_is_accepted(service: dict[str, Any], clients: list[dict[str, Any]], reason: str) -> None:
    settings = settings_from_dict(site(service, *clients), BASE)

    assert any("no clinician has reviewed yet" in warning for warning in settings.warnings), reason


def test_reviewed_language_gives_no_warning() -> None:
    assert not [text for text in settings_from_dict(site({}), BASE).warnings if "reviewed" in text]


def test_language_of_the_site_that_no_client_takes_is_shown_to_nobody() -> None:
    data = site({"language": CHINESE}, {"language": "en", "jwks_url": "https://ehr.example/keys"})

    assert not [text for text in settings_from_dict(data | REQUIRED, BASE).warnings if "reviewed" in text]


def test_client_takes_its_language_to_the_cards(tmp_path: Path) -> None:
    keys = {"jwks_url": "https://ehr.example/keys"}
    data = site({"accept_unreviewed_language": True}, {"language": CHINESE, **keys}, keys)
    settings = settings_from_dict(data | REQUIRED | {"state": {"url": f"sqlite:///{tmp_path}/state.db"}}, tmp_path)

    assert settings.languages == {"en", CHINESE}
    assert [trust.rights.language for trust in authenticator_from_settings(settings).clients] == [CHINESE, None]
