"""A site whose EHR has FHIR servers: its service, asked as an EHR asks it, with the clock and the answer in view."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.support.charts import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from flask import Flask
    from werkzeug.test import TestResponse

    from cds_service.settings import Settings
    from tests.support.charts import Json

HOOK_PATH = "/cds-services/sii-recurrence-risk"
CLOCK = NOW.astimezone(timezone(timedelta(hours=-5)))
# What the answer of a hook may come later than its deadline: the work around the waiting.
GRACE_SECONDS = 0.5


@dataclass(frozen=True)
class Answer:
    """What a hook brought, and after how many seconds."""

    response: TestResponse
    seconds: float

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def assessment(self) -> Json:
        """The assessment of an answer that must be a success."""
        assert self.status == 200, self.response.text
        assessment: Json = self.response.get_json()["extension"]["org.sii-cds.assessment"]
        return assessment

    @property
    def missing_keys(self) -> list[str]:
        """The keys that a 412 names."""
        assert self.status == 412, self.response.text
        named = re.search(r"could not be obtained: ([\w, ]+)\.", self.response.text)
        return named[1].split(", ") if named else []


@dataclass(frozen=True)
class FetchingSite:
    """The service of a site."""

    app: Flask
    folder: Path

    def ask(self, request: Json) -> Answer:
        """Call the service. Threads may do so side by side."""
        begun = time.monotonic()
        response = self.app.test_client().post(HOOK_PATH, json=request)
        return Answer(response, time.monotonic() - begun)


def fetching_settings(
    folder: Path,
    *servers: str,
    deadline: float = 2.0,
    client: Json | None = None,
    eligibility: str = "required",
    **acquisition: Any,
) -> Settings:
    """Configure a site without authentication, whose one EHR lists FHIR servers by their addresses."""
    ehr: Json = {
        "name": "main-ehr",
        "issuer": "https://ehr.hospital.example",
        "jwks_url": "https://ehr.hospital.example/jwks.json",
        "fhir_servers": list(servers),
    }
    sections: Json = {
        "service": {"public_url": "https://cds.hospital.example", "timezone": "Asia/Shanghai"},
        "server": {"hook_deadline_seconds": deadline},
        "authentication": {"required": False},
        "clients": [ehr | (client or {})],
        "eligibility": {"mode": eligibility},
        "acquisition": acquisition,
    }
    return settings_from_dict(sections, folder)


def fetching_site(
    folder: Path, *servers: str, now: Callable[[], datetime] = lambda: CLOCK, **options: Any
) -> FetchingSite:
    """Build the service of such a site; options as for `fetching_settings`."""
    return FetchingSite(create_app(fetching_settings(folder, *servers, **options), now=now), folder)
