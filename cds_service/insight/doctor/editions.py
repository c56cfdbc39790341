"""Diagnosis codes of a system that the tables do not know, read as if it were a national edition of an ICD they know.

What this finds is a suspicion: doctor tells it, and proposes the system as an edition. The service never guesses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.doctor.lookalikes import fold

if TYPE_CHECKING:
    from fhir_mappings.mappings import Mappings

# Keys of fhir_mappings/systems.toml with the name an overlay gives them, and what says so in a URI.
_CLINICAL_MODIFICATION: Final = re.compile(r"icd[-_]?10[-_]?cm")
_NINTH: Final = re.compile(r"icd[-_]?9")
_ICD_10: Final = re.compile(r"[A-Z][0-9]{2}[0-9A-Z.]*", re.IGNORECASE)
_ICD_9: Final = re.compile(r"[0-9]{3}[0-9.]*")
# Denmark's SKS writes ICD-10 behind a D ("DC220"), which no edition can say.
_SKS: Final = re.compile(r"D([A-Z][0-9]{2}[0-9A-Z]*)")
# Longest code of the WHO's ICD-10 without its dot; longer ones are a national edition's own.
_LONGEST_ICD_10: Final = 4
_CATEGORY_LENGTH: Final = 3
# Categories that keep a patient from getting a card, and as what they are told.
EXCLUDING: Final = {
    "metastasis": "metastasis",
    "secondary": "recurrence",
    "recurrence": "recurrence",
    "transplant-status": "recurrence",
}
# What a reader of the report should see; other diagnoses are only counted.
_BEARING: Final = frozenset({"primary", "history", "ambiguous", "other-histology", *EXCLUDING})


class EditionReading(NamedTuple):
    """What a code would say: `parent` as an overlay names it, its category, whether the system can be an edition."""

    parent: str
    category: str
    meaning: str
    is_edition: bool
    is_longer: bool


def read_as_edition(system: str, code: str, mappings: Mappings) -> EditionReading | None:
    """Return what a code says as that of an ICD; None for known systems, other codes, and what bears on nothing."""
    if mappings.canonical_system(system) is not None:
        return None
    prefixed = _SKS.fullmatch(code)
    plain = prefixed[1] if prefixed is not None else code
    parent = _parent(fold(system), plain)
    uri = next((s.uris[0] for s in mappings.rows.systems if s.key == parent.replace("-", "")), None)
    if not parent or uri is None:
        return None
    stem = plain.replace(".", "")
    for length in range(len(stem), _CATEGORY_LENGTH - 1, -1):
        row = mappings.condition(uri, stem[:length])
        if row is not None:
            is_longer = parent == "icd-10" and len(stem) > _LONGEST_ICD_10
            found = EditionReading(parent, row.category, row.meaning, ":" in system and prefixed is None, is_longer)
            return found if row.category in _BEARING else None
    return None


def _parent(uri: str, code: str) -> str:
    if _ICD_10.fullmatch(code):
        return "icd-10-cm" if _CLINICAL_MODIFICATION.search(uri) else "icd-10"
    return "icd-9-cm" if _ICD_9.fullmatch(code) and _NINTH.search(uri) else ""
