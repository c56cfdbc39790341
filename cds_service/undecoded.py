"""JSON that is not decoded yet: how much memory it may become, and its elements one at a time.

Three bytes of JSON (`{},`) can become an object of two hundred, so whoever sends a body must not decide how many
objects it makes. What is read here becomes none: memory is that of the text itself, time grows with its length.
"""

from __future__ import annotations

import gc
import re
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_Value = TypeVar("_Value")

# Up to here nothing is counted, since counting takes a tenth of what decoding takes: `server/body_memory.py` has room
# for the worst that such a text can become. 500 Observations are 0.46 MB.
UNCOUNTED_BYTES: Final = 524_288
# Most bytes of memory that one of each may become (CPython 3.11): a dict with a member, which is more than any struct
# of a FHIR resource; a list with its place in another; a Decimal with its place in a list.
_OBJECT_BYTES: Final = 232
_ARRAY_BYTES: Final = 88
_VALUE_BYTES: Final = 112
# FHIR resources have 7 to 14 such bytes for each byte of theirs, by this measure; in truth they take a third of it.
USUAL_BYTES: Final = 16

_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
# Bundle, entry and resource are four levels, and each extension in an extension is two.
_MOST_LEVELS: Final = 24
_STRING: Final = rb'"(?:[^"\\]++|\\.)*+"'
_CLOSING: Final = b"]"


class TooDeepError(Exception):
    """An element is nested so deep that its end is not looked for."""


def decode_uncollected(decoder: msgspec.json.Decoder[_Value], text: msgspec.Raw) -> _Value:
    """Decode without the garbage collector; raises what the decoder raises.

    What JSON becomes holds no cycles, but each of many lists brings the collector nearer to its next pass over the
    whole process. No other thread runs while a text is decoded, so none does without it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return decoder.decode(text)
    finally:
        if was_on:
            gc.enable()


def most_memory(text: bytes) -> int:
    """Return bytes that a JSON text may become at most when it is decoded; what stands in strings counts too."""
    return text.count(b"{") * _OBJECT_BYTES + text.count(b"[") * _ARRAY_BYTES + text.count(b",") * _VALUE_BYTES


def is_crowded(text: bytes) -> bool:
    """Tell whether a long text may become more memory than FHIR resources of its length do."""
    return len(text) > UNCOUNTED_BYTES and most_memory(text) > USUAL_BYTES * len(text)


def elements(array: bytes) -> Iterator[bytes]:
    """Yield the elements of a JSON array, undecoded. The text must be valid JSON without blanks around it.

    Raises TooDeepError before an element of more than 24 levels in a crowded array.
    """
    return walk(array) if is_crowded(array) else map(bytes, _LIST.decode(array))


def walk(array: bytes) -> Iterator[bytes]:
    """Yield the elements of a JSON array as `elements` does, none before it is asked for."""
    if not array[1:-1].strip():
        return
    element, position, end = _element(), 1, b""
    while end != _CLOSING:
        found = element.match(array, position)
        if found is None:
            raise TooDeepError
        yield found[1]
        position, end = found.end(), found[2]


@cache
def _element() -> re.Pattern[bytes]:
    """Return the pattern of one element and what follows it. It never goes back, so its time is linear."""
    inner = rb'[^"{}\[\]]++|' + _STRING
    nested = rb"[{\[](?:" + inner + rb")*+[}\]]"
    for _ in range(_MOST_LEVELS - 1):
        nested = rb"[{\[](?:" + inner + rb"|" + nested + rb")*+[}\]]"
    return re.compile(rb"\s*+(" + nested + rb"|" + _STRING + rb'|[^,\]\[{}"\s]++)\s*+([,\]])', re.DOTALL)
