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
