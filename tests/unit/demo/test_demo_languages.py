"""The demonstration in each language: the same patients, another language in all that the pages say."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from flask import Flask, request
from markupsafe import Markup
from werkzeug.test import Client

from cds_service.app import create_app
from cds_service.cards.wording import LANGUAGES, texts_in
from cds_service.clinical.reasons import Reason
from cds_service.demo.app import ROOTS, demo_settings, serve_demo
from cds_service.demo.client import SERVICE_PATH, hook_request
from cds_service.demo.pages import build_demo_blueprint
from cds_service.demo.patients import build_stories
from cds_service.demo.wording import PageTexts, page_texts_in
from cds_service.server.in_force import InForce
from cds_service.web.ports import utc_now
from tests.architecture.checkout import ROOT
from tests.unit.demo.conftest import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.demo.conftest import StandIn

TRANSLATED = LANGUAGES[1:]
CHART = "/patients/demo-stale-panel"
MARKUP = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)
TEMPLATES = ROOT / "cds_service" / "demo" / "templates"


def leaves(value: object, place: str = "") -> dict[str, str]:
    """Return every text of a language by its place, but for the stories."""
    if isinstance(value, str):
        return {place: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {
        name: text for key, part in parts if key != "stories" for name, text in leaves(part, f"{place}/{key}").items()
    }


def placeholders(text: str) -> list[str | None]:
    return [name and name.partition(".")[0] for _, name, _, _ in Formatter().parse(text) if name is not None]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The demonstration as its worker serves it, all languages in one."""
    settings = demo_settings(8765, tmp_path_factory.mktemp("demo"))
    return Client(serve_demo(InForce(settings)).wsgi)


def ask(served: Client, root: str) -> dict[str, Any]:
    """Open the chart of a patient with a card, as an EHR does."""
    story = next(one for one in build_stories(utc_now().date()) if one.expected.outcome == "above-cutoff")
    answer = served.post(root + SERVICE_PATH, json=hook_request(story, "7a0c9c0e-3a5e-4a3c-9d55-3f7cf27f5d10"))
    assert answer.status_code == 200
    document: dict[str, Any] = answer.get_json()
    return document


@pytest.mark.parametrize("language", TRANSLATED)
def test_texts_have_the_same_members_and_placeholders_in_each_language(language: str) -> None:
    english, other = (leaves(msgspec.to_builtins(page_texts_in(tag))) for tag in ("en", language))

    assert english.keys() == other.keys()
    day = "/day"
    assert {place: placeholders(text) for place, text in english.items() if place != day} == {
        place: placeholders(text) for place, text in other.items() if place != day
    }
    # Numbers and brackets alone.
    assert {place for place, text in other.items() if text == english[place]} <= {"/reference", "/in_brackets"}


@pytest.mark.parametrize("language", TRANSLATED)
def test_stories_are_told_in_each_language(language: str) -> None:
    texts = page_texts_in(language)

    assert texts.stories.keys() == {story.id for story in build_stories(NOW.date())}
    for story in build_stories(NOW.date()):
        # Figures are the same in each language.
        told = texts.told(story).title + texts.told(story).text
        assert set(re.findall(r"\d+\.\d+", story.title + story.story)) <= set(re.findall(r"\d+\.\d+", told)), story.id


def test_templates_say_nothing_of_their_own() -> None:
    """A text in a template would be English in every language, and a name without a text an empty place."""
    for path in TEMPLATES.rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        bare = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!doctype html>|<[^>]*>", " ", source, flags=re.DOTALL | re.IGNORECASE
        )
        assert set(re.findall(r"[A-Za-z]+", bare)) <= {"SII", "HTTP", "POST", "ms"}, path.name
        assert set(re.findall(r"\btexts\.(\w+)", source)) <= {*PageTexts.__struct_fields__, "told"}, path.name


@pytest.mark.parametrize("language", TRANSLATED)
def test_chart_in_another_language_gives_reasons_in_it_and_leads_to_the_same_chart(
    service: StandIn, language: str
) -> None:
    assessment = {"outcome": "indeterminate", "reasons": ["stale", "brand-new"], "exclusions": {"stale": 2}}
    service.answer({"cards": [], "extension": {"org.sii-cds.assessment": assessment}})
    app = Flask("demo-under-test")
    pages = build_demo_blueprint(
        lambda: service.base_url, lambda: NOW, picture_of=lambda _: Markup(""), language=language, roots=ROOTS
    )
    app.register_blueprint(pages)
    html = app.test_client().get(CHART).text

    assert f'<html lang="{language}">' in html
    assert texts_in(language).reasons[Reason.STALE] in html
    assert page_texts_in(language).unknown_reason.format("brand-new") in html
    assert page_texts_in(language).unreviewed in html
    assert re.findall(r'<a href="([^"]+)" hreflang="([^"]+)" lang="([^"]+)"', html) == [
        (root + CHART, tag, tag) for tag, root in ROOTS.items()
    ]


def test_each_language_has_its_own_cards_links_and_addresses(served: Client) -> None:
    for language, root in ROOTS.items():
        (card,) = ask(served, root)["cards"]
        reasons = {one["display"] for one in card["overrideReasons"]}
        assert reasons <= set(texts_in(language).override_reasons.values())
        assert all(link["url"].startswith(f"http://127.0.0.1:8765{root}/") for link in card["links"])
        page = served.get(f"{root}/", headers={"Host": "127.0.0.1:8765"}).text
        assert f'href="{root}{CHART}"' in page
        model_card = served.get(f"{root}/model-card?language={language}", headers={"Host": "127.0.0.1:8765"})
        assert model_card.headers["Content-Language"] == language


def test_foreign_hosts_are_refused_in_each_language(served: Client) -> None:
    assert [served.get(f"{root}/", headers={"Host": "evil.example"}).status_code for root in ROOTS.values()] == [
        400,
        400,
    ]


def test_applications_of_one_process_count_together(served: Client) -> None:
    def counted() -> float:
        shown = served.get("/metrics", headers={"Host": "127.0.0.1:8765"}).text
        return sum(float(line.split()[-1]) for line in shown.splitlines() if line.startswith("sii_cds_hooks_total{"))

    before = counted()
    for root in ROOTS.values():
        ask(served, root)

    assert counted() - before == len(ROOTS)


def test_application_below_a_path_makes_addresses_below_it(tmp_path: Path) -> None:
    app = create_app(demo_settings(8765, tmp_path))
    with app.test_request_context("/livez", environ_overrides={"SCRIPT_NAME": "/mounted"}):
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        assert adapter.build("metrics") == "/mounted/metrics"
