"""JSON by the standard library, made as strict as RFC 8259: the other opinion about what was sent."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

_MOST_DEPTH = 100
_LARGEST_EXPONENT = 300


class NotJSONError(ValueError):
    """The bytes are not JSON in UTF-8, or hold what the other reader may refuse too: lone surrogates, deep nesting."""


def strict_json(data: bytes) -> Any:
    """Return the value with exact numbers, of a repeated member the last one. Raises NotJSONError."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_decimal,
            parse_constant=_refuse,
            object_pairs_hook=_members,
        )
    except (ValueError, RecursionError) as error:
        raise NotJSONError from error
    return value


def _decimal(text: str) -> Decimal:
    """Read a number; infinite for one whose exponent no Decimal holds."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


class _Repeating(dict[str, Any]):
    """An object that names a member twice: what stood there first is forgotten, and the other reader may refuse it."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    if any(_holds_surrogate(value) for _, value in pairs):
        raise NotJSONError
    return _Repeating(pairs)


def repeats_a_member(value: Any) -> bool:
    """Tell whether an object in it names a member twice."""
    return isinstance(value, _Repeating) or any(map(repeats_a_member, _parts(value)))


def _holds_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    return any(map(_holds_surrogate, _parts(value)))


def _refuse(name: str) -> None:
    raise NotJSONError(name)


def is_comparable(value: Any) -> bool:
    """Tell whether both readers must agree: no text that UTF-8 cannot hold, and nested less than Python's limit."""
    level = [value]
    for _ in range(_MOST_DEPTH):
        if any(_holds_surrogate(part) for part in level if isinstance(part, str)):
            return False
        level = [inner for part in level for inner in _parts(part)]
        if not level:
            return True
    return False


def _parts(value: Any) -> list[Any]:
    match value:
        case dict():
            return [*value, *value.values()]
        case list():
            return value
        case _:
            return []


def holds_huge_number(value: Any) -> bool:
    """Tell whether a number in it is too large for a double, or has thousands of digits."""
    if isinstance(value, Decimal):
        return not value.is_finite() or value.adjusted() > _LARGEST_EXPONENT
    return any(map(holds_huge_number, _parts(value)))
