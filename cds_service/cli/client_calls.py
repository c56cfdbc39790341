"""The calls of `sii-cds client test`, as an EHR would make them, and what is learnt from the answers."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import requests

from cds_service.outgoing import closed_session

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_SECONDS: Final = 10.0
_PATIENT: Final = "sii-cds-client-test"


class CallError(Exception):
    """No answer came; the text says what to look at."""


@dataclass(frozen=True)
class Reply:
    """An answer of the service: status, body as text and as JSON (None where it is none), and its time."""

    status: int
    text: str
    content: Any
    date: datetime | None
    challenge: str | None


@dataclass(frozen=True)
class Caller:
    """Calls one service by the address at which it is reached. A redirect counts as an answer: EHRs do not follow."""

    address: str
    ca_file: Path | None

    def get(self, path: str, token: str | None) -> Reply:
        """Ask for a page. Raises CallError."""
        return self._call("GET", path, token, None)

    def hook(self, path: str, token: str | None) -> Reply:
        """Send a hook for a patient who does not exist, with everything prefetched. Raises CallError."""
        return self._call("POST", path, token, _hook_body())

    def _call(self, method: str, path: str, token: str | None, body: object) -> Reply:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            with closed_session(self.ca_file) as session:
                response = session.request(method, self.address + path, headers=headers, json=body, timeout=_SECONDS)
        except requests.RequestException as error:
            raise CallError(_why(error)) from None
        return _reply(response)


def _reply(response: requests.Response) -> Reply:
    try:
        content = response.json()
    except ValueError:
        content = None
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        date = None
    return Reply(response.status_code, response.text, content, date, response.headers.get("WWW-Authenticate"))


def _why(error: requests.RequestException) -> str:
    match error:
        case requests.exceptions.SSLError():
            return (
                "TLS failed: the certificate is not trusted here, or does not name this host. With an own certificate "
                "authority set acquisition.ca_file; EHRs need to trust it too."
            )
        case requests.Timeout():
            return (
                f"no answer within {_SECONDS:.0f} s: a firewall that drops, or a proxy that does not reach the service."
            )
        case requests.ConnectionError():
            return "its name is not known, or nothing listens there: start the service, or name its address with --url."
        case _:
            return f"the call could not be made ({type(error).__name__}); check the address."


def _hook_body() -> dict[str, Any]:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    prefetched = dict.fromkeys(("bloodCounts", "albumin", "conditions", "procedures"), empty)
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": "Practitioner/sii-cds-client-test", "patientId": _PATIENT},
        "prefetch": {"patient": {"resourceType": "Patient", "id": _PATIENT}, **prefetched},
    }
