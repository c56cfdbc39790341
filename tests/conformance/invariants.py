"""HL7's invariants as a judge: which of them does a request, an answer or a feedback body break?"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhirpathpy import evaluate


@dataclass(frozen=True)
class Invariant:
    """One FHIRPath expression that every element at `path` of a `document` must make true."""

    id: str
    document: str
    path: tuple[str, ...]
    expression: str

    def is_kept_by(self, element: Any) -> bool:
        return evaluate(element, self.expression) == [True]


def load_invariants() -> tuple[Invariant, ...]:
    with Path(__file__).with_name("invariants.toml").open("rb") as file:
        rows = tomllib.load(file)["invariant"]
    places = [row["on"].split(".") for row in rows]
    return tuple(
        Invariant(row["id"], place[0], tuple(place[1:]), row["expression"])
        for row, place in zip(rows, places, strict=True)
    )


def broken_invariants(document: str, content: dict[str, Any]) -> list[str]:
    """Return `id at path[index]` for every element of a request, response or feedback body that breaks one."""
    return [
        f"{invariant.id} at {place}"
        for invariant in load_invariants()
        if invariant.document == document
        for place, element in elements(content, invariant.path)
        if not invariant.is_kept_by(element)
    ]


def elements(content: Any, path: tuple[str, ...], place: str = "$") -> list[tuple[str, Any]]:
    """Return the elements at a path with their places; arrays on the way are walked through."""
    if isinstance(content, list):
        return [found for index, item in enumerate(content) for found in elements(item, path, f"{place}[{index}]")]
    if not path:
        return [(place, content)]
    if path[0] not in content:
        return []
    return elements(content[path[0]], path[1:], f"{place}.{path[0]}")
