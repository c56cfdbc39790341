"""Resources that one of their versions takes back: FHIR's entered-in-error.

Servers that answer from several stores, or from their history, may send a version that counted and the one that takes
it back. The latter may have lost its code and its value.
"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.normalization.shapes import ConditionLike, StatusLike

TAKEN_BACK: Final = "entered-in-error"

_ID = attrgetter("id")
_STATUS = attrgetter("status")


def ids_taken_back(*searches: Sequence[StatusLike]) -> frozenset[str]:
    """Return the ids that are delivered as entered-in-error: no other version of them counts any more."""
    for search in searches:
        if TAKEN_BACK in map(_STATUS, search):
            return frozenset(r.id for r in chain.from_iterable(searches) if r.status == TAKEN_BACK and r.id)
    return frozenset()


def conditions_taken_back(conditions: Sequence[ConditionLike]) -> frozenset[str]:
    """Return the ids of Conditions whose verification status takes them back in one of several versions."""
    if len(set(map(_ID, conditions))) == len(conditions):
        return frozenset()
    return frozenset(c.id for c in conditions if c.id and _is_taken_back(c))


def _is_taken_back(condition: ConditionLike) -> bool:
    status = condition.verificationStatus
    return status is not None and any(coding.code == TAKEN_BACK for coding in status.coding)
