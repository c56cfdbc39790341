"""Access to a FHIR server: no token, one from a file, or SMART Backend Services (client credentials with a signed JWT).

SMART App Launch 2.2, "Backend Services" and "Asymmetric client authentication": the assertion is signed with RS384 or
ES384, lives at most five minutes, and names the token endpoint as its audience.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final

from cds_service.acquisition.fhir.connections import TimeLimit
from cds_service.acquisition.fhir.exchange import ExchangeError, Exchanger
from cds_service.authorization.client_assertion import ASSERTION_TYPE, SigningKeyError, read_signing_keys
from cds_service.foreign_bytes import text_of
from cds_service.insight.doctor.server.connection import TokenError
from cds_service.settings.network import secure_location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cds_service.authorization.client_assertion import SigningKey

_WAIT_SECONDS: Final = 15.0
_MOST_BYTES: Final = 1_048_576
# Asked for anew this long before the end, so that no request leaves with a token that ends on the way.
_MARGIN_SECONDS: Final = 60.0
_DEFAULT_LIFETIME: Final = 300.0
_TYPES: Final = ("Patient", "Observation", "Condition", "Procedure")


class OpenServer:
    """A test server that asks for no token."""

    def token(self) -> None:
        """Return none."""


class FileToken:
    """A bearer token from a file, read again for every request: it may be renewed meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def token(self) -> str:
        """Return the token. Raises TokenError."""
        try:
            text = text_of(self._path.read_bytes()).strip()
        except OSError as error:
            raise TokenError(f"The token file {self._path} cannot be read ({type(error).__name__}).") from None
        except ValueError as error:
            raise TokenError(f"The token file {self._path} {error}.") from None
        if not text or any(not "!" <= character <= "~" for character in text):
            raise TokenError(f"The token file {self._path} holds no token: one line of visible characters is needed.")
        return text


@dataclass(frozen=True, slots=True)
class BackendClient:
    """Who asks: registered client id, and the private key with its algorithm and id."""

    client_id: str
    key: SigningKey


class BackendServices:
    """Tokens by client credentials, renewed before they end.

    Without a token endpoint the one that the FHIR server names is used.
    """

    def __init__(
        self,
        client: BackendClient,
        exchanger: Exchanger,
        *,
        base: str,
        token_url: str | None,
        scope: str | None,
        new_uuid: Callable[[], str],
    ) -> None:
        self._client = client
        self._exchanger = exchanger
        self._base = base
        self._token_url = token_url
        self._scope = scope
        self._new_uuid = new_uuid
        self._token = ""
        self._ends = 0.0

    def token(self) -> str:
        """Return a token. Raises TokenError with the error code of the server, if it says one."""
        if monotonic() >= self._ends:
            answer = self._ask()
            self._token = _token_of(answer)
            lifetime = answer.get("expires_in")
            seconds = float(lifetime) if isinstance(lifetime, int | float) else _DEFAULT_LIFETIME
            self._ends = monotonic() + max(seconds - _MARGIN_SECONDS, seconds / 2)
        return self._token

    def _ask(self) -> Mapping[str, Any]:
        token_url, scope = self._endpoint()
        fields = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._client.key.assertion(
                self._client.client_id, token_url, now=int(time()), token_id=self._new_uuid()
            ),
        }
        try:
            limit = TimeLimit(monotonic() + _WAIT_SECONDS)
            status, body = self._exchanger.post_form(token_url, fields, limit, _MOST_BYTES)
        except ExchangeError as error:
            raise TokenError(f"The token endpoint {token_url} gave no answer: {error}.") from None
        answer = _json_object(body)
        if status != 200:
            said = answer.get("error")
            # A code of RFC 6749, or nothing: descriptions may hold anything.
            code = f", error {said}" if isinstance(said, str) and said.replace("_", "").isalpha() else ""
            raise TokenError(f"The token endpoint refuses this client: status {status}{code}.")
        return answer

    def _endpoint(self) -> tuple[str, str]:
        """Return the token endpoint and the scopes, discovered once where they were not named."""
        if self._token_url is None:
            self._token_url, second_version = discover(self._base, self._exchanger)
            self._scope = self._scope or default_scope(second_version=second_version)
        self._scope = self._scope or default_scope(second_version=True)
        return self._token_url, self._scope


def read_client(client_id: str, path: Path, key_id: str | None) -> BackendClient:
    """Read a private key: JWK, the first of a JWK Set, or PEM. Raises TokenError, which does not quote the file."""
    try:
        key = read_signing_keys(path.read_bytes())[0]
    except OSError as error:
        raise TokenError(f"The key file {path} cannot be read: {error.strerror}.") from None
    except SigningKeyError as error:
        raise TokenError(f"The key file {path} {error}.") from None
    return BackendClient(client_id, replace(key, key_id=key_id) if key_id else key)


def discover(base: str, exchanger: Exchanger) -> tuple[str, bool]:
    """Return the token endpoint of .well-known/smart-configuration, and whether scopes of SMART 2 are understood.

    Raises TokenError.
    """
    url = f"{base}/.well-known/smart-configuration"
    try:
        body = exchanger.get(url, None, TimeLimit(monotonic() + _WAIT_SECONDS), _MOST_BYTES)
    except ExchangeError as error:
        raise TokenError(f"{url} gave no answer ({error}); name the token endpoint with --token-url.") from None
    configuration = _json_object(body)
    try:
        token_url = secure_location(str(configuration.get("token_endpoint", "")))
    except ValueError as error:
        raise TokenError(f"{url} names no usable token_endpoint: {error}.") from None
    capabilities = configuration.get("capabilities")
    return token_url, isinstance(capabilities, list) and "permission-v2" in capabilities


def default_scope(*, second_version: bool) -> str:
    """Return the scopes that reading and searching the four types needs."""
    return " ".join(f"system/{name}.{'rs' if second_version else 'read'}" for name in _TYPES)


def _token_of(answer: Mapping[str, Any]) -> str:
    token, kind = answer.get("access_token"), answer.get("token_type")
    if not isinstance(token, str) or not token or any(not "!" <= character <= "~" for character in token):
        raise TokenError("The token endpoint answered without a usable access_token.")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenError("The token endpoint answered with a token that is no bearer token.")
    return token


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
