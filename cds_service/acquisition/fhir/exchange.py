"""One HTTP exchange with a FHIR server, or with the token endpoint beside it.

Requests go through the transport of `requests` without a session. So there is nothing that could read a proxy, a
netrc or a CA bundle from the environment (a netrc entry would replace the bearer token by a password), keep a cookie
of one hook for the token of the next, or follow a redirect.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, TypeVar

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from cds_service.acquisition.fhir.connections import Attempt, LimitedAdapter
from cds_service.errors import ConfigurationError
from cds_service.mistaken_files import CERTIFICATE_PEM, DER_FILE, kind_of
from cds_service.outgoing import NOT_FROM_A_CACHE, USER_AGENT, other_scheme, seconds_to_wait
from cds_service.settings.named_files import read_named_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cds_service.acquisition.fhir.connections import TimeLimit

_Read = TypeVar("_Read")

_HEADERS: Final = {
    "Accept": "application/fhir+json",
    "Accept-Encoding": "gzip",
    "User-Agent": USER_AGENT,
    **NOT_FROM_A_CACHE,
}
# A CapabilityStatement holds nothing of a patient, and HAPI makes it anew, for half a minute, if no cache may answer.
_METADATA_HEADERS: Final = {name: value for name, value in _HEADERS.items() if name not in NOT_FROM_A_CACHE}
_CHUNK_BYTES: Final = 65_536
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = range(500, 600)
# Told apart in the metrics, since each has another remedy.
_TELLING_STATUSES: Final = frozenset({400, 401, 403, 404, 410, 429, 500, 502, 503, 504})


class ExchangeError(Exception):
    """The server gave no usable answer. `is_outage` tells that this speaks for a server that is down."""

    def __init__(self, what: str, kind: str, *, is_outage: bool = False, wait_seconds: float | None = None) -> None:
        """Keep a short word for the log; it holds no address with patient data and no token.

        `kind` is one of a closed vocabulary, for the metrics. `wait_seconds` is how long the server asks to wait.
        """
        super().__init__(what)
        self.wait_seconds = wait_seconds
        self.kind = kind
        self.is_outage = is_outage


@dataclass(frozen=True, slots=True)
class HTTPOptions:
    """How to reach servers: limits in seconds and bytes, the site's CA bundle, and its proxy for https.

    http is allowed on loopback only, where no proxy helps.
    """

    connect_seconds: float
    max_bytes: int
    ca_file: Path | None = None
    proxy: str | None = None


class Exchanger:
    """Sends requests. Safe for threads; connections are kept and shared."""

    def __init__(self, options: HTTPOptions, *, connections: int) -> None:
        """Read the CA bundle. Raises ConfigurationError when it holds no certificates."""
        self._connect_seconds = options.connect_seconds
        self._proxies = {"https": options.proxy} if options.proxy is not None else {}
        self._adapter = LimitedAdapter(_tls_context(options.ca_file), connections)

    def get(
        self, url: str, authorization: str | None, limit: TimeLimit, max_bytes: int, accept: str | None = None
    ) -> bytes:
        """Return the decoded body of a 200 answer; `accept` is asked for where it is no FHIR.

        A server that asks for patience which the limit allows is asked once more. Raises ExchangeError for any other
        status, a body of more than `max_bytes`, or no answer within the limit.
        """
        common = _METADATA_HEADERS if url.endswith("/metadata") else _HEADERS
        headers = common if authorization is None else {**common, "Authorization": authorization}
        headers = headers if accept is None else {**headers, "Accept": accept}
        request = _request("GET", url, headers)
        try:
            return self._exchange(request, limit, lambda response: _content(response, max_bytes))
        except ExchangeError as error:
            if error.wait_seconds is None or not limit.wait(error.wait_seconds):
                raise
        return self._exchange(request, limit, lambda response: _content(response, max_bytes))

    def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        limit: TimeLimit,
        max_bytes: int,
        authorization: str | None = None,
    ) -> tuple[int, bytes]:
        """Post a form and return status and decoded body of any answer but a redirect, for token endpoints.

        Raises ExchangeError as `get` does. Neither fields nor authorization are in an exception.
        """
        headers = {**_HEADERS, "Accept": "application/json"}
        request = _request(
            "POST", url, headers if authorization is None else {**headers, "Authorization": authorization}
        )
        request.prepare_body(dict(fields), None)
        return self._exchange(request, limit, lambda response: (_status(response), _body(response, max_bytes)))

    def _exchange(
        self, request: requests.PreparedRequest, limit: TimeLimit, read: Callable[[requests.Response], _Read]
    ) -> _Read:
        # What waited for a thread of ours until shortly before the deadline says nothing about the server.
        had_time = limit.has_most_left
        try:
            with self._send(request, limit) as response:
                return read(response)
        except (HTTPError, OSError) as error:
            # The hook that waits gives up at the same deadline, and mostly comes first.
            is_outage = had_time if limit.is_late else not limit.is_given_up
            failure = ExchangeError(_name(error), _kind(error, limit), is_outage=is_outage)
        # Raised out here because the library's exceptions carry the request, and so the token.
        raise failure

    def _send(self, request: requests.PreparedRequest, limit: TimeLimit) -> requests.Response:
        """Send a request, again while connections turn out to have been closed by the server meanwhile.

        Such a request reached nobody. A new connection gets no second chance.
        """
        while True:
            seconds = limit.seconds_left()
            timeout = (min(self._connect_seconds, seconds), seconds)
            attempt = Attempt(limit)
            try:
                with attempt.on_this_thread():
                    return self._adapter.send(request, stream=True, timeout=timeout, proxies=self._proxies)
            except requests.exceptions.ConnectionError:
                if attempt.is_fresh:
                    raise


def _request(method: str, url: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
    request = requests.PreparedRequest()
    request.method = method
    request.prepare_url(url, None)
    request.headers = CaseInsensitiveDict(headers)
    return request


def _content(response: requests.Response, max_bytes: int) -> bytes:
    """Return the body of a 200 answer. Raises ExchangeError for any other."""
    status = _status(response)
    if status != requests.codes.ok:
        kind = f"status-{status}" if status in _TELLING_STATUSES else "status-other"
        wait_seconds = seconds_to_wait(status, response.raw.headers)
        raise ExchangeError(f"status {status}", kind, is_outage=status in _SERVER_ERRORS, wait_seconds=wait_seconds)
    return _body(response, max_bytes)


def _status(response: requests.Response) -> int:
    if response.status_code in _REDIRECTS:
        raise ExchangeError("redirect", "redirect")
    return response.status_code


def _body(response: requests.Response, max_bytes: int) -> bytes:
    body = bytearray()
    while part := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += part
        if len(body) > max_bytes:
            raise ExchangeError("too large", "too-large")
    return bytes(body)


def _kind(error: Exception, limit: TimeLimit) -> str:
    bottom = _bottom(error)
    # A refused connection is a time-out by type in urllib3.
    timed_out = isinstance(bottom, (TimeoutError, HTTPTimeoutError)) and not isinstance(bottom, NewConnectionError)
    if timed_out or limit.is_late:
        return "timeout"
    if limit.is_given_up:
        return "given-up"
    return "tls" if isinstance(bottom, (ssl.SSLError, SSLError)) else "connection"


def _name(error: Exception) -> str:
    """Return the type of the exception at the bottom, which says most. Texts are left out: they name addresses."""
    return ": ".join(filter(None, (type(_bottom(error)).__name__, other_scheme(error))))


def _bottom(error: Exception) -> Exception:
    for inner in (getattr(error, "reason", None), *error.args):
        if isinstance(inner, (HTTPError, HTTPException, OSError)):
            return _bottom(inner)
    return error


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _public_authorities()
    content = b""
    try:
        content = read_named_file(ca_file)
        if not content.strip():
            # Of no text at all Python makes the authorities of the host.
            raise ValueError
        # Names of authorities beside the certificates may be in any encoding; Python takes ASCII only.
        return ssl.create_default_context(cadata=content.decode("ascii", "ignore"))
    except (OSError, ValueError) as error:
        what = f"acquisition.ca_file: {ca_file} holds no usable certificates (PEM)"
        raise ConfigurationError(what + _instead_of_certificates(content)) from error


def _instead_of_certificates(content: bytes) -> str:
    kind = kind_of(content)
    if kind == DER_FILE:
        return f": it is {kind}; write a certificate as PEM: openssl x509 -inform der -in OLD -out NEW"
    return f": it is {kind}" if kind and kind != CERTIFICATE_PEM else ""


@cache
def _public_authorities() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
