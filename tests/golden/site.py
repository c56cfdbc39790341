"""A site whose clock stands and whose ids are counted, so that it answers and records the same bytes in every run."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from cds_service.app import create_app
from cds_service.audit.host import Host
from cds_service.audit.log import AuditLog
from cds_service.demo.client import acceptance, dismissal, hook_request
from cds_service.demo.patients import build_stories
from cds_service.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SERVICE = "/cds-services/sii-recurrence-risk"
# The clock stands in Auckland, where the day is another one than in UTC.
CONFIGURATION = """\
service: {public_url: "https://cds.hospital.example", timezone: Pacific/Auckland}
authentication: {required: false}
cards: {show_not_above_cutoff: true}
"""
# A patient of each outcome, bodies that are refused, and data that cannot be had.
STORIES = {story.id: hook_request(story, f"instance-{story.id}") for story in build_stories(date(2026, 11, 23))}
_ANY = next(iter(STORIES.values()))
REFUSED: dict[str, Any] = {
    "other-hook": _ANY | {"hook": "order-select"},
    "no-context": {name: member for name, member in _ANY.items() if name != "context"},
    "wrong-patient": _ANY | {"context": {"userId": "Practitioner/1", "patientId": "somebody-else"}},
    "data-missing": _ANY | {"prefetch": {}},
    "no-json": None,
}


class GoldenSite:
    """Answers over HTTP in this process, and records below a folder."""

    def __init__(self, folder: Path) -> None:
        """Build the application of a configuration file in the folder."""
        self.folder = folder
        self._ids = count(1)
        (folder / "sii-cds.yaml").write_text(CONFIGURATION, encoding="utf-8")
        settings = load_settings(folder / "sii-cds.yaml", {})
        log = partial(AuditLog, clock=lambda: NOW, host=Host("host", "boot"))
        with patch("cds_service.app.AuditLog", log):
            app = create_app(settings, now=lambda: NOW, new_uuid=self._new_id)
        self.http = app.test_client()

    def _new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012d}"

    def ask(self, body: Any, path: str = SERVICE) -> TestResponse:
        """Post a body."""
        data = b"{" if body is None else json.dumps(body).encode()
        return self.http.post(path, data=data, content_type="application/json")


def answered(site: GoldenSite) -> dict[str, Any]:
    """Ask all that is asked, and return every status and body by name; then answer the cards."""
    told: dict[str, Any] = {}
    cards: list[str] = []
    with patch("cds_service.decision.answering.perf_counter", lambda: 0.0):
        for name, body in {**STORIES, **REFUSED}.items():
            answer = site.ask(body)
            told[name] = {"status": answer.status_code, "body": answer.get_json()}
            cards += [card["uuid"] for card in told[name]["body"].get("cards", ())]
    for name, feedback in _feedback(cards).items():
        answer = site.ask(feedback, f"{SERVICE}/feedback")
        told[name] = {"status": answer.status_code, "body": answer.get_data(as_text=True)}
    return told


def _feedback(cards: list[str]) -> dict[str, Any]:
    reason = ("https://cds.hospital.example/reasons", "residual-disease")
    return {
        "feedback-accepted": acceptance(cards[0], "", NOW),
        "feedback-suggestion": acceptance(cards[0], "suggestion-1", NOW),
        "feedback-overridden": dismissal(cards[1], reason, "seen", NOW),
        "feedback-without-reason": dismissal(cards[2], None, "", NOW),
        "feedback-in-part": {
            "feedback": [acceptance(cards[3], "", NOW)["feedback"][0], {"card": "x", "outcome": "ignored"}]
        },
    }
