"""How the trend app is registered with the authorization server of one client, and how it proves who it is."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Protocol
from urllib.parse import quote_plus

from cds_service.authorization.client_assertion import ASSERTION_TYPE
from cds_service.smart.addresses import CALLBACK, KEY_SET, LAUNCH, address_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.authorization.client_assertion import SigningKey

READ_TYPES: Final = ("Patient", "Observation", "Condition", "Procedure")
_SUFFIX: Final = {"v1": "read", "v2": "rs"}


class ClientProof(Protocol):
    """How a client proves to a token endpoint who it is; `method` is the name that servers have for it."""

    method: ClassVar[str]

    def prove(self, token_url: str, *, now: int, token_id: str) -> tuple[Mapping[str, str], str | None]:
        """Return what is added to the form, and the Authorization field, if there is one."""


@dataclass(frozen=True, slots=True)
class PublicClient:
    """Proves nothing: PKCE alone ties the code to the launch."""

    method: ClassVar[str] = "none (public client, PKCE S256)"
    client_id: str

    def prove(self, token_url: str, *, now: int, token_id: str) -> tuple[Mapping[str, str], str | None]:  # noqa: ARG002
        """Name the client."""
        return {"client_id": self.client_id}, None


@dataclass(frozen=True, slots=True, repr=False)
class SecretClient:
    """client_secret_basic (RFC 6749, section 2.3.1)."""

    method: ClassVar[str] = "client_secret_basic"
    client_id: str
    secret: str

    def prove(self, token_url: str, *, now: int, token_id: str) -> tuple[Mapping[str, str], str | None]:  # noqa: ARG002
        """Send id and secret in the Authorization field, each form-encoded first."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
        return {}, f"Basic {base64.b64encode(pair.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class KeyClient:
    """private_key_jwt. The first key signs; all are published, so that keys can be replaced."""

    method: ClassVar[str] = "private_key_jwt"
    client_id: str
    keys: tuple[SigningKey, ...]

    def prove(self, token_url: str, *, now: int, token_id: str) -> tuple[Mapping[str, str], str | None]:
        """Sign an assertion for this token endpoint."""
        assertion = self.keys[0].assertion(self.client_id, token_url, now=now, token_id=token_id)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The trend app of one client.

    `fhir_server` has no slash at its end. `id_token_issuer` is None where discovery names it. `hooks_as` is the client
    that the audit log names for the hooks of the same EHR. `public_url` has no slash at its end.
    """

    client: str
    hooks_as: str
    client_id: str
    proof: ClientProof = field(repr=False)
    fhir_server: str
    id_token_issuer: str | None
    scope_syntax: Literal["v1", "v2"]
    frame_ancestors: tuple[str, ...]
    earlier_decisions_days: int
    public_url: str

    @property
    def launch_url(self) -> str:
        """Where the EHR opens the app."""
        return address_of(LAUNCH, self.public_url, self.client)

    @property
    def redirect_uri(self) -> str:
        """Where the authorization server sends the browser back to."""
        return address_of(CALLBACK, self.public_url, self.client)

    @property
    def key_set_url(self) -> str:
        """Where the public keys stand."""
        return address_of(KEY_SET, self.public_url, self.client)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is asked for: this launch, who is asking, and to read and search four types of one patient."""
        suffix = _SUFFIX[self.scope_syntax]
        return ("launch", "openid", "fhirUser", *(f"patient/{kind}.{suffix}" for kind in READ_TYPES))

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The keys that are published; none where the app does not sign."""
        return self.proof.keys if isinstance(self.proof, KeyClient) else ()


def missing_scopes(granted: str, registration: Registration) -> tuple[str, ...]:
    """Name the scopes that were not granted, as they were asked for.

    SMART 1 and 2 are both read. A scope with a query (`patient/Observation.rs?category=…`) grants a part only, and
    what is in the other part would be missed without a word.
    """
    given = [scope for scope in map(_granted, granted.split()) if scope is not None]
    suffix = _SUFFIX[registration.scope_syntax]
    return tuple(
        f"patient/{kind}.{suffix}"
        for kind in READ_TYPES
        if not any(of in (kind, "*") and may_read for of, may_read in given)
    )


def _granted(scope: str) -> tuple[str, bool] | None:
    """Return the type of a patient scope, and whether it may be read and searched; None for other scopes."""
    context, _, rest = scope.partition("/")
    kind, point, actions = rest.partition(".")
    if context != "patient" or not point:
        return None
    return kind, actions in ("read", "*") or {"r", "s"} <= set(actions) <= set("cruds")
