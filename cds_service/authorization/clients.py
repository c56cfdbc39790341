"""The caller after authentication: what the rest of a request may do on its behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TrustedClient:
    """A CDS Client whose token was verified, or the anonymous one where the site requires no authentication.

    `fhir_servers` are the only servers that may be asked on its behalf. In mode "silent" everything is computed and
    recorded, nothing is shown. `open_fhir_server` allows requests without a token (test systems only).
    """

    name: str
    issuer: str | None
    mode: Literal["active", "silent"]
    fhir_servers: tuple[str, ...] = ()
    open_fhir_server: bool = False
