"""Quantity to its exact factor into the canonical unit, by the site's own table.

UCUM libraries call K/uL kelvin and G/L gauss, and read 18 of 62 spellings met in the field
(docs/decisions/0003-units-by-table.md); so the table decides, and what it does not hold is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from cds_service.normalization.shapes import QuantityLike
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.unit_table import UnitTable

# Which kinds of unit a code of a given basis may carry. A pure-fraction code may state its unit as a percentage;
# albumin codes of either property are read in either unit, because it is context and both convert exactly.
_KINDS: Final = {
    "count": ("count",),
    "percent": ("percent",),
    "fraction": ("fraction", "percent"),
    "mass": ("mass", "moles"),
    "moles": ("moles", "mass"),
}

# Not "fraction" for a count: its unit is 1, which says nothing.
_OTHER_PROPERTY: Final = {"count": "percent", "percent": "count", "fraction": "count"}

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SUPERSCRIPT_POWER: Final = re.compile(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_SPACES: Final = re.compile(r"\s+")


def read_factor(quantity: QuantityLike | None, basis: str, mappings: Mappings) -> Decimal | Reason:
    """Return the factor to the canonical unit, or unit-missing, unit-unknown, unit-conflict or property-conflict.

    Code and text are both looked up. A known code wins over an unknown text and the other way round; two known ones
    of different meaning are a conflict. Only a pure-fraction code may come without a unit. A share under the code of
    a count, or a count under that of a share, is property-conflict: nobody can tell which of the two is wrong.
    """
    code = (quantity.code or "") if quantity is not None else ""
    text = (quantity.unit or "") if quantity is not None else ""
    table = mappings.units
    kinds = _KINDS[basis]
    if not code.strip() and not text.strip():
        return Decimal(1) if kinds[0] in table.unitless_kinds else Reason.UNIT_MISSING
    if _is_other_property((code, text), basis, table):
        return Reason.PROPERTY_CONFLICT
    by_code = _find(code, kinds, table)
    if text == code:
        return Reason.UNIT_UNKNOWN if by_code is None else by_code
    by_text = _find(text, kinds, table)
    if by_text is None:
        if by_code is None:
            return Reason.UNIT_UNKNOWN
        return Reason.UNIT_CONFLICT if _is_known_otherwise(text, table) else by_code
    if by_code is None:
        contradicted = _is_known_otherwise(code, table) or table.refused(normalize_spelling(code)) is not None
        return Reason.UNIT_CONFLICT if contradicted else by_text
    return by_code if by_code == by_text else Reason.UNIT_CONFLICT


def normalize_spelling(text: str) -> str:
    """Bring a unit text into the form the table is written in.

    Superscripts after "10" become ^n first: Unicode normalization would turn 10⁹/L into 109/L. Both micro signs
    become u, the multiplication sign x, runs of spaces one.
    """
    text = _SUPERSCRIPT_POWER.sub(lambda match: "10^" + match.group(1).translate(_SUPERSCRIPTS), text)
    text = text.replace("mm³", "mm3").replace("µ", "u").replace("μ", "u").replace("×", "x")
    return _SPACES.sub(" ", text).strip()


def _find(spelling: str, kinds: tuple[str, ...], table: UnitTable) -> Decimal | None:
    """Look a spelling up, exactly as sent, then normalized, then without case where that is unambiguous."""
    for kind in kinds:
        factor = table.exact[kind].get(spelling)
        if factor is not None:
            return factor
    normalized = normalize_spelling(spelling)
    for kind in kinds:
        factor = table.exact[kind].get(normalized)
        if factor is not None:
            return factor
    if normalized in table.refused_exact:
        return None
    folded = normalized.casefold()
    return next((table.folded[kind][folded] for kind in kinds if folded in table.folded[kind]), None)


def _is_other_property(spellings: tuple[str, str], basis: str, table: UnitTable) -> bool:
    """Tell whether what is known of the unit says share where the code says count, or count where it says share."""
    other = _OTHER_PROPERTY.get(basis)
    known = {kind for spelling in spellings for kind in table.kinds_of(normalize_spelling(spelling))}
    return other is not None and known == {other}


def _is_known_otherwise(spelling: str, table: UnitTable) -> bool:
    return bool(table.kinds_of(normalize_spelling(spelling)))
