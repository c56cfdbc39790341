"""What a unit spelling means: by a row of its own, without case or spaces, or put together from multiple and volume."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

from fhir_mappings.models import KINDS, MappingRows, RefusedUnit, UnitSpelling
from fhir_mappings.unit_grammar import CountUnits, build_count_units, compact

_Unit = TypeVar("_Unit", UnitSpelling, RefusedUnit)


@dataclass(frozen=True, slots=True)
class UnitTable:
    """What each unit spelling means, per kind of quantity. Spellings are asked for in normalized form.

    Keys of `exact` are spellings as normalized text has them, keys of `folded` their `str.casefold()`, keys of
    `compacted` these without spaces and annotations. `folded` and `compacted` hold a key only if every spelling of any
    kind, and every refused one, that meets there has the same meaning; `g/l` is therefore missing, because `g/L` and
    `G/L` meet there. `counts` reads what has no row.
    """

    exact: Mapping[str, Mapping[str, Decimal]]
    folded: Mapping[str, Mapping[str, Decimal]]
    compacted: Mapping[str, Mapping[str, Decimal]]
    refused_exact: Mapping[str, RefusedUnit]
    refused_folded: Mapping[str, RefusedUnit]
    refused_compacted: Mapping[str, RefusedUnit]
    contested: frozenset[str]
    counts: CountUnits
    ucum_codes: frozenset[str]
    canonical: Mapping[str, str]
    unitless_kinds: frozenset[str]

    def factor(self, spelling: str, kind: str) -> Decimal | None:
        """Return the factor to the canonical unit of a kind, or None where the spelling is none of its units."""
        found = self.exact[kind].get(spelling)
        if found is not None or not spelling or self._has_exact_row(spelling):
            return found
        if kind == "count" and self.counts.is_cased(spelling):
            return self.counts.factor(spelling)
        folded = spelling.casefold()
        found = self.folded[kind].get(folded)
        if found is not None:
            return found
        bare = compact(folded)
        found = self.compacted[kind].get(bare)
        if found is not None or kind != "count" or bare in self.contested or self._is_known_compacted(bare):
            return found
        return self.counts.factor(spelling)

    def kinds_of(self, spelling: str) -> tuple[str, ...]:
        """Return the kinds of quantity that know the spelling; empty if none does."""
        return tuple(kind for kind in KINDS if self.factor(spelling, kind) is not None)

    def refused(self, spelling: str) -> RefusedUnit | None:
        """Return the refused unit that the spelling is: by its row, without case or spaces, or by its parts."""
        found = self.refused_exact.get(spelling)
        if found is not None or self.kinds_of(spelling):
            return found
        folded = spelling.casefold()
        found = self.refused_folded.get(folded) or self.refused_compacted.get(compact(folded))
        if found is not None:
            return found
        reason = self.counts.refusal(spelling)
        return RefusedUnit(spelling, reason, ()) if reason is not None else None

    def _has_exact_row(self, spelling: str) -> bool:
        return spelling in self.refused_exact or any(spelling in table for table in self.exact.values())

    def _is_known_compacted(self, bare: str) -> bool:
        return bare in self.refused_compacted or any(bare in table for table in self.compacted.values())


def build_unit_table(rows: MappingRows) -> UnitTable:
    """Index the unit rows. The rows are checked before (`validate_rows`)."""
    spellings = [*(row.spelling for row in rows.units), *(row.spelling for row in rows.refused_units)]
    folded = {spelling: spelling.casefold() for spelling in spellings}
    bare = {spelling: compact(key) for spelling, key in folded.items()}
    one_folded, _ = _meanings(rows, folded)
    one_bare, contested = _meanings(rows, bare)
    return UnitTable(
        exact=_by_kind((row.kind, row.spelling, row.factor) for row in rows.units),
        folded=_by_kind((row.kind, key, row.factor) for row, key in _keyed(rows.units, folded, one_folded)),
        compacted=_by_kind((row.kind, key, row.factor) for row, key in _keyed(rows.units, bare, one_bare)),
        refused_exact=MappingProxyType({row.spelling: row for row in rows.refused_units}),
        refused_folded=MappingProxyType({key: row for row, key in _keyed(rows.refused_units, folded, one_folded)}),
        refused_compacted=MappingProxyType({key: row for row, key in _keyed(rows.refused_units, bare, one_bare)}),
        contested=contested,
        counts=build_count_units(rows.unit_grammar),
        ucum_codes=frozenset(row.spelling for row in rows.units if row.ucum),
        canonical=MappingProxyType(dict(rows.canonical_units)),
        unitless_kinds=rows.unitless_kinds,
    )


def _by_kind(entries: Iterable[tuple[str, str, Decimal]]) -> Mapping[str, Mapping[str, Decimal]]:
    tables: dict[str, dict[str, Decimal]] = {kind: {} for kind in KINDS}
    for kind, key, factor in entries:
        tables[kind][key] = factor
    return MappingProxyType({kind: MappingProxyType(table) for kind, table in tables.items()})


def _keyed(rows: Iterable[_Unit], keys: Mapping[str, str], unambiguous: frozenset[str]) -> Iterator[tuple[_Unit, str]]:
    """Yield the rows that may be found under their key, with it."""
    for row in rows:
        key = keys[row.spelling]
        if key in unambiguous:
            yield row, key


def _meanings(rows: MappingRows, keys: Mapping[str, str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys under which one meaning stands, and those under which several meet. The empty key has none."""
    meanings: defaultdict[str, set[tuple[str, object]]] = defaultdict(set)
    for unit in rows.units:
        meanings[keys[unit.spelling]].add((unit.kind, unit.factor))
    for refused in rows.refused_units:
        meanings[keys[refused.spelling]].add(("refused", refused.reason))
    meanings.pop("", None)
    single = frozenset(key for key, found in meanings.items() if len(found) == 1)
    return single, frozenset(meanings) - single
