"""Bytes that others wrote: read as leniently as is safe, in one place for requests, servers and files.

A UTF-8 byte order mark is skipped. A surrogate without its partner, which JSON can spell and Unicode cannot, becomes
U+FFFD: it costs the text it stands in and no other. Both keep the length, so positions stay those of the sender.
UTF-16 and UTF-32 are named, not read: JSON between systems is UTF-8 (RFC 8259, section 8.1). Tokens are not read here:
what is signed is taken as it is or not at all.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, TypeVar

import msgspec

_Value = TypeVar("_Value")

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_MARK: Final = codecs.BOM_UTF8
# An even number of backslashes before it is text, and an escape behind it its own.
_SURROGATES: Final = re.compile(
    rb"(?<!\\)((?:\\\\)*+)\\u(?:([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|[dD][89a-fA-F][0-9a-fA-F]{2})"
)
# The same as bytes, which some libraries write: no character of UTF-8 begins so.
_BYTES_OF_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_ESCAPE: Final = b"\\u"
_LEAD: Final = b"\xed"
_POSITION: Final = re.compile(r"\(byte (\d+)\)")
_ENDS_EARLY: Final = "Input data was truncated"
# The longest first: the mark of UTF-32 in little-endian order begins with that of UTF-16.
_WIDE_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def decode(decoder: msgspec.json.Decoder[_Value], body: bytes | msgspec.Raw) -> _Value:
    """Decode JSON; where that fails, once more without a byte order mark and surrogates. Raises one of UNREADABLE."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        read = bytes(body)
        mended = mend(read)
        if mended == read:
            raise
    return decoder.decode(mended)


def mend(body: bytes) -> bytes:
    """Put spaces in the place of a byte order mark, and U+FFFD in that of each surrogate without its partner."""
    if body.startswith(_MARK):
        body = b" " * len(_MARK) + body[len(_MARK) :]
    # Looked for first: the patterns try every byte, in one step that lets no other thread run.
    if _ESCAPE in body:
        body = _SURROGATES.sub(_pair_or_replacement, body)
    if _LEAD in body:
        body = _BYTES_OF_SURROGATE.sub("\N{REPLACEMENT CHARACTER}".encode(), body)
    return body


def fault(body: bytes, error: Exception) -> str:
    """Say where bytes stop being JSON, without any of them; `error` is one of UNREADABLE that they gave."""
    wide = wide_encoding(body)
    if wide:
        return f"{wide} in place of UTF-8"
    if isinstance(error, RecursionError):
        return "not JSON: nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {_not_utf8(body, error.start)}"
    place = _POSITION.search(str(error))
    if place is None and str(error) == _ENDS_EARLY:
        return f"not JSON: it ends early, after byte {len(body)}"
    return f"not JSON at byte {place[1]}" if place is not None else "not JSON"


def wide_encoding(body: bytes) -> str:
    """Name the encoding that two or four bytes of each letter tell; empty where it can be UTF-8."""
    for mark, name in _WIDE_MARKS:
        if body.startswith(mark):
            return name
    # Without a mark: the first two letters of JSON and of lists of ids are ASCII, and no text holds zeros.
    return "UTF-16" if len(body) > 1 and body[:2].count(0) == 1 else ""


def text_of(body: bytes) -> str:
    """Read a text in UTF-8. Raises ValueError with half a sentence that quotes nothing of it."""
    wide = wide_encoding(body)
    if wide:
        raise ValueError(f"is {wide}; save it as UTF-8")
    try:
        return body.removeprefix(_MARK).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _pair_or_replacement(found: re.Match[bytes]) -> bytes:
    return found[0] if found[2] is not None else found[1] + rb"\ufffd"


def _not_utf8(body: bytes, start: int) -> int:
    """Return the position in the whole; the decoder tells that in the one text that it read."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return start
