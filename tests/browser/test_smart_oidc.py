"""Launches in Chromium through an authorization server that others wrote, in a window and in a frame of another site.

The EHR stands at 127.0.0.1 and the service at localhost: to a browser these are two sites.
"""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from joserfc.jwk import ECKey
from playwright.sync_api import expect

from cds_service.demo.client import hook_request
from cds_service.demo.patients import build_stories
from tests.support.oidc import OIDCServer, running_oidc
from tests.support.serve_command import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.support.charts import Json

STORIES = {story.id: story for story in build_stories(datetime.now(UTC).date())}
HIGH, LOW = STORIES["demo-high-after-ablation"], STORIES["demo-low-after-tace"]


class Site(NamedTuple):
    """The EHR, and where its app is launched."""

    ehr: OIDCServer
    launch_url: str
    folder: Path

    def launch(self, launch: str) -> str:
        return f"{self.launch_url}?{urlencode({'iss': self.ehr.fhir, 'launch': launch})}"


@pytest.fixture(scope="module", params=["none", "private_key_jwt"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("smart-oidc")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    public_url = f"http://localhost:{port}"
    app = f"{public_url}/smart/main-ehr"
    client: Json = {
        "client_id": "sii-trend",
        "redirect_uris": [f"{app}/callback"],
        "token_endpoint_auth_method": request.param,
    }
    entry: Json = {"client_id": "sii-trend", "authentication": request.param}
    if request.param == "private_key_jwt":
        key = ECKey.generate_key("P-384", {"kid": "app-1", "use": "sig", "alg": "ES384"})
        (folder / "app-key.json").write_text(json.dumps(key.as_dict(private=True)))
        entry["private_key_file"] = "app-key.json"
        client |= {"jwks_uri": f"{app}/jwks.json", "token_endpoint_auth_signing_alg": "ES384"}
    launches = {"high": {"patient": HIGH.id, "appContext": "no-card"}, "low": {"patient": LOW.id}}
    charts = {story.id: hook_request(story, "x")["prefetch"] for story in (HIGH, LOW)}
    with running_oidc(client, launches, charts, f"{app}/launch") as ehr:
        entry["frame_ancestors"] = [ehr.url]
        settings: Json = {
            "service": {"public_url": public_url},
            "server": {"host": "127.0.0.1", "port": port, "workers": 2},
            "authentication": {"required": False},
            "clients": [
                {
                    "name": "main-ehr",
                    "issuer": ehr.url,
                    "jwks_url": f"{ehr.url}/jwks",
                    "fhir_servers": [ehr.fhir],
                    "smart_app": entry,
                }
            ],
        }
        with serving(folder, json.dumps(settings)):
            yield Site(ehr, f"{app}/launch", folder)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        yield context


def name_on(page: Page) -> str:
    return page.locator(".banner strong").inner_text()


def test_launch_in_a_window_shows_the_patient_of_the_launch(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.goto(site.launch("high"))

    expect(page.locator("section.verdict code").first).to_have_text("above-cutoff")
    expect(page.locator("main")).to_contain_text("Practitioner/dr-oidc")
    assert name_on(page) == "Ines Demo-Almeida"


def test_two_charts_at_a_time_in_one_browser_show_their_own_patients_in_order(
    context: BrowserContext, site: Site
) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto(site.launch("high"))
    second.goto(site.launch("low"))

    assert (name_on(first), name_on(second)) == ("Ines Demo-Almeida", "Otto Demo-Brandt")


def test_launch_in_a_frame_of_another_site_shows_the_patient(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.goto(f"{site.ehr.url}/chart?launch=high")

    frame = page.frame_locator("iframe")
    expect(frame.locator(".banner strong")).to_have_text("Ines Demo-Almeida")
    assert {cookie["name"][:15] for cookie in context.cookies("http://localhost")} <= {"__Host-sii-cds-"}


def test_code_is_of_no_use_a_second_time(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.goto(site.launch("high"))
    callback = page.url

    answer = page.goto(callback)

    assert answer is not None
    assert answer.status == 410
    assert page.locator("text=Almeida").count() == 0


def test_callback_in_another_browser_is_refused(browser: Browser, context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.goto(site.launch("low"))
    with browser.new_context() as other:
        answer = other.new_page().goto(page.url)

    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize("width", [320, 450, 1366])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_scrolls_nowhere_sideways_and_keeps_its_patient_in_sight(
    browser: Browser, site: Site, width: int, scheme: str
) -> None:
    with browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(site.launch("low"))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.mouse.wheel(0, 5000)
        page.wait_for_timeout(200)
        assert page.evaluate("scrollY > 500")
        box = page.locator(".banner").bounding_box()
        assert box is not None
        assert box["y"] == 0
        sizes = page.evaluate(
            "[...document.querySelectorAll('svg text')].map(t => parseFloat(getComputedStyle(t).fontSize))"
        )
        assert min(sizes) >= 11


def test_texts_of_the_picture_stand_out_from_their_ground(browser: Browser, site: Site) -> None:
    """Axe does not look into SVG: the contrast of WCAG 2.2 (4.5 to 1) is computed here, on page and windows."""
    for scheme in ("light", "dark"):
        with browser.new_context(color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(site.launch("low"))
            fills = page.evaluate(
                "[...new Set([...document.querySelectorAll('svg text')].map(t => getComputedStyle(t).fill))]"
            )
            grounds = page.evaluate(
                "[getComputedStyle(document.querySelector('section:not(.verdict)')).backgroundColor]"
            )
            assert fills
            for fill in fills:
                for ground in grounds:
                    assert contrast(rgb(fill), rgb(ground)) >= 4.5, (scheme, fill, ground)


def rgb(text: str) -> tuple[float, float, float]:
    red, green, blue = (float(part) for part in text.partition("(")[2].rstrip(")").split(",")[:3])
    return red, green, blue


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """The contrast ratio of WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: tuple[float, float, float]) -> float:
    parts = [part / 255 for part in color]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("launch", ["high", "low"])
def test_axe_finds_nothing_on_the_page(browser: Browser, site: Site, launch: str) -> None:
    # Axe is put into the page, which else runs nothing but its own two lines.
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        page.goto(site.launch(launch))
        found = Axe().run(page)

    assert [violation["id"] for violation in found.response["violations"]] == []
