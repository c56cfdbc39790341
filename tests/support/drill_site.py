"""The application of a site for fault drills: who asks, when, and what the operational log said about it."""

from __future__ import annotations

import io
import json
import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from cds_service.web.logging import JSONFormatter
from tests.security import forge
from tests.support.charts import hook_request
from tests.support.openapi import HOOK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.charts import Json


@dataclass
class DrillSite:
    """A site with one client. `now` is its clock, which a drill may set."""

    folder: Path
    now: datetime
    output: io.StringIO = field(default_factory=io.StringIO)
    http: FlaskClient = field(init=False)

    def ask(self, body: Json | None = None, **claims: Any) -> TestResponse:
        """Call the service with a token that is good at the site's time, but for the claims given."""
        made = int(self.now.timestamp())
        told: dict[str, Any] = {"iat": made, "exp": made + 300} | claims
        token = forge.token("ES384", None, None, **told)
        return self.http.post(HOOK, json=body or hook_request(), headers={"Authorization": f"Bearer {token}"})

    def ready(self) -> TestResponse:
        """Ask whether it is ready."""
        return self.http.get("/readyz")

    def log(self) -> list[Json]:
        """Return the lines of the operational log."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    def details(self, status: int) -> list[str]:
        """Return what the log says about requests that were answered so."""
        return [str(line.get("detail", line.get("reason"))) for line in self.log() if line.get("status") == status]


@contextmanager
def drill_site(folder: Path, now: datetime, client: Json | None = None, **sections: Any) -> Iterator[DrillSite]:
    """Build it; the keys of the client lie in a file unless `client` says otherwise."""
    (folder / "keys.json").write_text(json.dumps({"keys": [forge.jwk(forge.ec_key(), forge.EC_KID)]}))
    ehr: Json = {"name": "ehr", "issuer": forge.ISSUER} | (client or {"jwks_file": "keys.json"})
    content: Json = {"service": {"public_url": forge.PUBLIC_URL}, "clients": [ehr]} | sections
    site = DrillSite(folder, now)
    handler = logging.StreamHandler(site.output)
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    try:
        site.http = create_app(settings_from_dict(content, folder), now=lambda: site.now).test_client()
        yield site
    finally:
        logging.getLogger().removeHandler(handler)
