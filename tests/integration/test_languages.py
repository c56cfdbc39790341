"""Every client is answered in its language; discovery, which knows no client, in that of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.support.charts import NOW, draw, hook_request

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

SERVICE = "/cds-services/sii-recurrence-risk"


def site(folder: Path, language: str) -> FlaskClient:
    sections: dict[str, Any] = {
        "service": {"language": language, "accept_unreviewed_language": True},
        "authentication": {"required": False},
    }
    return create_app(settings_from_dict(sections, folder), now=lambda: NOW).test_client()


@pytest.mark.parametrize(
    ("language", "title", "description"),
    [
        ("en", "SII recurrence risk after interventional therapy of primary liver cancer", "above the cut-off 405.08 "),
        ("zh-Hans", "原发性肝癌介入治疗后的SII复发风险", "高于临界值405.08时"),
    ],
)  # fmt: skip
def test_discovery_speaks_the_language_of_the_site(tmp_path: Path, language: str, title: str, description: str) -> None:
    (entry,) = site(tmp_path, language).get("/cds-services").get_json()["services"]

    assert entry["title"] == title
    assert description in entry["description"]
    assert entry["id"] == "sii-recurrence-risk", "codes stay"


def test_card_and_override_reasons_speak_chinese_and_keep_their_codes(tmp_path: Path) -> None:
    english, chinese = (
        site(tmp_path / language, language).post(SERVICE, json=hook_request(*draw(210, "6.1", "1.8"))).get_json()
        for language in ("en", "zh-Hans")
    )

    (card,) = chinese["cards"]
    assert card["summary"].startswith("SII 712（采血日期")
    assert card["overrideReasons"][0]["display"] == "已在随访计划中考虑"
    codes = [
        [(reason["code"], reason["system"]) for reason in answer["cards"][0]["overrideReasons"]]
        for answer in (english, chinese)
    ]
    assert codes[0] == codes[1]
    assert english["extension"] == chinese["extension"], "data are the same in every language"


@pytest.mark.parametrize(
    ("language", "query", "accepted", "shown", "reason"),
    [
        ("zh-Hans", "", None, "zh-Hans", "the site's language"),
        ("zh-Hans", "", "en-US,en;q=0.9", "en", "the browser asks for English"),
        ("zh-Hans", "", "fr, zh-CN;q=0.5", "zh-Hans", "the first that exists"),
        ("zh-Hans", "", "en;q=0, fr", "zh-Hans", "English is not wanted"),
        ("zh-Hans", "?language=en", "zh-CN", "en", "the address decides"),
        ("zh-Hans", "?language=xx", "en", "en", "an unknown language is as none"),
        ("en", "", "zh-CN", "en", "a site that shows no Chinese offers none"),
        ("en", "?language=zh-Hans", None, "en", "nor by the address"),
    ],
)
def test_model_card_is_in_the_language_that_is_asked_for(
    tmp_path: Path, language: str, query: str, accepted: str | None, shown: str, reason: str
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    page = site(tmp_path, language).get(f"/model-card{query}", headers=headers)
    document = site(tmp_path, language).get(f"/model-card{query}", headers={**headers, "Accept": "application/json"})

    assert page.headers["Content-Language"] == document.headers["Content-Language"] == shown, reason
    assert f'<html lang="{shown}">' in page.text
    assert ("介入治疗" in document.get_json()["title"]) == (shown == "zh-Hans")
    assert set(page.vary.as_set()) >= {"accept", "accept-language"}


def test_chinese_card_leads_to_the_chinese_model_card(tmp_path: Path) -> None:
    http = site(tmp_path, "zh-Hans")
    (card,) = http.post(SERVICE, json=hook_request(*draw(210, "6.1", "1.8"))).get_json()["cards"]
    address = card["links"][0]["url"]

    assert address.endswith("/model-card?language=zh-Hans")
    assert http.get(address, headers={"Accept-Language": "en"}).headers["Content-Language"] == "zh-Hans"
