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

# Full-width forms, as Chinese and Japanese systems print them, and the signs they put several letters into.
_WIDE: Final = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_SIGNS: Final = str.maketrans(
    {
        "µ": "u",
        "μ": "u",
        "×": "x",
        "✕": "x",
        "⁄": "/",
        "∕": "/",
        "·": ".",
        "⋅": ".",
        "²": "2",
        "³": "3",
        "ℓ": "l",
        "㎕": "ul",
        "㎖": "ml",
        "㎗": "dl",
        "㎣": "mm3",
        "㎎": "mg",
        "㏄": "cc",
    }
)
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SUPERSCRIPT_POWER: Final = re.compile(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_SPACES: Final = re.compile(r"\s+")


def read_factor(quantity: QuantityLike | None, basis: str, mappings: Mappings) -> Decimal | Reason:
    """Return the factor to the canonical unit, or unit-missing, unit-unknown, unit-conflict or property-conflict.

    Code and text are both looked up. A known one wins over an unknown one; two known ones of different meaning are a
    conflict, and so is a refused one beside a known one. Only a pure-fraction code may come without a unit. A share
    under the code of a count, or a count under that of a share, is property-conflict: nobody can tell which of the two
    is wrong.
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
    by_text = _find(text, kinds, table) if text != code else by_code
    if by_code is None and by_text is None:
        return Reason.UNIT_UNKNOWN
    if by_code is None or by_text is None:
        known = by_text if by_code is None else by_code
        contradicted = _contradicts(code if by_code is None else text, known, table)
        return Reason.UNIT_CONFLICT if contradicted or known is None else known
    return by_code if by_code == by_text else Reason.UNIT_CONFLICT


def normalize_spelling(text: str) -> str:
    """Bring a unit text into the form the table is written in.

    Superscripts after "10" become ^n first: Unicode normalization would turn 10⁹/L into 109/L. Both micro signs
    become u, the multiplication sign x, full-width and squared characters plain ones, runs of spaces one.
    """
    if not text.isascii():
        text = text.translate(_WIDE)
        text = _SUPERSCRIPT_POWER.sub(lambda match: "10^" + match.group(1).translate(_SUPERSCRIPTS), text)
        text = text.translate(_SIGNS)
    return _SPACES.sub(" ", text).strip()


def _find(spelling: str, kinds: tuple[str, ...], table: UnitTable) -> Decimal | None:
    """Look a spelling up as sent, then normalized and in all the ways of the table."""
    for kind in kinds:
        factor = table.exact[kind].get(spelling)
        if factor is not None:
            return factor
    normalized = normalize_spelling(spelling)
    return next((found for kind in kinds if (found := table.factor(normalized, kind)) is not None), None)


def _is_other_property(spellings: tuple[str, str], basis: str, table: UnitTable) -> bool:
    """Tell whether what is known of the unit says share where the code says count, or count where it says share."""
    other = _OTHER_PROPERTY.get(basis)
    known = {kind for spelling in spellings for kind in table.kinds_of(normalize_spelling(spelling))}
    return other is not None and known == {other}


def _contradicts(spelling: str, factor: Decimal | None, table: UnitTable) -> bool:
    """Tell whether a spelling that is not read says something else than the factor of its partner.

    What is unknown says nothing; nor does a lost superscript that would give the same factor.
    """
    normalized = normalize_spelling(spelling)
    if not normalized:
        return False
    if table.kinds_of(normalized):
        return True
    return table.refused(normalized) is not None and table.counts.without_sign(normalized) != factor
