"""A stand-in for the CDS Hooks sandbox: discovery, prefetch by its templates, hook and override, as the sandbox does.

Tokens are signed with the tests' key, whose public half the service must know.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import requests

from tests.security import forge

ISSUER = "https://sandbox.cds-hooks.org"
USER = "Practitioner/COREPRACTITIONER1"
_SECONDS = 10

Json = dict[str, Any]


def prefetched(template: str, fhir_server: str, patient: str) -> Json:
    """A read is a GET; a search is sent as a form, as the sandbox prefers."""
    path, _, query = template.replace("{{context.patientId}}", patient).partition("?")
    if query:
        fields = dict(part.split("=", 1) for part in query.split("&"))
        answer = requests.post(f"{fhir_server}/{path}/_search", data=fields, timeout=_SECONDS)
    else:
        answer = requests.get(f"{fhir_server}/{path}", timeout=_SECONDS)
    answer.raise_for_status()
    found: Json = answer.json()
    return found


def post(url: str, body: Json) -> Json:
    """Send with a new token, as for each call."""
    now = int(time.time())
    token = forge.token(
        head=forge.header(kid=forge.EC_KID), iss=ISSUER, aud=url, iat=now, exp=now + 300, tenant=forge.LEFT_OUT
    )
    answer = requests.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)
    answer.raise_for_status()
    received: Json = answer.json() if answer.content else {}
    return received


def open_chart(discovery: str, fhir_server: str, patient: str) -> list[Json]:
    """Call the hook for a patient and override each card with its first reason; returns the cards."""
    (service,) = requests.get(discovery, timeout=_SECONDS).json()["services"]
    url = f"{discovery}/{service['id']}"
    body = {
        "hook": service["hook"],
        "hookInstance": str(uuid4()),
        "fhirServer": fhir_server,
        "context": {"patientId": patient, "userId": USER},
        "prefetch": {key: prefetched(text, fhir_server, patient) for key, text in service["prefetch"].items()},
    }
    cards: list[Json] = post(url, body)["cards"]
    for card in cards:
        reason = {key: card["overrideReasons"][0][key] for key in ("code", "system")}
        override = {
            "card": card["uuid"],
            "outcome": "overridden",
            "outcomeTimestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "overrideReason": {"reason": reason},
        }
        post(f"{url}/feedback", {"feedback": [override]})
    return cards
