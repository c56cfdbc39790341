"""Read a client JWT before anything in it is believed: one header field, a size limit, three segments of JSON."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.authorization.refusals import Refusal, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Tokens of Epic and of the CDS Hooks sandbox have 0.5 to 1 kB; every larger input is refused unread.
MAX_TOKEN_CHARACTERS = 16_384
# A client signs all its tokens under the same header.
HEADERS_KEPT: Final = 64

# RFC 9110 section 11.4: the scheme name is compared without case and followed by spaces.
_BEARER: Final = re.compile(r"[ \t]*(?i:bearer) +\S+[ \t]*", re.ASCII)
# RFC 7515 section 2: base64url without padding. What is no letter of it becomes one that no reader of base64 takes.
_OF_BASE64: Final = {"-": "+", "_": "/"} | {letter: letter for letter in string.ascii_letters + string.digits}
_BASE64: Final = bytes(ord(_OF_BASE64.get(chr(byte), "!")) for byte in range(256))
_PADDING: Final = (b"", b"!", b"==", b"=")
_read_segments: Final = msgspec.json.Decoder(tuple[bytes, bytes]).decode
_read_json: Final = msgspec.json.Decoder().decode


class UnverifiedToken(msgspec.Struct, frozen=True, gc=False):
    """A token whose signature was not checked. `repr` shows none of it: tokens are never logged.

    `header_text` is the header as it came, `signed` the text that `signature` was made for.
    """

    header_text: bytes
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    __repr__ = object.__repr__


def read_token(authorization_headers: Sequence[str]) -> UnverifiedToken:
    """Take the token from the Authorization fields of a request.

    Raises UnauthenticatedError unless there is one field with one signed token whose header and claims are JSON
    objects (requirements 161, 162, 176).
    """
    if len(authorization_headers) != 1:
        raise refused(Refusal.SEVERAL_AUTHORIZATIONS if authorization_headers else Refusal.NO_AUTHORIZATION)
    value = authorization_headers[0]
    if len(value) > MAX_TOKEN_CHARACTERS:
        raise refused(Refusal.TOO_LARGE)
    scheme, _, token = value.strip(" \t").partition(" ")
    # RFC 7515 section 7.1. An encrypted token has five segments, the signature of an unsigned one is empty: a segment
    # with a point in it, or without a letter, is not read.
    signed, _, signature = token.lstrip(" ").encode(errors="replace").rpartition(b".")
    header, _, claims = signed.partition(b".")
    try:
        if scheme.lower() != "bearer" or not signature:
            raise ValueError
        members = _header(header)
        claims_json, signature_bytes = _decoded(claims, signature)
        return UnverifiedToken(header, members, _object(claims_json), signed, signature_bytes)
    except (ValueError, RecursionError):
        raise refused(Refusal.MALFORMED if _BEARER.fullmatch(value) else Refusal.NOT_BEARER) from None


def _decoded(first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Read two segments at once. Raises ValueError unless both are base64url without padding."""
    segments = first.translate(_BASE64), _PADDING[len(first) % 4], second.translate(_BASE64), _PADDING[len(second) % 4]
    return _read_segments(b'["%b%b","%b%b"]' % segments)


def _object(text: bytes) -> dict[str, Any]:
    # msgspec refuses what json accepts: NaN, Infinity, lone surrogates, other encodings than UTF-8.
    value = _read_json(text)
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004  text of another form is what the caller expects to hear of
    return value


@lru_cache(HEADERS_KEPT)
def _header(segment: bytes) -> Mapping[str, Any]:
    return _object(_decoded(segment, b"")[0])
