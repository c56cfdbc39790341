"""Sending events to an audit repository, one at a time and in the order of the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import requests

from cds_service.outgoing import closed_session
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

TIMEOUT_SECONDS: Final = 30.0
_MEDIA_TYPE: Final = "application/fhir+json"

# What a server says of one event (FHIR R4, http.html#summary): another event may well be taken.
_REFUSALS_OF_ONE: Final = frozenset({400, 404, 409, 410, 412, 422})
_MOST_ANSWER_BYTES: Final = 64 * 1024
_LONGEST_ANSWER: Final = 500


class PostingError(Exception):
    """The repository did not take an event."""


class RefusedEventError(PostingError):
    """The repository refuses this event; it may take others."""


class Repository:
    """A FHIR server that keeps AuditEvents.

    An event is sent with PUT under its own id, so that sending it again changes nothing; with `create` it is sent
    with POST, as IHE ITI-20 has it, for repositories that give ids themselves: these keep what is sent twice twice.
    """

    def __init__(
        self, base: str, token: str | None, *, create: bool, ca_file: Path | None = None, proxy: str | None = None
    ) -> None:
        """Open nothing yet. `base` is the FHIR base without a trailing slash."""
        self._base = base
        self._create = create
        self._session = closed_session(ca_file, proxy)
        self._session.headers.update({"Content-Type": _MEDIA_TYPE, "Accept": _MEDIA_TYPE, "Prefer": "return=minimal"})
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def send(self, event_id: str, body: bytes) -> None:
        """Send one event.

        Raises RefusedEventError where the repository refuses this event, PostingError where it takes none; both with
        what it said.
        """
        method, url = ("POST", self._base) if self._create else ("PUT", f"{self._base}/{event_id}")
        try:
            with self._session.request(method, url, data=body, timeout=TIMEOUT_SECONDS, stream=True) as response:
                status = response.status_code
                said = "" if response.ok else _said(response)
        except requests.RequestException as error:
            raise PostingError(f"the repository cannot be reached: {type(error).__name__}") from None
        if status not in (requests.codes.ok, requests.codes.created):
            kind = RefusedEventError if status in _REFUSALS_OF_ONE else PostingError
            raise kind(f"the repository answered {status}{said}")

    def __enter__(self) -> Self:
        """Use the connection."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _value: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Close it."""
        self._session.close()


def _said(response: requests.Response) -> str:
    """Return what the answer says went wrong, of an OperationOutcome or in plain text; the beginning of long ones."""
    # Not iter_content: of an answer in chunks it hands out the first, and HAPI's are as small as it wrote them.
    body: bytes = response.raw.read(_MOST_ANSWER_BYTES, decode_content=True)
    try:
        texts = _issues(json.loads(body))
    except (ValueError, RecursionError):
        is_text = response.headers.get("Content-Type", "").startswith("text/plain")
        texts = [body.decode("utf-8", "replace")] if is_text else []
    text = printable("; ".join(filter(None, texts))).strip()
    return f': "{text[:_LONGEST_ANSWER]}"' if text else ""


def _issues(outcome: Any) -> list[str]:
    """Return the texts of an OperationOutcome's issues; none of anything else."""
    issues = outcome.get("issue") if isinstance(outcome, dict) else None
    return [text for issue in issues if (text := _text(issue))] if isinstance(issues, list) else []


def _text(issue: Any) -> str:
    if not isinstance(issue, dict):
        return ""
    details = issue.get("details")
    candidates = (issue.get("diagnostics"), details.get("text") if isinstance(details, dict) else None)
    return next((text for text in candidates if isinstance(text, str) and text), "")
