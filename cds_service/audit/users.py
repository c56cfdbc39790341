"""Who asked, as a log of pseudonyms names them: a patient, or a person related to one, by no id either.

CDS Hooks lets patients open their own chart, and related persons that of a patient (patient-view, context.userId).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.audit.keys import PSEUDONYM_PREFIX, pseudonym

if TYPE_CHECKING:
    from collections.abc import Sequence

# At the end of any reference, absolute or versioned: the address of a server may hold the word too. An EHR that spells
# it another way names a person all the same.
_PERSON: Final = re.compile(
    r"(?:^|[/\s])(?:(patient)|relatedperson)/\s*([^/\s]+)(?:/_history/[^/\s]*)?\s*$", re.IGNORECASE
)


class _Person(NamedTuple):
    """`kind` is Patient/ or RelatedPerson/, empty where the id stands alone."""

    kind: str
    id: str


def user_in_log(key: bytes, user: str, patient: str) -> str:
    """Return a user with a pseudonym in place of the id of a patient or related person, anybody else as given.

    `patient` is the id of the patient asked about: it is one also where it stands alone.
    """
    person = _person(user, patient)
    return user if person is None else person.kind + pseudonym(key, person.id)


def user_forms(user: str, keys: Sequence[bytes]) -> frozenset[str]:
    """Return a user as the log may name them: as given, and with the pseudonym under each key."""
    return frozenset({user, *(user_in_log(key, user, user) for key in keys)})


def may_be(logged: str, user: str) -> bool:
    """Tell whether a user of the log, whose pseudonym cannot be compared, may be the one given."""
    kind, prefix, _ = logged.partition(PSEUDONYM_PREFIX)
    person = _person(user, user)
    return bool(prefix) and person is not None and person.kind == kind


def _person(user: str, patient: str) -> _Person | None:
    found = _PERSON.search(user)
    if found is not None:
        return _Person("Patient/" if found[1] else "RelatedPerson/", found[2])
    # No id holds a slash.
    return _Person("", patient) if user.strip() == patient and "/" not in patient else None
