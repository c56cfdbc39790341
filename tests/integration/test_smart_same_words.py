"""The page of the trend app says what the hook says, for every story of the demonstration."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from cds_service.cards.numbers import sii
from cds_service.demo.client import hook_request
from cds_service.demo.patients import build_stories
from tests.support.charts import NOW
from tests.support.smart_server import running_smart_server
from tests.support.smart_site import smart_site

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.demo.patients.story import PatientStory

STORIES = build_stories(NOW.date())


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_page_says_what_the_hook_says(story: PatientStory, tmp_path: Path) -> None:
    request = hook_request(story, "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")
    with running_smart_server(**{story.id: request["prefetch"]}) as server:
        server.launches["launch-1"] = (story.id, None)
        site = smart_site(tmp_path, server)
        answer = site.app.test_client().post("/cds-services/sii-recurrence-risk", json=request).get_json()
        page = html.unescape(site.open().text)

    told = answer["extension"]["org.sii-cds.assessment"]
    verdict = page.partition('class="verdict')[2].partition("</section>")[0]
    assert f"<code>{told['outcome']}</code>" in verdict
    assert [code for code in re.findall(r"<li>.*<code>(.*)</code>", verdict) if code] == list(told.get("reasons", []))
    if "sii" in told:
        assert f'<data value="{told["sii"]}">' in verdict
        written = sii(Decimal(told["sii"]), Decimal(told["cutoff"]))
        assert f"SII {written} " in verdict
        assert f"{written}</td>" in page.partition('class="decides"')[2].partition("</tr>")[0]
    for card in answer["cards"]:
        assert card["summary"] in verdict
    for reason, count in told.get("exclusions", {}).items():
        assert f"<li>{count} × " in page
        assert f"<code>{reason}</code>" in page
    hook, view = (site.records(kind)[0] for kind in ("hook", "view"))
    for member in ("outcome", "reasons", "sii", "sample_time", "exclusions", "used"):
        assert view.get(member) == hook.get(member), member


@pytest.mark.parametrize(
    "story", [s for s in STORIES if s.expected.outcome == "not-eligible"], ids=lambda story: story.id
)
def test_page_of_a_patient_who_is_not_eligible_has_reason_and_facts_alone(story: PatientStory, tmp_path: Path) -> None:
    request = hook_request(story, "x")
    with running_smart_server(**{story.id: request["prefetch"]}) as server:
        server.launches["launch-1"] = (story.id, None)
        page = smart_site(tmp_path, server).open().text
        asked = server.keys_asked()

    assert "not-eligible" in page
    assert "<figure>" not in page
    assert set(asked) == {"patient", "conditions", "procedures"}
    assert "low risk" not in page.lower()


def test_page_without_a_decision_says_of_no_draw_that_another_one_decides(tmp_path: Path) -> None:
    story = next(story for story in STORIES if story.id == "demo-zero-lymphocytes")
    with running_smart_server(**{story.id: hook_request(story, "x")["prefetch"]}) as server:
        server.launches["launch-1"] = (story.id, None)
        page = html.unescape(smart_site(tmp_path, server).open().text)

    assert "decides nothing" in page
    assert "another draw decides" not in page
    assert page.count("not hidden behind older blood") == 2
