"""The wiring: a configuration becomes an application that answers, checks and logs."""

import json
from pathlib import Path

import pytest
from werkzeug.test import Client

from cds_service.app import create_app, serve_site
from cds_service.errors import ConfigurationError
from cds_service.server.in_force import InForce
from cds_service.settings import Settings, settings_from_dict
from tests.security import forge
from tests.support.charts import hook_request as full_request
from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, NOW, FakeAuthenticator, FakeService, hook_request
from tests.unit.web.outcomes import refused_with

SERVICE = "/cds-services/sii-recurrence-risk"


def site(base: Path, **sections: object) -> Settings:
    return settings_from_dict({"authentication": {"required": False}} | sections, base)


def test_app_with_stand_ins_uses_them(tmp_path: Path) -> None:
    service, authenticator = FakeService(), FakeAuthenticator()
    app = create_app(
        site(tmp_path),
        services={"example": service},
        authenticator=authenticator,
        now=lambda: NOW,
        new_uuid=lambda: "1",
    )

    response = app.test_client().post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    assert response.status_code == 200
    assert response.headers["X-Request-Id"] == "1"
    assert authenticator.endpoint_urls == [f"https://cds.hospital.example{HOOK_PATH}"]
    assert service.calls[0]["now"] == NOW


def test_app_limits_come_from_the_settings(tmp_path: Path) -> None:
    settings = site(tmp_path, server={"max_request_bytes": 2000}, cors={"origins": ["https://ehr.example"]})
    client = create_app(settings).test_client()

    large = client.post(SERVICE, data=b" " * 2001, content_type="application/json")
    known = client.get("/livez", headers={"Origin": "https://ehr.example"})

    refused_with(large, 413)
    assert known.headers["Access-Control-Allow-Origin"] == "https://ehr.example"


def test_app_ready_writes_audit_and_state(tmp_path: Path) -> None:
    client = create_app(site(tmp_path)).test_client()

    assert client.get("/readyz").status_code == 200
    assert (tmp_path / "audit").is_dir()
    assert (tmp_path / "state.db").is_file()


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"audit": {"directory": "taken/audit"}}, "audit"),
        ({"state": {"url": "sqlite:///taken/state.db"}}, "state"),
    ],
)
def test_app_not_ready_when_it_cannot_write(tmp_path: Path, sections: dict[str, object], named: str) -> None:
    # A file where a directory is needed: permission bits would not stop a privileged user.
    (tmp_path / "taken").write_text("")
    client = create_app(site(tmp_path, **sections)).test_client()

    outcome = refused_with(client.get("/readyz"), 503)

    assert outcome["issue"][0]["diagnostics"].startswith(f"The service is not ready: {named}.")
    assert client.get("/livez").status_code == 200
    assert client.get("/cds-services").status_code == 200


def test_hook_without_audit_is_refused_or_answered_as_the_site_chose(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    answers = {
        choice: create_app(site(tmp_path, audit={"directory": "taken/audit", "on_failure": choice}))
        .test_client()
        .post(SERVICE, json=full_request())
        for choice in ("refuse", "continue")
    }

    refused_with(answers["refuse"], 503)
    assert answers["continue"].status_code == 200


def test_served_application_takes_another_configuration_and_keeps_its_own_when_that_is_refused(tmp_path: Path) -> None:
    served = serve_site(InForce(site(tmp_path, service={"mode": "silent"})))
    client = Client(served.wsgi)
    assert client.post(SERVICE, json=full_request()).get_json() == {"cards": []}

    served.apply(InForce(site(tmp_path)))
    assert client.post(SERVICE, json=full_request()).get_json()["cards"]

    keys = tmp_path / "jwks.json"
    keys.write_text("{}")
    entry = {"name": "ehr", "issuer": "https://ehr.example", "algorithms": ["ES384"], "jwks_file": str(keys)}
    with pytest.raises(ConfigurationError):
        served.apply(InForce(site(tmp_path, authentication={"required": True}, clients=[entry])))
    assert client.post(SERVICE, json=full_request()).get_json()["cards"]


def test_served_application_has_the_files_that_it_is_given_whatever_lies_on_the_disk(tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [forge.jwk(forge.ec_key(), forge.EC_KID)]}))
    entry = {"name": "ehr", "issuer": "https://ehr.example", "algorithms": ["ES384"], "jwks_file": str(keys)}
    settings = site(tmp_path, authentication={"required": True}, clients=[entry])
    contents = {keys: keys.read_bytes()}
    keys.write_text("half a fi")

    served = serve_site(InForce(settings, contents))

    assert Client(served.wsgi).get("/readyz").status_code == 200
