"""Unit spellings, indexed for exact and for case-insensitive lookup."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from fhir_mappings.models import KINDS, MappingRows, RefusedUnit, UnitSpelling


@dataclass(frozen=True, slots=True)
class UnitTable:
    """What each unit spelling means, per kind of quantity.

    Keys of `exact` are spellings as normalized text has them, keys of `folded` their `str.casefold()`. Look in
    `exact` first. `folded` holds a key only if every spelling of any kind, and every refused one, that folds to it
    has the same meaning; `g/l` is therefore missing, because `g/L` and `G/L` meet there.
    """

    exact: Mapping[str, Mapping[str, Decimal]]
    folded: Mapping[str, Mapping[str, Decimal]]
    refused_exact: Mapping[str, RefusedUnit]
    refused_folded: Mapping[str, RefusedUnit]
    ucum_codes: frozenset[str]
    canonical: Mapping[str, str]
    unitless_kinds: frozenset[str]

    def kinds_of(self, spelling: str) -> tuple[str, ...]:
        """Return the kinds of quantity that know the spelling, exactly or else folded; empty if none does."""
        exact = tuple(kind for kind in KINDS if spelling in self.exact[kind])
        if exact or spelling in self.refused_exact:
            return exact
        folded = spelling.casefold()
        return tuple(kind for kind in KINDS if folded in self.folded[kind])

    def refused(self, spelling: str) -> RefusedUnit | None:
        """Return the refused unit that the spelling is, exactly or else folded, or None."""
        found = self.refused_exact.get(spelling)
        if found is not None or self.kinds_of(spelling):
            return found
        return self.refused_folded.get(spelling.casefold())


def build_unit_table(rows: MappingRows) -> UnitTable:
    """Index the unit rows. The rows are checked before (`validate_rows`)."""
    unambiguous = _unambiguous_foldings(rows.units, rows.refused_units)
    return UnitTable(
        exact=_by_kind((row.kind, row.spelling, row.factor) for row in rows.units),
        folded=_by_kind(
            (row.kind, folded, row.factor) for row in rows.units if (folded := row.spelling.casefold()) in unambiguous
        ),
        refused_exact=MappingProxyType({row.spelling: row for row in rows.refused_units}),
        refused_folded=MappingProxyType(
            {folded: row for row in rows.refused_units if (folded := row.spelling.casefold()) in unambiguous}
        ),
        ucum_codes=frozenset(row.spelling for row in rows.units if row.ucum),
        canonical=MappingProxyType(dict(rows.canonical_units)),
        unitless_kinds=rows.unitless_kinds,
    )


def _by_kind(entries: Iterable[tuple[str, str, Decimal]]) -> Mapping[str, Mapping[str, Decimal]]:
    tables: dict[str, dict[str, Decimal]] = {kind: {} for kind in KINDS}
    for kind, key, factor in entries:
        tables[kind][key] = factor
    return MappingProxyType({kind: MappingProxyType(table) for kind, table in tables.items()})


def _unambiguous_foldings(units: Iterable[UnitSpelling], refused_units: Iterable[RefusedUnit]) -> frozenset[str]:
    meanings: defaultdict[str, set[tuple[str, object]]] = defaultdict(set)
    for unit in units:
        meanings[unit.spelling.casefold()].add((unit.kind, unit.factor))
    for refused in refused_units:
        meanings[refused.spelling.casefold()].add(("refused", refused.reason))
    return frozenset(folded for folded, found in meanings.items() if len(found) == 1)
