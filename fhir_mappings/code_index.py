"""Rows by system and code, found exactly, from a code below them, or through the edition that a code belongs to."""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from fhir_mappings.codes import Coded, normalize_icd
from fhir_mappings.models import CodeSystem

_Row = TypeVar("_Row", bound=Coded)


class _Place(NamedTuple):
    """Where codes of a system are looked for: its own rows, then those of the system it is an edition of."""

    systems: tuple[str, ...]
    dotted: bool
    deep: bool
    lengths: tuple[int, ...]


class CodeIndex(Generic[_Row]):
    """Finds the row that speaks for a code. Of several the one with the longest code wins, then the edition's own.

    A look-up tries the few lengths that codes of the system have, so its cost does not grow with the table.
    """

    def __init__(self, rows: Iterable[_Row], systems: Iterable[CodeSystem]) -> None:
        """Index checked rows. A row with `prefix` speaks for all codes below its own."""
        by_key = {system.key: system for system in systems}
        dotted = frozenset(key for key, system in by_key.items() if system.dotted)
        # Written out instead of `comparable`: it runs for thousands of rows at the start of every worker.
        self._rows = {(row.system, normalize_icd(row.code) if row.system in dotted else row.code): row for row in rows}
        lengths: dict[str, set[int]] = {}
        for system_key, length in {(key, len(code)) for key, code in self._rows}:
            lengths.setdefault(system_key, set()).add(length)
        self._places = {key: _place(system, by_key, lengths) for key, system in by_key.items()}

    def find(self, system: str | None, code: str) -> _Row | None:
        """Return the row that speaks for a code of a system, or None. An unknown system has no rows."""
        place = self._places.get(system) if system is not None else None
        if place is None:
            return None
        wanted = normalize_icd(code) if place.dotted else code
        for length in place.lengths:
            if length <= len(wanted):
                for key in place.systems:
                    found = self._rows.get((key, wanted[:length]))
                    if found is not None and (length == len(wanted) or place.deep or getattr(found, "prefix", False)):
                        return found
        return None

    def comparable(self, system: str | None, code: str) -> str:
        """Return a code in the form in which codes of the system are compared."""
        place = self._places.get(system) if system is not None else None
        return normalize_icd(code) if place is not None and place.dotted else code


def _place(system: CodeSystem, by_key: dict[str, CodeSystem], lengths: dict[str, set[int]]) -> _Place:
    family = (system.key, system.edition) if system.edition else (system.key,)
    known = sorted({length for key in family for length in lengths.get(key, ())}, reverse=True)
    return _Place(family, system.dotted, system.prefix or any(by_key[k].prefix for k in family), tuple(known))
