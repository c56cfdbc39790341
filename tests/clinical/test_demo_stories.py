"""Every story of the demo: the claim was worked out by hand from the story; the service must come to the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds_service.authorization.clients import TrustedClient
from cds_service.cards.extension import assessment_extension
from cds_service.cards.options import CardOptions
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.flow import decide
from cds_service.decision.site import Site
from cds_service.demo.answers import Assessment
from cds_service.demo.client import hook_request
from cds_service.demo.expectation import differences
from cds_service.demo.patients import build_stories
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings

if TYPE_CHECKING:
    from cds_service.demo.patients import PatientStory

CLIENT = TrustedClient(name="test", issuer=None, mode="active")
DAYS = (date(2026, 11, 23), date(2028, 3, 1))
ZONES = ("UTC", "Asia/Shanghai", "America/Los_Angeles")
STORIES = [story for day in DAYS for story in build_stories(day)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.built_for}-{story.id}")
def test_story_as_claimed_is_decided_by_the_service(story: PatientStory, zone: str) -> None:
    site = Site(
        ClinicalPolicy(ZoneInfo(zone)),
        load_mappings(),
        CardOptions("https://x.example/"),
        "active",
        "test",
        SII,
    )
    request = parse_cds_request(msgspec.json.encode(hook_request(story, "story")))
    now = datetime.combine(story.built_for, datetime.min.time(), UTC).replace(hour=12)
    decision = decide(request, CLIENT, site, now)
    found = Assessment.model_validate(msgspec.to_builtins(assessment_extension(RULE_VERSION, decision.assessment)))
    assert differences(story, found) == ()


def test_stories_tell_every_outcome() -> None:
    assert {story.expected.outcome for story in STORIES} == {
        "above-cutoff",
        "not-above-cutoff",
        "indeterminate",
        "not-eligible",
    }
