"""Read a client JWT before anything in it is believed: one header field, a size limit, three segments of JSON."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from cds_service.authorization.refusals import Refusal, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Tokens of Epic and of the CDS Hooks sandbox have 0.5 to 1 kB; every larger input is refused unread.
MAX_TOKEN_CHARACTERS = 16_384

# RFC 9110 section 11.4: the scheme name is compared without case and followed by spaces.
_BEARER = re.compile(r"(?i:bearer) +\S+", re.ASCII)
# RFC 7515 section 7.1. An encrypted token (five segments) or an unsigned one (empty last segment) does not match.
_BEARER_TOKEN = re.compile(r"[ \t]*(?i:bearer) +(([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+))\.([A-Za-z0-9_-]+)[ \t]*", re.ASCII)
# A client signs all its tokens under the same header.
_HEADERS_KEPT = 64


@dataclass(frozen=True, slots=True, repr=False)
class UnverifiedToken:
    """A token whose signature was not checked. `repr` shows none of it: tokens are never logged.

    `signed` is the text that `signature` was made for.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def read_token(authorization_headers: Sequence[str]) -> UnverifiedToken:
    """Take the token from the Authorization fields of a request.

    Raises UnauthenticatedError unless there is one field with one signed token whose header and claims are JSON
    objects (requirements 161, 162, 176).
    """
    if not authorization_headers:
        raise refused(Refusal.NO_AUTHORIZATION)
    if len(authorization_headers) > 1:
        raise refused(Refusal.SEVERAL_AUTHORIZATIONS)
    value = authorization_headers[0]
    if len(value) > MAX_TOKEN_CHARACTERS:
        raise refused(Refusal.TOO_LARGE)
    found = _BEARER_TOKEN.fullmatch(value)
    if found is None:
        raise refused(Refusal.MALFORMED if _BEARER.fullmatch(value.strip(" \t")) else Refusal.NOT_BEARER)
    signed, header, claims, signature = found.groups()
    return UnverifiedToken(_header(header), _json_object(claims), signed.encode(), _decoded(signature))


def _json_object(segment: str) -> Mapping[str, Any]:
    try:
        # msgspec refuses what json accepts: NaN, Infinity, lone surrogates, other encodings than UTF-8.
        value = msgspec.json.decode(_decoded(segment))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise refused(Refusal.MALFORMED)
    return value


_header = lru_cache(_HEADERS_KEPT)(_json_object)


def _decoded(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise refused(Refusal.MALFORMED) from None
