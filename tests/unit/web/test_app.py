"""The wiring: a configuration becomes an application that answers, checks and logs."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.app import create_app, create_app_from_environment
from cds_service.errors import ConfigurationError
from cds_service.settings import Settings, settings_from_dict
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


@pytest.fixture
def own_log() -> Iterator[None]:
    """Put the configuration of the log back afterwards."""
    root, own = logging.getLogger(), logging.getLogger("cds_service")
    handlers, levels = root.handlers[:], (root.level, own.level)
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])


@pytest.mark.usefixtures("own_log")
def test_app_from_environment_logs_json_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sii-cds.yaml"
    file.write_text("authentication: {required: false}\n")
    monkeypatch.setenv("SII_CDS_CONFIG", str(file))
    monkeypatch.setenv("SII_CDS__SERVICE__MODE", "silent")

    response = create_app_from_environment().test_client().post(SERVICE, json=full_request())

    assert response.get_json() == {"cards": []}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line.items() >= {"route": SERVICE, "status": 200, "client": "anonymous"}.items()


@pytest.mark.parametrize("text", ["authentication: {required: true}\n", "servce: {}\n", "["])
@pytest.mark.usefixtures("own_log")
def test_app_from_unusable_configuration_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    file = tmp_path / "sii-cds.yaml"
    file.write_text(text)
    monkeypatch.setenv("SII_CDS_CONFIG", str(file))

    with pytest.raises(ConfigurationError):
        create_app_from_environment()
