"""A site that snoozes overridden cards: workers beside one state store, a clock that stands, an EHR that overrides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.support.charts import NOW, Json, hook_request

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from flask.testing import FlaskClient

HOOK = "/cds-services/sii-recurrence-risk"
HOURS = 72


class Hospital:
    """A service with a clock that stands; each `worker` is an application of its own beside the same state store."""

    def __init__(self, directory: Path, **configuration: Any) -> None:
        self.directory = directory
        self.now = NOW
        self.configuration: Json = {"authentication": {"required": False}} | configuration

    def worker(self) -> FlaskClient:
        settings = settings_from_dict(self.configuration, self.directory)
        return create_app(settings, now=lambda: self.now).test_client()

    def records(self) -> list[Json]:
        lines = [
            line
            for path in sorted((self.directory / "audit").glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]
        return [record for record in map(json.loads, lines) if record["kind"] == "hook"]


def ask(worker: FlaskClient, *counts: Json, **keys: Any) -> Json:
    answer = worker.post(HOOK, json=hook_request(*counts, **keys))
    assert answer.status_code == 200
    body: Json = answer.get_json()
    return body


def override(worker: FlaskClient, card: str, *, at: datetime = NOW, outcome: str = "overridden") -> None:
    item = {"card": card, "outcome": outcome, "outcomeTimestamp": at.isoformat()}
    assert worker.post(f"{HOOK}/feedback", json={"feedback": [item]}).status_code == 200


def shown(worker: FlaskClient, *counts: Json, **keys: Any) -> bool:
    return bool(ask(worker, *counts, **keys)["cards"])
