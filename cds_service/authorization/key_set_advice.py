"""What is said of a key set that cannot be used, for whoever gave it: what it is instead, and what to do.

No member of a key is ever quoted. What is wrong with the keys of a set comes from `keys`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cds_service.mistaken_files import ENCRYPTED_PEM, PRIVATE_PEM, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_ASK: Final = "ask the EHR for its JWK Set, or set jwks_url to where it publishes one"
_EXPOSED: Final = "others may know it now: have a new key made, and only its public half handed on"
# By the reason for which a key was left out.
_OF_KEYS: Final = {
    "private key": _EXPOSED,
    "kid missing": "each key needs a kid",
    "RSA size": "RSA keys of 2,048 to 8,192 bits are used",
    "key type": "RSA keys, and EC keys on P-256, P-384 or P-521, are used",
    "not for signatures": 'a key to verify with has "use": "sig", or none',
    "it is empty": _ASK,
}


def instead_of_json(content: bytes) -> str:
    """Say what bytes are that are no JSON, and what to do; empty where they are of no kind that is known."""
    kind = kind_of(content)
    if not kind:
        return ""
    remedy = f"{_EXPOSED}; {_ASK}" if kind in (PRIVATE_PEM, ENCRYPTED_PEM) else _ASK
    return f"not JSON, but {kind}; {remedy}"


def instead_of_set(document: Any) -> str:
    """Say what a JSON document is that has no list of keys, and what to do."""
    if isinstance(document, dict) and "kty" in document:
        if "d" in document or document["kty"] == "oct":
            return f"a single secret key, not a JWK Set; {_EXPOSED}"
        return 'a single key, not a JWK Set; write {"keys": [ before it and ]} after it'
    if isinstance(document, dict) and "jwks_uri" in document:
        return "a discovery document, not a JWK Set; set jwks_url to its jwks_uri"
    if isinstance(document, dict) and "resourceType" in document:
        return f"a FHIR resource, not a JWK Set; {_ASK}"
    if isinstance(document, list) and document and all(isinstance(key, dict) and "kty" in key for key in document):
        return 'a list without its name, not a JWK Set; write {"keys": before it and } after it'
    return f'there is no list under "keys"; {_ASK}'


def of_unusable(reasons: Iterable[str]) -> str:
    """Say what to do about keys that were left out for these reasons, each said once."""
    told = dict.fromkeys(_OF_KEYS[reason] for reason in reasons if reason in _OF_KEYS)
    return "".join(f"; {advice}" for advice in told)
