"""Sending events to an audit repository, one at a time and in the order of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import requests

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

TIMEOUT_SECONDS: Final = 30.0
_MEDIA_TYPE: Final = "application/fhir+json"


class PostingError(Exception):
    """The repository did not take an event."""


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
        self._session = requests.Session()
        # Neither netrc nor proxy variables decide where records of patients go, or as whom.
        self._session.trust_env = False
        self._session.verify = str(ca_file) if ca_file else True
        self._session.proxies = {"https": proxy} if proxy else {}
        self._session.headers.update({"Content-Type": _MEDIA_TYPE, "Accept": _MEDIA_TYPE, "Prefer": "return=minimal"})
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def send(self, event_id: str, body: bytes) -> None:
        """Send one event. Raises PostingError with what the repository said; its text is not repeated."""
        method, url = ("POST", self._base) if self._create else ("PUT", f"{self._base}/{event_id}")
        try:
            with self._session.request(
                method, url, data=body, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as response:
                status = response.status_code
        except requests.RequestException as error:
            raise PostingError(f"the repository cannot be reached: {type(error).__name__}") from None
        if status not in (requests.codes.ok, requests.codes.created):
            raise PostingError(f"the repository answered {status}")

    def __enter__(self) -> Self:
        """Use the connection."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _value: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Close it."""
        self._session.close()
