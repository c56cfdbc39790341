"""Every way in which clients say why a card was overridden is read to the same reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.hooks.feedback import TEXT_ONLY, parse_feedback

EPIC = "com.epic.cdshooks.feedback.overrideReason"
KNOWN = {"code": "known", "system": "urn:reasons", "display": "Known"}


def read(**members: Any) -> tuple[str | None, str | None, str | None]:
    """Return code and system of the reason, and the comment."""
    body = {"card": "123456", "outcome": "overridden", "outcomeTimestamp": "2026-03-09T23:00:00Z", **members}
    (item,) = parse_feedback(json.dumps({"feedback": [body]}).encode()).items
    reason = item.reason
    return (reason.code, reason.system, item.user_comment) if reason is not None else (None, None, item.user_comment)


@pytest.mark.parametrize(
    ("members", "told", "form"),
    [
        ({"overrideReason": {"reason": KNOWN, "userComment": "seen"}}, ("known", "urn:reasons", "seen"), "CDS Hooks"),
        (
            {"overrideReasons": {"reason": KNOWN, "userComment": "seen"}},
            ("known", "urn:reasons", "seen"),
            "Epic's name",
        ),
        ({"overrideReason": {"code": "known"}}, ("known", None, None), "older sandbox: flat, without a system"),
        ({"overrideReason": {"reason": {"code": "known"}}}, ("known", None, None), "sandbox"),
        (
            {"overrideReasons": {"extension": {f"{EPIC}.reasonCategory": "7"}, "userComment": "seen"}},
            ("7", f"{EPIC}.reasonCategory", "seen"),
            "Epic: extension only",
        ),
        (
            {"overrideReasons": {"extension": {f"{EPIC}.reasonTitle": "Not now", f"{EPIC}.reasonCategory": 7}}},
            ("7", f"{EPIC}.reasonCategory", None),
            "the category before the title, as a number too",
        ),
        (
            {"overrideReasons": {"extension": {f"{EPIC}.reasonDisplay": "Not now"}}},
            (TEXT_ONLY, f"{EPIC}.reasonDisplay", "Not now"),
            "Epic names it by a text alone: nobody knows who wrote that, so it counts as free text",
        ),
        (
            {"overrideReasons": {"extension": {f"{EPIC}.reasonTitle": "Not now"}, "userComment": "seen"}},
            (TEXT_ONLY, f"{EPIC}.reasonTitle", "Not now: seen"),
            "a text beside the comment",
        ),
        (
            {"overrideReason": {"reason": {"code": "x" * 129, "system": "urn:reasons"}}},
            (TEXT_ONLY, "urn:reasons", "x" * 129),
            "no list has so long a code",
        ),
        ({"overrideReason": {"code": "x" * 128}}, ("x" * 128, None, None), "the longest that is taken for a code"),
        ({"overrideReason": {"code": "a\nb"}}, (TEXT_ONLY, None, "a\nb"), "nor is a text of two lines a code"),
        ({"overrideReason": {"code": "known", "system": "u" * 300}}, ("known", "u" * 256, None), "a long system"),
        ({"overrideReason": {}, "overrideReasons": {"reason": KNOWN}}, ("known", "urn:reasons", None), "one is empty"),
        ({"overrideReason": None, "overrideReasons": None}, (None, None, None), "null"),
        ({"overrideReason": {"extension": {"com.other": "7"}}}, (None, None, None), "an extension of somebody else"),
        ({"overrideReason": {"extension": ["x"]}}, (None, None, None), "an extension of no known form"),
        ({"overrideReason": {"extension": {f"{EPIC}.reasonCategory": {}}}}, (None, None, None), "no text"),
        (
            {"overrideReason": {"extension": {f"{EPIC}.reasonCategory": "x" * 900}}},
            (TEXT_ONLY, f"{EPIC}.reasonCategory", "x" * 900),
            "a long one",
        ),
        ({"overrideReason": {"userComment": "only this"}}, (None, None, "only this"), "a comment alone"),
        ({}, (None, None, None), "nothing at all"),
    ],
)
def test_feedback_override_reason_of_every_form_is_read(
    members: dict[str, Any], told: tuple[str | None, str | None, str | None], form: str
) -> None:
    assert read(**members) == told, form
