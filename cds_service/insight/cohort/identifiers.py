"""What patients are called in the rows of a cohort, and how their audit records are found."""

from __future__ import annotations

from functools import lru_cache
from secrets import token_hex
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.audit.keys import PSEUDONYM_PREFIX, pseudonym, read_key
from cds_service.errors import CohortInputError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KEY_BYTES: Final = 32
# Lines of one patient often follow each other.
_NAMES_KEPT: Final = 65_536


class NamingKeys(NamedTuple):
    """What makes names and keys of patients: the key of the site, the one made for this run, and what was asked for.

    `matches_records`: pseudonyms of the audit log are to be matched.
    """

    site_key: bytes | None
    made_key: bytes | None
    plain: bool
    matches_records: bool

    def identifiers(self) -> Identifiers:
        """Return how patients are called; the same keys give the same names, in any process."""
        key = self.site_key or self.made_key
        name = _pseudonyms(key) if key is not None and not self.plain else str
        key_of = _pseudonyms(self.site_key) if self.site_key is not None and self.matches_records else str
        return Identifiers(name, key_of, self)


class Identifiers(NamedTuple):
    """`name` makes of an id what stands in the rows, `key_of` what all that belongs to a patient is grouped by."""

    name: Callable[[str], str]
    key_of: Callable[[str], str]
    keys: NamingKeys

    @property
    def made_key(self) -> bytes | None:
        """The key made for this run, to be kept beside its rows; None where the site has one, or none is needed."""
        return self.keys.made_key

    @property
    def has_site_key(self) -> bool:
        """Tell whether pseudonyms of the audit log can be matched."""
        return self.keys.site_key is not None


def make_identifiers(key_file: Path | None, *, plain: bool, with_records: bool) -> Identifiers:
    """Decide how patients are called: by their ids, or by pseudonyms under the site's key or one made now.

    Raises CohortInputError for a key file that cannot be used.
    """
    try:
        site_key = read_key(key_file) if key_file is not None else None
    except ConfigurationError as error:
        raise CohortInputError(str(error)) from error
    made_key = token_hex(_KEY_BYTES).encode() if site_key is None and not plain else None
    return NamingKeys(site_key, made_key, plain, with_records).identifiers()


def _pseudonyms(key: bytes) -> Callable[[str], str]:
    @lru_cache(maxsize=_NAMES_KEPT)
    def named(patient: str) -> str:
        return patient if patient.startswith(PSEUDONYM_PREFIX) else pseudonym(key, patient)

    return named
