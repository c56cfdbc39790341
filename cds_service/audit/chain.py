"""How each line of the log is bound to the one before. Pure: bytes in, bytes out.

A line is one JSON object that starts with its sequence number and ends with its link:

    {"sequence":17,"kind":"hook",...,"link":"64 hexadecimal digits"}

    link = HMAC-SHA256(key, link of the line before + the line up to its own `,"link":`)

with SHA-256 of the same bytes where the site has no key. Links enter the computation as their 64 digits; the line
before the very first one counts as 64 zeros. Sequence numbers count all lines of all files from 1. The bytes are
taken as they stand, so no other form of the same JSON passes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cds_service.audit.bookkeeping import FORMAT, OpenedRecord

if TYPE_CHECKING:
    from cds_service.audit.bookkeeping import AnyRecord

GENESIS: Final = "0" * 64
HMAC_SHA256: Final = "hmac-sha256"
SHA256: Final = "sha256"

_KEY_ID_LABEL: Final = b"sii-cds audit chain: id of this key"
_KEY_ID_DIGITS: Final = 16
_BEGINNING: Final = re.compile(rb'\{"sequence":([1-9][0-9]{0,17}),"kind":"([a-z]+)",')
_END: Final = re.compile(rb',"link":"([0-9a-f]{64})"\}\n')
_END_BYTES: Final = 76
# Follows the algorithm in the first line of a file. Version 0.1 compares the whole text, so it takes the file for one
# of another key; it begins a file of its own after it, and its `audit verify` names the file and says this.
_REMARK: Final = f" in record format {FORMAT}, which sii-cds 0.1 cannot read"
_ENCODER: Final = msgspec.json.Encoder()
_OPENED_DECODER: Final = msgspec.json.Decoder(OpenedRecord)


class ChainHead(NamedTuple):
    """The newest record of a log. Kept outside, it proves that no records were removed from the end."""

    file: str
    sequence: int
    link: str


class Line(NamedTuple):
    """A line of the log, taken apart; `body` is what its link covers besides the link before."""

    sequence: int
    kind: str
    link: str
    body: bytes


class ChainKey:
    """How links are made: HMAC-SHA256 under a key, or SHA-256 without one."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self.algorithm = SHA256 if key is None else HMAC_SHA256
        self.named = self.algorithm + _REMARK
        # Tells which key made a file without telling anything about the key.
        self.key_id = None if key is None else hmac.digest(key, _KEY_ID_LABEL, "sha256").hex()[:_KEY_ID_DIGITS]

    def link(self, previous: str, body: bytes) -> str:
        """Return the link of a line from the link before it and its own bytes."""
        message = previous.encode("ascii") + body
        if self._key is None:
            return hashlib.sha256(message).hexdigest()
        return hmac.digest(self._key, message, "sha256").hex()

    def made(self, opened: OpenedRecord) -> bool:
        """Tell whether the links of a file with this first record are made this way."""
        return (opened.algorithm.partition(" ")[0], opened.key_id) == (self.algorithm, self.key_id)


def encode_payload(record: AnyRecord) -> bytes:
    """Encode a record as the JSON object that `bind` turns into a line."""
    return _ENCODER.encode(record)


def bind(payload: bytes, sequence: int, previous: str, key: ChainKey) -> tuple[bytes, str]:
    """Turn an encoded record into its line, and return it with its link."""
    body = b'{"sequence":%d,' % sequence + payload[1:-1]
    link = key.link(previous, body)
    return b'%b,"link":"%b"}\n' % (body, link.encode("ascii")), link


def read_line(line: bytes) -> Line | None:
    """Take a line apart, line feed included; None for bytes that are no line of this log. The link is not checked."""
    # The middle is not looked at: its bytes are what the link proves.
    beginning = _BEGINNING.match(line)
    length = len(line) - _END_BYTES
    if beginning is None or beginning.end() > length:
        return None
    end = _END.fullmatch(line, length)
    if end is None:
        return None
    return Line(int(beginning[1]), beginning[2].decode("ascii"), end[1].decode("ascii"), line[:length])


def is_start_of(sequence: int, torn: bytes) -> bool:
    """Tell whether what was left of a line belongs to the record with this number."""
    return torn.startswith(b'{"sequence":%d,' % sequence)


def read_opened(line: bytes) -> OpenedRecord | None:
    """Decode the first line of a file; None when it is anything else."""
    try:
        return _OPENED_DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
