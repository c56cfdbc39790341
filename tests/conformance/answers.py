"""The kinds of answers the service gives, each from a chart that leads to it, and a walk over their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.charts import bundle, days_ago, draw, hook_request, observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

# name -> (request, outcome)
HOOKS: dict[str, tuple[Json, str]] = {
    "above": (hook_request(), "above-cutoff"),
    "not above": (hook_request(*draw(120, "3.1", "1.8")), "not-above-cutoff"),
    "indeterminate": (hook_request(*draw(None)), "indeterminate"),
    "not eligible": (hook_request(conditions=bundle()), "not-eligible"),
    "earlier draw and albumin in other unit": (
        hook_request(
            *draw(),
            *draw(150, "4.0", "1.5", when=days_ago(100)),
            albumin=bundle(observation("1751-7", 3.8, "g/dL")),
        ),
        "above-cutoff",
    ),
}

# Members that the specification lets be empty (requirement 5).
MAY_BE_EMPTY = frozenset({"$.cards", "$.services"})


def members(value: Any, place: str = "$") -> Iterator[tuple[str, Any]]:
    """Yield every member of a JSON value with its place, array indexes left out."""
    yield place, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from members(member, f"{place}.{name}")
    if isinstance(value, list):
        for item in value:
            yield from members(item, place + "[]")
