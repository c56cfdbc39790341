"""The key file of the site: it keys the chain, and the pseudonyms of patients."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from cds_service.errors import ConfigurationError
from cds_service.settings.named_files import read_named_file

if TYPE_CHECKING:
    from pathlib import Path

# FIPS 198, section 3: a key has at least half the length of the hash value, 32 bytes for SHA-256.
LEAST_KEY_BYTES: Final = 16

PSEUDONYM_PREFIX: Final = "hmac:"

# Links are computed over bytes that start with hexadecimal digits: no pseudonym can serve as a link.
_PSEUDONYM_LABEL: Final = b"sii-cds patient pseudonym\x00"
_ENCOUNTER_LABEL: Final = b"sii-cds encounter pseudonym\x00"


def read_key(path: Path) -> bytes:
    """Read a key file: its bytes without one final line feed.

    Raises ConfigurationError when the file cannot be read or holds fewer than 16 bytes.
    """
    try:
        key = read_named_file(path).removesuffix(b"\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: the audit key cannot be read: {error.strerror}") from error
    if len(key) < LEAST_KEY_BYTES:
        raise ConfigurationError(f"{path}: the audit key needs at least {LEAST_KEY_BYTES} bytes, it has {len(key)}")
    return key


def pseudonym(key: bytes, patient: str) -> str:
    """Return what the log holds instead of a patient id; the same id gives the same pseudonym under one key."""
    return PSEUDONYM_PREFIX + hmac.digest(key, _PSEUDONYM_LABEL + patient.encode(), "sha256").hex()


def encounter_pseudonym(key: bytes, encounter: str) -> str:
    """Return what the log holds instead of an encounter id; nothing for none."""
    if not encounter:
        return ""
    return PSEUDONYM_PREFIX + hmac.digest(key, _ENCOUNTER_LABEL + encounter.encode(), "sha256").hex()
