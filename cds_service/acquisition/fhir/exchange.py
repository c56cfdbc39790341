"""One HTTP exchange with a FHIR server.

Sessions belong to threads, since `requests` does not promise more. They read no proxy, netrc or CA bundle from the
environment: a netrc entry would replace the bearer token by a password. They keep no cookies: a cookie of one hook
would go out with the token of the next.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Final

import requests
from urllib3.exceptions import HTTPError

from cds_service.acquisition.fhir.connections import Cancellation, WatchedAdapter, watched_by

if TYPE_CHECKING:
    from pathlib import Path

FHIR_JSON: Final = "application/fhir+json"
_CHUNK_BYTES: Final = 65_536
_REDIRECTS: Final = range(300, 400)


class ExchangeError(Exception):
    """The server gave no usable answer. `answered` tells whether it answered at all."""

    def __init__(self, what: str, *, answered: bool) -> None:
        """Keep a short word for the log; it holds no address with patient data and no token."""
        super().__init__(what)
        self.answered = answered


@dataclass(frozen=True, slots=True)
class HTTPOptions:
    """How to reach servers: limits in seconds and bytes, the site's CA bundle and proxy."""

    connect_seconds: float
    max_bytes: int
    ca_file: Path | None = None
    proxy: str | None = None


@dataclass(slots=True)
class Exchanger:
    """Sends GET requests, with one session for each thread."""

    options: HTTPOptions
    _local: threading.local = field(default_factory=threading.local)

    def get(self, url: str, authorization: str | None, seconds: float, cancellation: Cancellation) -> bytes:
        """Return the body of a 200 answer, within `seconds` between two bytes.

        Raises ExchangeError for any other status, a redirect, a body beyond the limit, or no answer. A connection that
        the server had closed meanwhile is tried once more: nothing of the request had reached it.
        """
        try:
            return self._get(url, authorization, seconds, cancellation)
        except requests.exceptions.ConnectionError as error:
            if cancellation.is_cancelled or isinstance(error, requests.exceptions.ConnectTimeout):
                raise ExchangeError("cannot connect", answered=False) from error
        try:
            return self._get(url, authorization, seconds, cancellation)
        except requests.exceptions.ConnectionError as error:
            raise ExchangeError("cannot connect", answered=False) from error

    def _get(self, url: str, authorization: str | None, seconds: float, cancellation: Cancellation) -> bytes:
        headers = {"Accept": FHIR_JSON}
        if authorization is not None:
            headers["Authorization"] = authorization
        with watched_by(cancellation):
            try:
                response = self._session().get(
                    url,
                    headers=headers,
                    timeout=(min(self.options.connect_seconds, seconds), seconds),
                    allow_redirects=False,
                    stream=True,
                )
            except requests.exceptions.ConnectionError:
                raise
            except requests.exceptions.RequestException as error:
                raise ExchangeError(type(error).__name__, answered=False) from error
            with response:
                return self._body(response, cancellation)

    def _body(self, response: requests.Response, cancellation: Cancellation) -> bytes:
        if response.status_code in _REDIRECTS:
            raise ExchangeError("redirect", answered=True)
        if response.status_code != requests.codes.ok:
            raise ExchangeError(f"status {response.status_code}", answered=response.status_code < 500)
        parts: list[bytes] = []
        size = 0
        try:
            while not cancellation.is_cancelled:
                part = response.raw.read1(_CHUNK_BYTES, decode_content=True)
                if not part:
                    return b"".join(parts)
                parts.append(part)
                size += len(part)
                if size > self.options.max_bytes:
                    raise ExchangeError("body too large", answered=True)
        except (HTTPError, OSError) as error:
            raise ExchangeError("broken off", answered=False) from error
        raise ExchangeError("out of time", answered=False)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _new_session(self.options)
        return session


def _new_session(options: HTTPOptions) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    if options.ca_file is not None:
        session.verify = str(options.ca_file)
    if options.proxy is not None:
        session.proxies = {"http": options.proxy, "https": options.proxy}
    adapter = WatchedAdapter()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
