"""A value that the checks refuse, as a problem at the place where it is to be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cds_service.settings.broken_yaml import missing_colon
from cds_service.settings.errors import KeyPath, Problem, dotted
from cds_service.settings.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.settings.yaml_source import Document

_KEYS_EXPECTED: Final = "model_type"
_LIST_EXPECTED: Final = "tuple_type"


def refusal(document: Document, path: KeyPath, detail: Mapping[str, Any]) -> Problem:
    """Put one pydantic error (an item of `ValidationError.errors()`) about the value at `path` into a problem."""
    value = detail["input"]
    if detail["type"] == _KEYS_EXPECTED and isinstance(value, str) and (lacking := missing_colon(value)):
        # On a line of its own, or behind the dash of an entry, a text is a key and its value without the colon.
        is_entry = isinstance(path[-1], int) and not value.isidentifier()
        place = document.place_of(path) if is_entry else document.below.get(path)
        if place is not None:
            return Problem(place, dotted(path), lacking)
    place = document.place_of(path)
    if detail["type"] == _LIST_EXPECTED and isinstance(value, dict) and value:
        # The dash is missing in front of the first key.
        place = document.places.get((*path, next(iter(value))), place)
    return Problem(place, dotted(path), sentence(detail))
