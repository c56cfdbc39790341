"""Every code an assessment may carry has a sentence."""

from __future__ import annotations

from cds_service.cards.wording import texts_in
from cds_service.clinical.reasons import Reason
from cds_service.demo.answers import sentence


def test_sentence_known_reason_is_the_one_of_the_cards() -> None:
    assert sentence("stale") == texts_in("en").reasons[Reason.STALE]


def test_sentence_unknown_reason_is_shown_as_it_is() -> None:
    assert "brand-new-reason" in sentence("brand-new-reason")
