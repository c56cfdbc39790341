"""A site with a trend app, and a browser with nothing but cookies that opens it from an EHR."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from joserfc.jwk import ECKey

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.support.charts import NOW
from tests.support.smart_server import CLIENT_ID, SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.support.charts import Json
    from tests.support.smart_server import SmartServer

PUBLIC_URL = "https://cds.hospital.example/base"
CLIENT = "main-ehr"
LAUNCH = f"/smart/{CLIENT}/launch"
CALLBACK = f"/smart/{CLIENT}/callback"


def smart_settings(ehr: SmartServer, app: Json | None = None, client: Json | None = None, **sections: Any) -> Json:
    """Configure a site whose one EHR is this server; `app` and `client` change their entries."""
    smart_app = {"client_id": CLIENT_ID, "authentication": "none"} | (app or {})
    entry: Json = {
        "name": CLIENT,
        "issuer": "https://ehr.hospital.example",
        "jwks_url": "https://ehr.hospital.example/jwks.json",
        "fhir_servers": [ehr.url],
        "smart_app": smart_app,
    }
    base: Json = {
        "service": {"public_url": PUBLIC_URL, "timezone": "Asia/Shanghai"},
        "authentication": {"required": False},
        "clients": [entry | (client or {})],
    }
    return base | sections


@dataclass
class SmartSite:
    """The service of the site, and one browser. Cookies are kept by name and sent back to everybody, as they came."""

    app: Flask
    server: SmartServer
    folder: Path
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **parameters: str) -> TestResponse:
        """Ask for a page."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        query = f"?{urlencode(parameters)}" if parameters else ""
        client = self.app.test_client(use_cookies=False)
        answer = client.get(path + query, headers=headers if self.cookies else {})
        for line in answer.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def launch(self, launch: str = "launch-1", *, client: str = CLIENT) -> TestResponse:
        """Open the app from the chart."""
        return self.get(f"/smart/{client}/launch", iss=self.server.url, launch=launch)

    def callback_of(self, departure: TestResponse, **changes: str) -> str:
        """Come back from the authorization server; return path and query of the callback."""
        assert departure.status_code == 303, departure.text
        return f"/smart/{CLIENT}/callback?{self.server.authorize(departure.headers['Location'], **changes)}"

    def open(self, launch: str = "launch-1") -> TestResponse:
        """Go the whole way."""
        return self.get(self.callback_of(self.launch(launch)))

    def records(self, kind: str = "view") -> list[Json]:
        """The records of a kind in the audit log."""
        lines = [
            line for path in sorted((self.folder / "audit").glob("*.jsonl")) for line in path.read_text().splitlines()
        ]
        return [record for record in map(json.loads, lines) if record["kind"] == kind]


def smart_site(
    folder: Path, ehr: SmartServer, app: Json | None = None, client: Json | None = None, **sections: Any
) -> SmartSite:
    """Build the service of such a site; its clock is that of the charts."""
    ehr.now = int(NOW.timestamp())
    settings = settings_from_dict(smart_settings(ehr, app, client, **sections), folder)
    return SmartSite(create_app(settings, now=lambda: NOW), ehr, folder)


def with_key(folder: Path, server: SmartServer) -> Json:
    """Make a key for the app, and let the server know it; return the entry of the configuration."""
    key = ECKey.generate_key("P-384", {"kid": "app-1", "use": "sig"})
    (folder / "app-key.json").write_text(json.dumps(key.as_dict(private=True)))
    (folder / "app-key.json").chmod(0o600)
    server.app_keys = {"keys": [key.as_dict(private=False) | {"kid": "app-1"}]}
    return {"authentication": "private_key_jwt", "private_key_file": "app-key.json"}


def with_secret(folder: Path, server: SmartServer) -> Json:
    """Agree on a secret; return the entry of the configuration."""
    (folder / "app-secret").write_text(f"{SECRET}\n")
    (folder / "app-secret").chmod(0o600)
    server.secret = SECRET
    return {"authentication": "client_secret_basic", "client_secret_file": "app-secret"}


def assert_refused(answer: TestResponse, status: int, reason: str, why: str = "") -> None:
    """A small page of its own kind, which says what to do and nothing of a patient."""
    assert (answer.status_code, reason in answer.text) == (status, True), why or answer.text
    assert answer.mimetype == "text/html", why
    assert "from the chart" in answer.text, why
    assert "Marker" not in answer.text, why
    assert "canary" not in answer.text, why
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
