"""What an authorization server says of itself, and its keys: at most five minutes old, and never a failure of before.

Only the client's own FHIR server is asked, and what it names is checked: https, or http on loopback, and nobody is
followed elsewhere by a redirect.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from cds_service.acquisition.fhir.exchange import ExchangeError
from cds_service.authorization.keys import MAX_KEY_SET_BYTES, KeySet, KeySetError, read_key_set
from cds_service.errors import LaunchDeadlineError, LaunchUpstreamError
from cds_service.foreign_bytes import UNREADABLE, decode
from cds_service.settings.network import secure_location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cds_service.acquisition.fhir.connections import TimeLimit
    from cds_service.acquisition.fhir.exchange import Exchanger

DISCOVERY_PATH: Final = "/.well-known/smart-configuration"
OPENID_PATH: Final = "/.well-known/openid-configuration"
SECONDS_KEPT: Final = 300.0
_MOST_BYTES: Final = 262_144
_JSON: Final = "application/json"
_DECODER: Final = msgspec.json.Decoder()
_LONGEST_ISSUER: Final = 2_048

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What discovery names. `issuer` is empty where it names none; `names_issuer` tells that callbacks hold it."""

    authorization: str
    token: str
    issuer: str
    keys: str
    names_issuer: bool


class AuthorizationServer:
    """The authorization server of one FHIR server, asked when it is needed. Safe for threads."""

    def __init__(self, fhir_server: str, exchanger: Exchanger, clock: Callable[[], float] = monotonic) -> None:
        """Ask for nothing yet. `fhir_server` has no slash at its end."""
        self.fhir_server = fhir_server
        self._exchanger = exchanger
        self._clock = clock
        self._endpoints: tuple[float, Endpoints] | None = None
        self._keys: tuple[float, str, KeySet] | None = None

    def endpoints(self, limit: TimeLimit) -> Endpoints:
        """Return what the server says of itself. Raises LaunchUpstreamError or LaunchDeadlineError."""
        kept = self._endpoints
        if kept is not None and self._clock() - kept[0] < SECONDS_KEPT:
            return kept[1]
        asked = self._clock()
        endpoints = read_endpoints(self._document(self.fhir_server + DISCOVERY_PATH, limit))
        self._endpoints = (asked, endpoints)
        return endpoints

    def keys(self, limit: TimeLimit, *, anew: bool = False) -> KeySet:
        """Return the keys that id_tokens are signed with; `anew` where those kept do not hold the one that is named.

        Raises LaunchUpstreamError or LaunchDeadlineError.
        """
        address = self._key_address(limit)
        kept = self._keys
        if kept is not None and not anew and kept[1] == address and self._clock() - kept[0] < SECONDS_KEPT:
            return kept[2]
        asked = self._clock()
        text = ask(lambda: self._exchanger.get(address, None, limit, MAX_KEY_SET_BYTES, _JSON), "key set", limit)
        try:
            keys = read_key_set(text, unnamed=True)
        except KeySetError as error:
            raise LaunchUpstreamError("discovery", log_detail=f"the key set: {error}") from None
        self._keys = (asked, address, keys)
        return keys

    def _key_address(self, limit: TimeLimit) -> str:
        """Return where the keys stand; OpenID Connect's own document tells it where SMART's does not."""
        endpoints = self.endpoints(limit)
        if endpoints.keys:
            return endpoints.keys
        issuer = endpoints.issuer or self.fhir_server
        document = self._document(issuer.removesuffix("/") + OPENID_PATH, limit)
        if document.get("issuer") != issuer:
            raise LaunchUpstreamError("discovery", log_detail="the OpenID configuration is of another issuer")
        return _address(document, "jwks_uri")

    def _document(self, url: str, limit: TimeLimit) -> Mapping[str, Any]:
        text = ask(lambda: self._exchanger.get(url, None, limit, _MOST_BYTES, _JSON), "discovery", limit)
        return json_object(text, "discovery")


def read_endpoints(document: Mapping[str, Any]) -> Endpoints:
    """Check what a discovery document names. Raises LaunchUpstreamError."""
    issuer = document.get("issuer") or ""
    if not isinstance(issuer, str) or (issuer and not _is_secure(issuer)) or len(issuer) > _LONGEST_ISSUER:
        raise LaunchUpstreamError("discovery", log_detail="issuer is no https address")
    authorization = _address(document, "authorization_endpoint")
    if "#" in authorization:
        raise LaunchUpstreamError("discovery", log_detail="authorization_endpoint has a fragment")
    return Endpoints(
        authorization=authorization,
        token=_address(document, "token_endpoint"),
        issuer=issuer,
        keys=_address(document, "jwks_uri") if document.get("jwks_uri") else "",
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def ask(get: Callable[[], _Kept], what: str, limit: TimeLimit, reason: str = "discovery") -> _Kept:
    """Return what `get` does; its ExchangeError as an error of the launch, which is late once the limit is over."""
    try:
        return get()
    except ExchangeError as error:
        if limit.is_late:
            raise LaunchDeadlineError(log_detail=f"{what}: {error}") from None
        raise LaunchUpstreamError(reason, log_detail=f"{what}: {error}") from None


def json_object(text: bytes, reason: str) -> Mapping[str, Any]:
    """Read a JSON object. Raises LaunchUpstreamError."""
    try:
        value = decode(_DECODER, text)
    except UNREADABLE:
        value = None
    if not isinstance(value, dict):
        raise LaunchUpstreamError(reason, log_detail="the answer is no JSON object")
    return value


def _address(document: Mapping[str, Any], name: str) -> str:
    address = document.get(name)
    if not isinstance(address, str) or not _is_secure(address):
        raise LaunchUpstreamError("discovery", log_detail=f"{name} is missing, or neither https nor loopback")
    return address


def _is_secure(address: str) -> bool:
    try:
        secure_location(address)
    except ValueError:
        return False
    return address.isprintable()
