"""Outcomes and reason codes in plain sentences, for a reader of the chart."""

from __future__ import annotations

from cds_service.cards.wording import TEXTS
from cds_service.clinical.reasons import Reason

OUTCOMES = {
    "above-cutoff": "SII is above the published cut-off.",
    "not-above-cutoff": "SII is not above the published cut-off.",
    "indeterminate": "SII could not be judged.",
    "not-eligible": "The rule does not apply to this patient.",
}


REASON_CODES = frozenset(reason.value for reason in Reason)


def sentence(reason: str) -> str:
    """Return the sentence of the cards for a reason code; a code without one is shown as it is."""
    if reason not in REASON_CODES:
        return f"The service gave the reason “{reason}”."
    return TEXTS["en"].reasons[Reason(reason)]
