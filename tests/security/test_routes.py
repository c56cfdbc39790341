"""Every route of the whole service declares who may ask it; what is not declared would be found here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from cds_service.web.authentication import ClientView, LaunchView, OpenView, PublicView
from tests.security import forge
from tests.security.conftest import main_key_set

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

PUBLIC = {"/livez", "/readyz", "/metrics", "/model-card", "/openapi.json"}
OPEN = {"/cds-services"}
HOOK = "/cds-services/sii-recurrence-risk"
FOR_BROWSERS = {f"/smart/<client>/{page}" for page in ("launch", "callback", "jwks.json")}
FOR_CLIENTS = {HOOK, f"{HOOK}/feedback"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    (tmp_path / "ehr.json").write_bytes(main_key_set())
    client = {"name": "main-ehr", "issuer": forge.ISSUER, "jwks_file": "ehr.json"}
    sections = {"service": {"public_url": forge.PUBLIC_URL}, "clients": [client]}
    return create_app(settings_from_dict(sections, tmp_path), now=lambda: forge.NOW)


def undeclared(app: Flask) -> list[str]:
    """Give the routes whose view says nothing about who may ask."""
    declared = (PublicView, OpenView, ClientView, LaunchView)
    return [
        rule.rule for rule in app.url_map.iter_rules() if not isinstance(app.view_functions[rule.endpoint], declared)
    ]


def routes(app: Flask, kind: type) -> set[str]:
    return {rule.rule for rule in app.url_map.iter_rules() if isinstance(app.view_functions[rule.endpoint], kind)}


def test_service_routes_all_declare_who_may_ask(app: Flask) -> None:
    assert undeclared(app) == []
    assert (routes(app, PublicView), routes(app, OpenView), routes(app, ClientView)) == (PUBLIC, OPEN, FOR_CLIENTS)
    assert routes(app, LaunchView) == FOR_BROWSERS


def test_route_that_declares_nothing_is_found(app: Flask) -> None:
    app.add_url_rule("/patients", "patients", lambda: "all of them")

    assert undeclared(app) == ["/patients"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", sorted(FOR_CLIENTS))
def test_client_route_without_token_answers_nothing_by_any_method(path: str, method: str, app: Flask) -> None:
    answer = app.test_client().open(path, method=method, json={})

    assert answer.status_code == (401 if method == "POST" else 405)


@pytest.mark.parametrize("path", sorted(PUBLIC | OPEN))
def test_public_route_answers_without_token_and_reads_no_body(path: str, app: Flask) -> None:
    assert app.test_client().get(path).status_code == 200
    assert app.test_client().post(path, json={}).status_code == 405


def test_open_route_refuses_a_bad_token(app: Flask) -> None:
    assert app.test_client().get("/cds-services", headers={"Authorization": "Bearer x"}).status_code == 401
