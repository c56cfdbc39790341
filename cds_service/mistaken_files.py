"""What a file is that was given in the place of another: a certificate for a key set, a table for YAML.

Told by its first bytes; nothing of it is quoted, for it may be a key.
"""

from __future__ import annotations

import csv
import re
from itertools import islice
from typing import Final

# Each with what the bytes begin with; a text may have a byte order mark or blank lines before it.
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
# DER: a SEQUENCE whose length takes one or two bytes more, as those of certificates, keys and key stores do.
_DER: Final = (b"\x30\x81", b"\x30\x82")
_JSON: Final = (b"{", b"[")
_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----")
# As OpenSSL wrote keys under a password before PKCS #8.
_OLD_PASSWORD: Final = b"Proc-Type: 4,ENCRYPTED"
_HTML: Final = re.compile(rb"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
# A key, a list item, a comment, or JSON. A first line of CSV holds names of columns.
_YAML_LINE: Final = re.compile(r"\s*(?:[\w.-]+:(?:\s|$)|- |[\[{#]|---)")
_LOOKED_AT: Final = 65_536
_SEPARATORS: Final = (",", ";", "\t")
_ROWS: Final = 3

GZIP_FILE: Final = "a gzip file"
PRIVATE_PEM: Final = "a private key (PEM)"
ENCRYPTED_PEM: Final = "a private key under a password (PEM)"
CERTIFICATE_PEM: Final = "a certificate (PEM)"
DER_FILE: Final = "a certificate or key in binary form (DER)"


def kind_of(content: bytes) -> str:
    """Name what the bytes are, with its article; empty for text of another kind, JSON and YAML among it."""
    if content.startswith(_GZIP):
        return GZIP_FILE
    if content.startswith(_ZIP):
        return "a zip file, such as a workbook of Excel"
    if content.startswith(_DER):
        return DER_FILE
    head = content[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        return "an empty file"
    if not head.startswith(_JSON) and (labels := _PEM.findall(head)):
        return _of_pem(labels, is_encrypted=_OLD_PASSWORD in head)
    if _HTML.match(head):
        return "an HTML page, such as a sign-in page that was saved"
    return "XML" if head.startswith(b"<") else ""


def is_table(text: str) -> bool:
    """Tell whether the first lines of a text are rows of one table: CSV, with commas, semicolons or tabs."""
    lines = [line for line in islice(text[:_LOOKED_AT].splitlines(), 20) if line.strip()][:_ROWS]
    if len(lines) < 2 or _YAML_LINE.match(lines[0]):
        return False
    return any(_columns(lines, separator) > 1 for separator in _SEPARATORS)


def _columns(lines: list[str], separator: str) -> int:
    """Return how many columns all lines have; 0 where they differ."""
    try:
        counts = {len(row) for row in csv.reader(lines, delimiter=separator)}
    except csv.Error:
        return 0
    return counts.pop() if len(counts) == 1 else 0


def _of_pem(labels: list[bytes], *, is_encrypted: bool) -> str:
    """Name a file by what is most secret in it: a key may have its parameters or its certificate before it."""
    private = [label for label in labels if label.endswith(b"PRIVATE KEY")]
    if private:
        return ENCRYPTED_PEM if is_encrypted or private[0].startswith(b"ENCRYPTED") else PRIVATE_PEM
    if labels[0].endswith(b"PUBLIC KEY"):
        return "a public key (PEM)"
    return CERTIFICATE_PEM if labels[0].endswith(b"CERTIFICATE") else "a PEM file"
