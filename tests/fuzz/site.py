"""A service under attack: after each request it is asked what must always hold."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from cds_service.web.logging import JSONFormatter
from tests.security import forge
from tests.support import openapi
from tests.support.charts import NOW, hook_request
from tests.support.openapi import HOOK

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from werkzeug.test import TestResponse

# Stands in everything of a request that may name a person.
MARKER = "MRN4711Doe"
# A hook without token: wrong, or data that cannot be had, or a FHIR server that is not listed.
HOOK_STATUSES = frozenset({200, 400, 403, 412})
RECORDED = frozenset({200, 412})


def site_content(folder: Path, *, authenticated: bool) -> dict[str, Any]:
    """Return the configuration of a site, with the keys of its client in the folder."""
    if not authenticated:
        return {"service": {"public_url": forge.PUBLIC_URL}, "authentication": {"required": False}}
    (folder / "keys.json").write_text(json.dumps({"keys": [forge.jwk(forge.ec_key(), forge.EC_KID)]}))
    client = {"name": "ehr", "issuer": forge.ISSUER, "jwks_file": "keys.json"}
    return {"service": {"public_url": forge.PUBLIC_URL}, "clients": [client]}


class AttackedSite:
    """The application of a site, its log and its audit log."""

    def __init__(self, folder: Path, *, authenticated: bool = False) -> None:
        """Build it; records of every level go into `log`."""
        self._audit = folder / "audit"
        self._read: dict[Path, int] = {}
        self.log = io.StringIO()
        self._handler = logging.StreamHandler(self.log)
        self._handler.setFormatter(JSONFormatter())
        logging.getLogger().addHandler(self._handler)
        content = site_content(folder, authenticated=authenticated)
        now = forge.NOW if authenticated else NOW
        self.app: Flask = create_app(settings_from_dict(content, folder), now=lambda: now)
        self.http = self.app.test_client()
        self._good = json.dumps(hook_request()).encode()
        self.new_records()

    def close(self) -> None:
        """Take the log's handler away."""
        logging.getLogger().removeHandler(self._handler)

    def new_records(self) -> Counter[str]:
        """Count the audit records that were written since the last call, by kind."""
        kinds: Counter[str] = Counter()
        for path in sorted(self._audit.glob("*.jsonl")):
            data = path.read_bytes()
            new = data[self._read.get(path, 0) :]
            self._read[path] = len(data)
            kinds.update(json.loads(line)["kind"] for line in new.splitlines())
        return kinds

    def send(self, body: bytes, path: str = HOOK) -> TestResponse:
        """Send a body as JSON."""
        return self.http.post(path, data=body, headers={"Content-Type": "application/json"})

    def attack(self, body: bytes) -> TestResponse:
        """Send a hook body and check all that must hold, whatever it is; return the answer."""
        answer = self.send(body)
        assert answer.status_code in HOOK_STATUSES, answer.text
        self.check_answer(HOOK, "POST", answer)
        assert self.new_records()["hook"] == (answer.status_code in RECORDED), "one record for each decision"
        after = self.send(self._good)
        assert after.status_code == 200, after.text
        assert after.get_json()["extension"]["org.sii-cds.assessment"]["outcome"] == "above-cutoff"
        assert self.new_records()["hook"] == 1
        return answer

    def check_answer(self, path: str, method: str, answer: TestResponse) -> None:
        """Check that an answer keeps to its description, and that answer and log give nothing away."""
        assert openapi.problems(path, method, answer.status_code, answer.headers, answer.data) == []
        assert "Traceback" not in answer.text
        if answer.status_code != 200:
            assert MARKER not in answer.text
        self.check_log()

    def check_log(self) -> None:
        """Check that the log since the last call holds no defect and no patient; forget it."""
        text = self.log.getvalue()
        self.log.seek(0)
        self.log.truncate()
        assert MARKER not in text
        assert "Traceback" not in text
        lines = [json.loads(line) for line in text.splitlines()]
        assert [line for line in lines if "exception" in line or line.get("status", 0) >= 500] == []
