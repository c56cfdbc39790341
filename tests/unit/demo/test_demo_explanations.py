"""Every code an assessment may carry has a sentence."""

from __future__ import annotations

from cds_service.clinical.reasons import Reason
from cds_service.demo.explanations import REASONS, explain


def test_explanations_cover_exactly_the_reason_codes() -> None:
    assert set(REASONS) == {reason.value for reason in Reason}


def test_explain_unknown_reason_is_shown_as_it_is() -> None:
    assert "brand-new-reason" in explain("brand-new-reason")
