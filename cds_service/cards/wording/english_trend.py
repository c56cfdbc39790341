"""English texts of the trend app's pages."""

from __future__ import annotations

from typing import Final

from cds_service.cards.wording.trend_texts import TrendTexts

ENGLISH_TREND: Final = TrendTexts(
    title="SII over time",
    born="Born",
    record_number="Record number",
    not_recorded="not recorded",
    read_line="Data read {time} for {user}.",
    not_following=("This page does not follow the chart: it stays with this patient when another one is opened there."),
    outcomes={
        "above-cutoff": "SII is above the cut-off.",
        "not-above-cutoff": "SII is not above the cut-off.",
        "indeterminate": "SII could not be assessed.",
        "not-eligible": "The rule does not apply to this patient.",
    },
    excluded_heading="Results that are not used",
    refused_title="The page could not be opened",
    refusals={
        "malformed-launch": "The link that opened this page is not complete.",
        "unknown-issuer": "This page was opened from a system that it does not belong to.",
        "no-cookie": (
            "This browser knows nothing of the launch, or the launch is more than ten minutes old. "
            "The browser must accept the cookie of this page."
        ),
        "foreign-issuer": "The answer came from another authorization server than the one that was asked.",
        "denied": "Access to the chart was not granted.",
        "scope-missing": "The EHR did not allow this app to read: {named}.",
        "no-trend-app": "There is no such app here.",
        "launch-used": "This page can be shown once for each launch, and was shown already.",
        "authorization-failed": "The authorization server reported a failure.",
        "discovery": "What the authorization server says of itself cannot be used.",
        "token": "The authorization server gave no usable access.",
        "id-token": "The authorization server did not prove who is asking.",
        "patient": "The patient could not be read from the chart.",
        "data-unavailable": "Data that are needed could not be read from the chart: {named}.",
        "launch-deadline": "The chart did not answer in time.",
        "busy": "Too many of these pages are being opened at the moment.",
        "unavailable": "The page cannot be shown at the moment.",
    },
    open_again="Open it again from the chart.",
    request_line="Request id: {id}",
)
