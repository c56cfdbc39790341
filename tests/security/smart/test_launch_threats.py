"""Forged launches and callbacks, servers that lie of themselves, foreign ones: what stops each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import fhir_stub_faults as faults
from tests.support.fhir_stub_faults import BROKEN_ANSWERS
from tests.support.smart_site import CALLBACK, CLIENT, LAUNCH, SmartSite, assert_refused, smart_settings, smart_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fhir_stub import Fault
    from tests.support.smart_server import SmartServer


# Login CSRF: a callback that somebody else began.


def test_callback_without_the_cookie_of_its_launch_is_refused(site: SmartSite) -> None:
    callback = site.callback_of(site.launch())
    site.cookies.clear()

    assert_refused(site.get(callback), 403, "no-cookie")
    assert site.server.posted == []


def test_callback_with_the_cookie_of_another_launch_is_refused(site: SmartSite) -> None:
    callback = site.callback_of(site.launch())
    (name,) = site.cookies
    site.cookies = {}
    site.launch()
    (other,) = site.cookies.values()
    site.cookies = {name: other}

    assert_refused(site.get(callback), 403, "no-cookie")


@pytest.mark.parametrize("held", ["", "x", "é" * 43, "a" * 44, "a" * 43, '"; Path=/', "\t"])
def test_callback_with_a_made_up_cookie_is_refused(held: str, site: SmartSite) -> None:
    callback = site.callback_of(site.launch())
    (name,) = site.cookies
    site.cookies = {name: held}

    assert_refused(site.get(callback), 403, "no-cookie")


# Code injection: the code of another launch in this browser's callback.


def test_code_of_another_launch_is_not_exchanged(site: SmartSite) -> None:
    first, second = (site.callback_of(site.launch()) for _ in range(2))
    stolen = parse_qs(urlsplit(first).query)["code"][0]
    state = parse_qs(urlsplit(second).query)["state"][0]

    assert_refused(site.get(CALLBACK, code=stolen, state=state), 502, "token")


# Mix-up of servers: a path for each client, the client in the derivation, RFC 9207.


def test_callback_at_the_address_of_another_client_is_refused(server: SmartServer, tmp_path: Path) -> None:
    entry = smart_settings(server)["clients"][0]
    clients = [entry, entry | {"name": "other", "issuer": "https://other.example"}]
    site = smart_site(tmp_path, server, clients=clients)
    callback = site.callback_of(site.launch()).replace(CLIENT, "other")

    assert_refused(site.get(callback), 403, "no-cookie")


@pytest.mark.parametrize("issuer", ["https://evil.example", "", "http://127.0.0.1:1/auth"])
def test_callback_that_names_another_server_is_refused(issuer: str, site: SmartSite) -> None:
    assert_refused(site.get(site.callback_of(site.launch(), iss=issuer)), 403, "foreign-issuer")
    assert site.server.posted == []


def test_callback_that_names_its_server_is_answered(site: SmartSite) -> None:
    assert site.get(site.callback_of(site.launch(), iss=site.server.root)).status_code == 200


def test_callback_without_iss_is_refused_where_the_server_says_that_it_sends_it(site: SmartSite) -> None:
    site.server.discovery = {"authorization_response_iss_parameter_supported": True}

    assert_refused(site.open(), 403, "foreign-issuer")


# SSRF and open redirect: the exact FHIR server, checked discovery, no redirects.


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("https://evil.example/fhir", "another server"),
        ("{url}/deeper", "a deeper path"),
        ("{url}//", "two slashes"),
        ("{url}?x=1", "a query"),
        ("{url}#", "a fragment"),
        ("HTTP{tail}", "another spelling"),
    ],
)
def test_launch_from_another_fhir_server_asks_nobody(changed: str, reason: str, site: SmartSite) -> None:
    issuer = changed.format(url=site.server.url, tail=site.server.url.removeprefix("http"))
    site.server.faults = {"discovery": faults.status(500)}

    assert_refused(site.get(LAUNCH, iss=issuer, launch="launch-1"), 403, "unknown-issuer", reason)


def test_launch_from_the_fhir_server_with_a_slash_is_answered(site: SmartSite) -> None:
    assert site.get(LAUNCH, iss=f"{site.server.url}/", launch="launch-1").status_code == 303


LIES: list[tuple[dict[str, Any], str]] = [
    ({"authorization_endpoint": "http://evil.example/authorize"}, "http"),
    ({"authorization_endpoint": "javascript:alert(1)"}, "a script"),
    ({"authorization_endpoint": "https://evil.example/a\r\nX: y"}, "a line of its own"),
    ({"authorization_endpoint": "https://user:pass@evil.example/"}, "a password"),
    ({"authorization_endpoint": "https://as.example/a#fragment"}, "a fragment"),
    ({"authorization_endpoint": None}, "none"),
    ({"authorization_endpoint": ["https://as.example"]}, "a list"),
    ({"token_endpoint": "http://evil.example/token"}, "http"),
    ({"token_endpoint": "file:///etc/passwd"}, "a file"),
    ({"token_endpoint": "//evil.example/token"}, "no scheme"),
    ({"token_endpoint": 7}, "a number"),
    ({"jwks_uri": "http://evil.example/keys"}, "http"),
    ({"issuer": {"a": 1}}, "an object"),
    ({"issuer": "http://evil.example"}, "an issuer over http"),
]


@pytest.mark.parametrize(("said", "reason"), LIES)
def test_discovery_that_lies_leads_nowhere(said: dict[str, Any], reason: str, site: SmartSite) -> None:
    site.server.discovery = said

    assert_refused(site.launch(), 502, "discovery", reason)


@pytest.mark.parametrize(("fault", "reason"), BROKEN_ANSWERS)
def test_broken_discovery_is_no_launch_and_is_not_remembered(fault: Fault, reason: str, site: SmartSite) -> None:
    site.server.faults = {"discovery": fault}
    assert_refused(site.launch(), 502, "discovery", reason)

    site.server.faults = {}
    assert site.open().status_code == 200, reason


# Denied, and failed.


@pytest.mark.parametrize(
    ("error", "status", "named"),
    [
        ("access_denied", 403, "denied"),
        ("invalid_scope", 403, "denied"),
        ("<script>", 403, "denied"),
        ("server_error", 502, "authorization-failed"),
        ("temporarily_unavailable", 502, "authorization-failed"),
    ],
)
def test_error_of_the_authorization_server_is_told(error: str, status: int, named: str, site: SmartSite) -> None:
    state = parse_qs(urlsplit(site.callback_of(site.launch())).query)["state"][0]

    answer = site.get(CALLBACK, error=error, state=state, error_description="Marker")

    assert_refused(answer, status, named)
    assert "<script>" not in answer.text


MALFORMED: list[tuple[str, str]] = [
    (LAUNCH, "nothing"),
    (f"{LAUNCH}?launch=x", "no iss"),
    (f"{LAUNCH}?iss=x", "no launch"),
    (f"{LAUNCH}?iss=&launch=x", "an empty iss"),
    (f"{LAUNCH}?iss=a&iss=a&launch=x", "iss twice"),
    (f"{LAUNCH}?iss=a&launch=x&launch=y", "launch twice"),
    (f"{LAUNCH}?iss=a&launch={'x' * 2049}", "too long"),
    (f"{LAUNCH}?iss=a&launch=x%0d%0aSet-Cookie:%20a=b", "control characters"),
    (f"{LAUNCH}?iss=a&launch=%00", "a zero"),
    (CALLBACK, "nothing"),
    (f"{CALLBACK}?code=x", "no state"),
    (f"{CALLBACK}?state=x", "neither code nor error"),
    (f"{CALLBACK}?state=x&code=y&error=z", "code and error"),
    (f"{CALLBACK}?state=x&state=x&code=y", "state twice"),
    (f"{CALLBACK}?state=x&code={'y' * 2049}", "too long"),
    (f"{CALLBACK}?state=x&code=y&iss=a&iss=b", "iss twice"),
]


@pytest.mark.parametrize(("path", "reason"), MALFORMED)
def test_malformed_parameters_are_refused(path: str, reason: str, site: SmartSite) -> None:
    answer = site.get(path)

    assert_refused(answer, 400, "malformed-launch", reason)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/smart/nobody/launch", "/smart/nobody/callback", "/smart/x", "/smart/a/b/launch"])
def test_app_of_nobody_is_not_found(path: str, site: SmartSite) -> None:
    answer = site.get(path, iss="x", launch="y")

    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_silent_client_has_no_app_and_no_link(server: SmartServer, tmp_path: Path) -> None:
    site = smart_site(tmp_path, server, client={"mode": "silent"})

    assert_refused(site.launch(), 404, "no-trend-app")
    assert site.get(f"/smart/{CLIENT}/jwks.json").status_code == 404
