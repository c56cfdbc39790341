"""Read a client JWT before anything in it is believed: one header field, a size limit, three segments of JSON."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cds_service.authorization.refusals import Refusal, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Tokens of Epic and of the CDS Hooks sandbox have 0.5 to 1 kB; every larger input is refused unread.
MAX_TOKEN_CHARACTERS = 16_384

# RFC 9110 section 11.4: the scheme name is compared without case and followed by spaces.
_BEARER = re.compile(r"bearer +(\S+)", re.ASCII | re.IGNORECASE)
# RFC 7515 section 7.1. An encrypted token (five segments) or an unsigned one (empty last segment) does not match.
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class UnverifiedToken:
    """A token whose signature was not checked. `repr` shows none of it: tokens are never logged."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def read_token(authorization_headers: Sequence[str]) -> UnverifiedToken:
    """Take the token from the Authorization fields of a request.

    Raises UnauthenticatedError unless there is one field with one signed token whose header and claims are JSON
    objects (requirements 161, 162, 176).
    """
    text = _bearer_token(authorization_headers)
    segments = _COMPACT.fullmatch(text)
    if segments is None:
        raise refused(Refusal.MALFORMED)
    return UnverifiedToken(text, _json_object(segments[1]), _json_object(segments[2]))


def _bearer_token(authorization_headers: Sequence[str]) -> str:
    if not authorization_headers:
        raise refused(Refusal.NO_AUTHORIZATION)
    if len(authorization_headers) > 1:
        raise refused(Refusal.SEVERAL_AUTHORIZATIONS)
    value = authorization_headers[0]
    if len(value) > MAX_TOKEN_CHARACTERS:
        raise refused(Refusal.TOO_LARGE)
    found = _BEARER.fullmatch(value.strip(" \t"))
    if found is None:
        raise refused(Refusal.NOT_BEARER)
    return found[1]


def _json_object(segment: str) -> Mapping[str, Any]:
    try:
        # msgspec refuses what json accepts: NaN, Infinity, lone surrogates, other encodings than UTF-8.
        value = msgspec.json.decode(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise refused(Refusal.MALFORMED)
    return value
