"""Plain YAML scalars by the core schema of YAML 1.2 (section 10.3.2 of its specification), numbers kept exact.

`yes`, `off`, `22:30` and `1_000` are text, `010` is ten and `1e3` is a number, whatever YAML 1.1 made of them.
A number with a fraction or an exponent becomes a Decimal from its text and never passes through binary floating
point. `.inf` and `.nan` stay text: every number of the configuration is finite.
"""

from __future__ import annotations

import re
from decimal import Decimal

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# Digits and exponents are bounded, so that no text makes a number that is costly to build.
_DECIMAL_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_PREFIXED_INTEGER = re.compile(r"0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]{1,30}|[0-9]{1,30}(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,3})?")


def plain_scalar(text: str) -> str | int | bool | Decimal | None:
    """Give an unquoted scalar its YAML 1.2 meaning; what is nothing else is text."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _DECIMAL_INTEGER.fullmatch(text):
        return int(text, 10)
    if _PREFIXED_INTEGER.fullmatch(text):
        return int(text, 0)
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    return text
