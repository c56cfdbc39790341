"""The card around its texts: when there is one, what kind, and what never changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cds_service.cards.builder import OVERRIDE_REASON_SYSTEM, CardBuilder
from cds_service.cards.wording import texts_in
from cds_service.clinical.assessment import refuse_ineligible
from cds_service.clinical.reasons import Reason
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.unit.cards.assessments import OPTIONS, TAKEN, card, decided, indeterminate
from tests.unit.clinical.values import POLICY, draw

if TYPE_CHECKING:
    from cds_service.clinical.outcomes import Assessment

ABOVE = decided()
NOT_ABOVE = decided(draw(TAKEN, ("100", "1", "1")))
UNKNOWN = indeterminate(Reason.STALE)
REFUSED = refuse_ineligible(Reason.UNDER_AGE, (), POLICY)


@pytest.mark.parametrize(
    ("assessment", "show_not_above", "show_indeterminate", "indicators", "reason"),
    [
        (ABOVE, False, True, ["warning"], "above"),
        (ABOVE, False, False, ["warning"], "above is shown whatever else is turned off"),
        (NOT_ABOVE, False, True, [], "none by default"),
        (NOT_ABOVE, True, False, ["info"], "the site wants it"),
        (UNKNOWN, False, True, ["info"], "what is missing is said"),
        (UNKNOWN, True, False, [], "the site turned it off"),
        (REFUSED, True, True, [], "never a card for a patient the study does not speak about"),
    ],
)
def test_cards_by_outcome_and_choice_of_the_site(
    assessment: Assessment, show_not_above: bool, show_indeterminate: bool, indicators: list[str], reason: str
) -> None:
    options = replace(OPTIONS, show_not_above_cutoff=show_not_above, show_indeterminate=show_indeterminate)

    cards = CardBuilder(SII.voice, options, POLICY, "m").build(assessment, lambda: "u")

    assert [found.indicator for found in cards] == indicators, reason


@pytest.mark.parametrize("assessment", [ABOVE, NOT_ABOVE, UNKNOWN])
def test_card_carries_source_links_and_override_reasons(assessment: Assessment) -> None:
    found = card(assessment)

    assert found.uuid == "uuid-1"
    assert (found.source.label, found.source.url) == (
        "Yu L et al., J Gastrointest Oncol 2023",
        "https://doi.org/10.21037/jgo-23-104",
    )
    assert found.source.topic is not None
    assert (found.source.topic.code, found.source.topic.system) == (
        "siiRecurrenceRisk",
        "https://sii-cds.org/CodeSystem/topics",
    )
    assert [(link.url, link.type) for link in found.links] == [("https://cds.hospital.example/model-card", "absolute")]


def test_card_override_reasons_are_fixed_and_complete() -> None:
    found = card(ABOVE).override_reasons

    # Sites map these codes in their EHR: none may change or go.
    assert [reason.code for reason in found] == [
        "already-considered",
        "other-explanation",
        "does-not-apply",
        "data-wrong",
        "not-convinced",
        "other",
    ]
    assert {reason.system for reason in found} == {OVERRIDE_REASON_SYSTEM}
    assert [reason.display for reason in found] == list(texts_in("en").override_reasons.values())


def test_card_uuid_is_asked_for_once_for_each_card() -> None:
    numbers = iter("abc")
    builder = CardBuilder(SII.voice, OPTIONS, POLICY, "m")

    built = [builder.build(assessment, lambda: next(numbers)) for assessment in (ABOVE, REFUSED, UNKNOWN)]

    assert [[found.uuid for found in cards] for cards in built] == [["a"], [], ["b"]]
