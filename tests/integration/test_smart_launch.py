"""A launch from the chart to the page, and what each of its steps says and leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from cds_service.app import SERVICES
from cds_service.audit.reading import read_entries
from cds_service.decision.site import sites_from_settings
from cds_service.insight.sources.replay import Recomputed, replay
from cds_service.settings import settings_from_dict
from tests.support.charts import (
    PATIENT_ID,
    PLATELETS,
    bundle,
    days_ago,
    draw,
    hook_request,
    observation,
    patient,
    prefetch,
    procedure,
)
from tests.support.smart_server import CLIENT_ID, USER, running_smart_server
from tests.support.smart_site import PUBLIC_URL, SmartSite, smart_settings, smart_site, with_key, with_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.smart_server import SmartServer

NAMED = patient(
    name=[{"use": "official", "family": "Zhang", "given": ["Wei"]}],
    identifier=[{"type": {"coding": [{"code": "MR"}]}, "value": "MRN-0815"}],
)


@pytest.fixture
def server() -> Iterator[SmartServer]:
    with running_smart_server(**{PATIENT_ID: prefetch(patient=NAMED)}) as server:
        yield server


@pytest.fixture
def site(server: SmartServer, tmp_path: Path) -> SmartSite:
    return smart_site(tmp_path, server)


def test_launch_sends_the_browser_to_the_authorization_server_with_everything_it_needs(site: SmartSite) -> None:
    departure = site.launch()

    asked = parse_qs(urlsplit(departure.headers["Location"]).query, strict_parsing=True)
    assert departure.status_code == 303
    assert departure.text == ""
    assert departure.headers["Cache-Control"] == "no-store"
    assert departure.headers["Referrer-Policy"] == "no-referrer"
    assert asked["redirect_uri"] == [f"{PUBLIC_URL}/smart/main-ehr/callback"]
    assert asked["aud"] == [site.server.url]
    assert asked["client_id"] == [CLIENT_ID]
    assert asked["scope"] == [
        "launch openid fhirUser patient/Patient.rs patient/Observation.rs patient/Condition.rs patient/Procedure.rs"
    ]
    assert len(asked["state"][0]) == 43
    assert len({asked[name][0] for name in ("state", "nonce", "code_challenge")}) == 3


def test_launch_cookie_is_of_this_launch_alone(site: SmartSite) -> None:
    first, second = (site.launch().headers["Set-Cookie"] for _ in range(2))

    name, *attributes = first.split("; ")
    assert name.startswith("__Host-")
    assert set(attributes) == {"Path=/", "Max-Age=600", "Secure", "HttpOnly", "SameSite=None", "Partitioned"}
    assert first.partition("=")[0] != second.partition("=")[0]
    assert len(name.partition("=")[2]) == 43


def test_callback_shows_the_patient_and_what_the_hook_would_say(site: SmartSite) -> None:
    page = site.open()

    assert page.status_code == 200, page.text
    for text in ("Wei Zhang", "1958-03-04", "MRN-0815", "SII 712", "above-cutoff", USER):
        assert text in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Frame-Options" not in page.headers
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert len(page.data) < 200_000


@pytest.mark.parametrize("proved_by", [with_key, with_secret])
def test_callback_proves_which_app_asks(proved_by: object, server: SmartServer, tmp_path: Path) -> None:
    assert callable(proved_by)
    site = smart_site(tmp_path, server, proved_by(tmp_path, server))

    assert site.open().status_code == 200
    (fields, authorization) = server.posted[0]
    assert "client_secret" not in fields
    assert ("client_assertion" in fields) != (authorization is not None)


def test_page_is_recorded_before_it_leaves(site: SmartSite) -> None:
    site.open()

    (record,) = site.records()
    assert record["patient"] == PATIENT_ID
    assert record["user"] == USER
    assert record["client"] == "main-ehr"
    assert record["outcome"] == "above-cutoff"
    assert record["shown"] is True
    assert "hook_instance" not in record
    assert "card" not in record


def test_card_of_a_hook_leads_to_the_app_and_is_known_there(site: SmartSite) -> None:
    answer = site.app.test_client().post("/cds-services/sii-recurrence-risk", json=hook_request()).get_json()
    (card,) = answer["cards"]
    link = card["links"][-1]
    site.server.launches["from-card"] = (PATIENT_ID, link["appContext"])

    page = site.open("from-card")

    assert link["type"] == "smart"
    assert link["url"] == f"{PUBLIC_URL}/smart/main-ehr/launch"
    assert link["appContext"] == card["uuid"]
    assert page.status_code == 200
    assert site.records()[0]["card"] == card["uuid"]


@pytest.mark.parametrize(
    ("card", "reason"),
    [("11111111-2222-4333-8444-555555555555", "no card of this log"), ("x" * 5000, "no card at all")],
)
def test_app_context_that_names_no_card_of_this_patient_is_ignored(card: str, reason: str, site: SmartSite) -> None:
    site.server.launches["launch-1"] = (PATIENT_ID, card)

    assert site.open().status_code == 200, reason
    assert "card" not in site.records()[0], reason


def test_page_of_a_long_chart_stays_small_and_says_so(site: SmartSite) -> None:
    results = [result for day in range(29, 1029) for result in draw(when=days_ago(day), note=[{"text": "x" * 500}])]
    loose = [observation(PLATELETS, 200, "10*9/L " * 20, when=days_ago(2000 + n)) for n in range(500)]
    procedures = [procedure(when=days_ago(1100 + n)[:10]) for n in range(300)]
    site.server.charts[PATIENT_ID] = prefetch(
        *results, *loose, patient=NAMED, procedures=bundle(procedure(), *procedures)
    )

    page = site.open()

    assert page.status_code == 200
    assert len(page.data) < 200_000
    assert "The newest 40 of " in page.text


def test_view_is_recomputed_by_replay(site: SmartSite) -> None:
    site.open()

    settings = settings_from_dict(smart_settings(site.server), site.folder)
    (replayed,) = replay(read_entries(site.folder / "audit"), sites_from_settings(settings, SERVICES))
    assert isinstance(replayed, Recomputed)
    assert replayed.now is None


def test_key_set_publishes_public_keys_alone(server: SmartServer, tmp_path: Path) -> None:
    site = smart_site(tmp_path, server, with_key(tmp_path, server))

    answer = site.get("/smart/main-ehr/jwks.json")

    (key,) = answer.get_json()["keys"]
    assert answer.headers["Cache-Control"] == "max-age=300"
    assert (key["kty"], key["kid"], key["alg"]) == ("EC", "app-1", "ES384")
    assert "d" not in key


def test_metrics_count_pages_and_refusals(site: SmartSite) -> None:
    site.open()
    site.get("/smart/main-ehr/callback", state="x", code="y")

    text = site.app.test_client().get("/metrics").text
    assert 'sii_cds_views_total{client="main-ehr",outcome="above-cutoff"} 1.0' in text
    assert 'sii_cds_view_refusals_total{client="main-ehr",reason="no-cookie"} 1.0' in text
    assert PATIENT_ID not in text
