"""What a site has agreed with one EHR, and the rules that hold for the tokens of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cds_service.authorization.clients import TrustedClient
    from cds_service.authorization.keys import KeySource


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
