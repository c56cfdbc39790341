"""What all requests of the service to others have in common, whatever they ask for.

Interim answers (1xx) are passed over, as RFC 9110 section 15.2 asks of every client; Python's own knows 100 only. The
service names itself, asks for what is true now, and comes back once where a server asks for a moment of patience.
"""

from __future__ import annotations

import http.client
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from requests import Response, Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

USER_AGENT: Final = "sii-cds"
# HAPI answers a search of the last minute from its cache unless told otherwise: a corrected result as it was before.
NOT_FROM_A_CACHE: Final = {"Cache-Control": "no-cache"}

# How OpenSSL says that the first bytes of the other side are no record of TLS.
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "WRONG VERSION NUMBER", "RECORD_LAYER_FAILURE", "RECORD LAYER FAILURE")
# Type 21 and version 3 (RFC 8446, section 5.1), as bytes and as Python shows them in a text.
_ALERTS: Final = ("\x15\x03", "\\x15\\x03")
_SWITCHING_PROTOCOLS: Final = 101
_INTERIM: Final = range(100, 200)
_MOST_INTERIM: Final = 10
_MOST_LINES: Final = 100
_LONGEST_LINE: Final = 65_536
# "Come back later": RFC 6585 section 4, RFC 9110 section 15.6.4.
_COME_BACK: Final = frozenset({429, 503})


class FinalResponse(http.client.HTTPResponse):
    """The answer behind interim ones."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status not in _INTERIM or status == _SWITCHING_PROTOCOLS:
                return version, status, reason
            self._skip_fields()
        raise http.client.HTTPException("too many interim answers")

    def _skip_fields(self) -> None:
        for _ in range(_MOST_LINES):
            line = self.fp.readline(_LONGEST_LINE)
            if line in (b"\r\n", b"\n", b""):
                return
        raise http.client.HTTPException("an interim answer without end")


class _Connection(HTTPConnection):
    response_class = FinalResponse


class _SecureConnection(HTTPSConnection):
    response_class = FinalResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class FinalAnswerAdapter(HTTPAdapter):
    """Transport for a session of requests that passes over interim answers, through a proxy as well."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _Pool, "https": _SecurePool}

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make direct connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Make connections through a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = self.pools
        return manager


class _ClosedSession(Session):
    """A session that a redirect leads nowhere: it is an answer like any other, and the address stays the one given."""

    def get_redirect_target(self, resp: Response) -> None:
        """Follow none."""


def closed_session(ca_file: Path | None = None, proxy: str | None = None) -> Session:
    """Return a session that only its caller directs: own certificate authorities, and a proxy for https.

    It follows no redirect and reads nothing from the environment: no netrc, no proxy variable, no bundle of
    authorities. Each user has one of its own, so no cookie comes from anybody else.
    """
    session = _ClosedSession()
    session.trust_env = False
    session.verify = str(ca_file) if ca_file else True
    session.proxies = {"https": proxy} if proxy else {}
    session.headers["User-Agent"] = USER_AGENT
    for scheme in ("https://", "http://"):
        session.mount(scheme, FinalAnswerAdapter())
    return session


def is_plain_answer(error: BaseException) -> bool:
    """Tell whether a TLS handshake failed since the other side speaks http: https was asked of an http port."""
    return any(
        isinstance(inner, ssl.SSLError) and any(word in str(inner).upper() for word in _NOT_TLS)
        for inner in _within(error)
    )


def is_answer_of_tls(error: BaseException) -> bool:
    """Tell whether what came in the place of an answer is an alert of TLS: http was asked of an https port."""
    return any(
        isinstance(inner, http.client.BadStatusLine) and str(inner).strip("'").startswith(_ALERTS)
        for inner in _within(error)
    )


def other_scheme(error: BaseException) -> str:
    """Say which of http and https a port speaks that was asked for the other one; empty where that is not known."""
    if is_plain_answer(error):
        return "the port speaks http, not https"
    return "the port speaks https, not http" if is_answer_of_tls(error) else ""


def is_closed_unanswered(error: BaseException) -> bool:
    """Tell whether the other side took the connection and closed it, as a port of TLS may when http comes."""
    return any(isinstance(inner, ConnectionResetError) for inner in _within(error))


def _within(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it holds, however libraries wrapped them."""
    waiting, seen = [error], set[int]()
    while waiting:
        inner = waiting.pop()
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        yield inner
        held = (getattr(inner, "reason", None), inner.__cause__, inner.__context__, *inner.args)
        waiting += [each for each in held if isinstance(each, BaseException)]


def seconds_to_wait(status: int, headers: Mapping[str, str]) -> float | None:
    """Return after how many seconds a server asks to be asked again; None where it does not."""
    told = headers.get("Retry-After", "").strip() if status in _COME_BACK else ""
    if not told:
        return None
    if told.isascii() and told.isdigit():
        # More digits than any deadline has.
        return float(told[:9])
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
