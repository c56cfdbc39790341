"""What a site has agreed with one EHR, the rules for the tokens of all, and the caller after authentication."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cds_service.authorization.keys import KeySource


@dataclass(frozen=True, slots=True)
class TrustedClient:
    """A CDS Client whose token was verified, or the anonymous one where the site requires no authentication.

    `fhir_servers` are the only servers that may be asked on its behalf. In mode "silent" everything is computed and
    recorded, nothing is shown. `open_fhir_server` allows requests without a token (test systems only). `trend_app` is
    where its EHR opens the SMART trend app, None where it has none; `language` is that of its cards, None the site's.
    """

    name: str
    issuer: str | None
    mode: Literal["active", "silent"]
    fhir_servers: tuple[str, ...] = ()
    open_fhir_server: bool = False
    trend_app: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ClientTrust:
    """One CDS Client: how its tokens are recognized, and what it may do once they are.

    `issuer` is compared character by character. `algorithms` is never empty and names asymmetric ones only.
    `key_set_url` is the `jku` its tokens may name; None where the keys lie in a file, and there `named_key_sets` are
    those that they may name, empty: any, since none is asked. `audiences` are accepted besides the URL of the endpoint
    called. `tenants` empty means any or none.
    """

    issuer: str
    keys: KeySource
    algorithms: tuple[str, ...]
    rights: TrustedClient
    key_set_url: str | None = None
    named_key_sets: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    # Headers of tokens whose signature was good, with the algorithm and key id they name: read once, not each time.
    proved_headers: dict[bytes, tuple[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name of the client in logs, metrics and audit records."""
        return self.rights.name


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """Rules for the tokens of all clients; times in seconds."""

    leeway_seconds: float = 60
    max_lifetime_seconds: float = 900
