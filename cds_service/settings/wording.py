"""Validation errors in sentences for the people who write the configuration, with the nearest right spelling."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cds_service.settings.broken_yaml import missing_blank
from cds_service.settings.excerpts import may_hold_secret
from cds_service.settings.yaml_source import plain_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return ` (did you mean "…"?)` with the nearest candidate, or an empty text when none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = get_close_matches(word.casefold(), by_folded, n=1)
    return f' (did you mean "{by_folded[near[0]]}"?)' if near else ""


_MAX_SHOWN = 40


def shown(value: object) -> str:
    """Name a wrong value as it would be written in the file; long texts are cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if may_hold_secret(value):
            return "this text"
        cut = value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…"
        return json.dumps(cut, ensure_ascii=not value.isprintable())
    if isinstance(value, int | float | Decimal):
        return str(value)
    return "a list" if isinstance(value, tuple) else "a mapping"


def sentence(error: Mapping[str, Any]) -> str:
    """Put one pydantic error (an item of `ValidationError.errors()`) into a sentence."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "this key is required"
    if error["input"] is None:
        return "is empty; write a value, or take the key out to have the default"
    write = _SENTENCES.get(kind)
    return write(error["input"], context) if write else f"{shown(error['input'])}: {error['msg']}"


def _whole_number(value: object, _context: Mapping[str, Any]) -> str:
    if isinstance(value, str) and isinstance(plain_scalar(value), int):
        return f"{shown(value)} is text; write {value} without quotes"
    return f"{shown(value)} is not a whole number{_as_number(value)}"


_THOUSANDS = 3
_DECIMAL_COMMA = re.compile(r"([-+]?\d{1,12}),(\d{1,12})")
_GROUPED = re.compile(r"[-+]?\d{1,12}(?:[,.'’_ \u00a0]\d{1,12})+")
_WITH_UNIT = re.compile(r"[-+]?\d{1,12}(?:[.,]\d{1,12})?\s?[A-Za-zµμ%/]{1,12}")


def _as_number(value: object) -> str:
    """Say how to write what people take for a number; empty for anything else."""
    text = value if isinstance(value, str) else ""
    plain = unicodedata.normalize("NFKC", text)
    if plain != text and isinstance(plain_scalar(plain), int | Decimal):
        return f"; write {plain} with plain digits"
    # Three digits behind a comma may be thousands as well.
    if (found := _DECIMAL_COMMA.fullmatch(text)) and len(found[2]) != _THOUSANDS:
        return f"; decimals stand behind a point: write {found[1]}.{found[2]}"
    if _GROUPED.fullmatch(text):
        return "; write its digits without marks between them, and decimals behind a point"
    if _WITH_UNIT.fullmatch(text):
        return "; write the number alone, in the unit that the key names"
    return ""


def _list(value: object, _context: Mapping[str, Any]) -> str:
    if not isinstance(value, dict) or not value:
        return f"{shown(value)} stands where a list is expected; write [first, second]"
    key = str(next(iter(value)))
    if key.startswith("-"):
        return missing_blank(key.lstrip("-"))
    return f'a dash is missing: an entry of a list begins with "- ", as in "- {key}: "'


def _text(value: object, _context: Mapping[str, Any]) -> str:
    if isinstance(value, bool | int | Decimal):
        return f'{shown(value)} is not text; put it in quotes: "{shown(value)}"'
    return f"{shown(value)} stands where a text is expected"


def _choice(value: object, context: Mapping[str, Any]) -> str:
    choices = re.findall(r"'([^']*)'", context["expected"])
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    if len(choices) == 1:
        return f"{shown(value)} is not supported; the only choice is {choices[0]}{hint}"
    return f"{shown(value)} is not one of {', '.join(choices)}{hint}"


def _section(value: object, _context: Mapping[str, Any]) -> str:
    return f'{shown(value)} stands where keys are expected; write "key: value" lines below'


def _number(value: object, _context: Mapping[str, Any]) -> str:
    if isinstance(value, str) and isinstance(plain_scalar(value), int | Decimal):
        return f"{shown(value)} is text; write {value} without quotes"
    return f"{shown(value)} is not a number{_as_number(value)}"


def _number_or_path(value: object, context: Mapping[str, Any]) -> str:
    if context["class"] == "Decimal":
        return _number(value, context)
    return f"{shown(value)} is not the name of a file or directory"


_SENTENCES: dict[str, Callable[[object, Mapping[str, Any]], str]] = {
    "int_type": _whole_number,
    "float_type": _number,
    "is_instance_of": _number_or_path,
    "bool_type": lambda value, _: f"{shown(value)} is neither true nor false; write true or false without quotes",
    "string_type": _text,
    "literal_error": _choice,
    "model_type": _section,
    "tuple_type": _list,
    "greater_than": lambda value, limit: f"must be more than {limit['gt']}, not {shown(value)}",
    "greater_than_equal": lambda value, limit: f"must be at least {limit['ge']}, not {shown(value)}",
    "less_than_equal": lambda value, limit: f"must be at most {limit['le']}, not {shown(value)}",
    "too_short": lambda _value, _: "needs at least one entry",
    "string_too_short": lambda _value, _: "must not be empty",
    "string_too_long": lambda _value, limit: f"is longer than {limit['max_length']} characters",
    "string_pattern_mismatch": lambda value, _: f"{shown(value)} must be one line without spaces around it",
    "value_error": lambda _value, context: str(context["error"]),
}
