"""What is checked before mapping rows are used: by the shipped files at start, by a site's additions as well."""

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain
from typing import Protocol

from fhir_mappings.codes import Coded, comparable, normalize_icd
from fhir_mappings.errors import MappingError
from fhir_mappings.models import (
    ANALYTES,
    CONDITION_CATEGORIES,
    KINDS,
    NO_OPERATION,
    OPERATION_KINDS,
    MappingRows,
    OperationCode,
    OperationForm,
)
from fhir_mappings.unit_grammar import written_powers
from fhir_mappings.unit_parts import UnitGrammar

# What normalization removes or rewrites can never be met: a row with it would be dead.
_UNNORMALIZED = re.compile(r"^\s|\s$|\s\s|[^\S ]|[\u00b5\u03bc\u00d7]|10[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]")


class _Coded(Coded, Protocol):
    @property
    def origin(self) -> str: ...


def validate_rows(rows: MappingRows) -> None:
    """Raise MappingError, naming file and row, for the first contradiction found; return nothing otherwise."""
    _check_systems(rows)
    _check_laboratory_codes(rows)
    _check_units(rows)
    _check_ranges(rows)
    _check_conditions(rows)
    _check_procedures(rows)
    _check_operations(rows)


def _check_systems(rows: MappingRows) -> None:
    keys: set[str] = set()
    owner: dict[str, str] = {}
    for system in rows.systems:
        _require(system.key not in keys, system.origin, f"code system {system.key!r} stands twice")
        keys.add(system.key)
        for uri in system.uris:
            _require(uri not in owner, system.origin, f"{uri} already belongs to {owner.get(uri)!r}")
            owner[uri] = system.key
    by_key = {system.key: system for system in rows.systems}
    for system in rows.systems:
        parent = by_key.get(system.edition)
        problem = f"{system.edition!r}, whose edition it is, is no code system that is none itself"
        _require(not system.edition or (parent is not None and not parent.edition), system.origin, problem)
        alike = parent is None or parent.dotted == system.dotted
        _require(alike, system.origin, f"dotted differs from {system.edition!r}, whose edition it is")


def _check_laboratory_codes(rows: MappingRows) -> None:
    accepted = _unique(rows, rows.analyte_codes, "accepted")
    for refused in rows.refused_codes:
        key = comparable(refused.system, refused.code, rows.dotted_systems)
        _require(key not in accepted, refused.origin, f"{refused.code} is accepted by {accepted.get(key)}")
        for analyte in refused.resembles:
            _require(analyte in ANALYTES, refused.origin, f"unknown analyte {analyte!r}")
    _unique(rows, rows.refused_codes, "refused")
    ranges = {(row.analyte, row.basis) for row in rows.plausible}
    for row in rows.analyte_codes:
        _require(row.analyte in ANALYTES, row.origin, f"unknown analyte {row.analyte!r}")
        _require(row.basis in KINDS, row.origin, f"unknown basis {row.basis!r}")
        _require(row.preference in (1, 2), row.origin, f"preference {row.preference} is neither 1 nor 2")
        has_range = (row.analyte, row.basis) in ranges
        _require(has_range, row.origin, f"no plausible range for {row.analyte} as {row.basis}")


def _check_units(rows: MappingRows) -> None:
    missing = [kind for kind in KINDS if kind not in rows.canonical_units]
    _require(not missing, "units.toml, canonical", f"no canonical unit for {', '.join(missing)}")
    unknown = (set(rows.canonical_units) | rows.unitless_kinds) - set(KINDS)
    _require(not unknown, "units.toml", f"unknown kind {', '.join(sorted(unknown))}")
    seen: dict[tuple[str, str], str] = {}
    for unit in rows.units:
        _require(unit.kind in KINDS, unit.origin, f"unknown kind {unit.kind!r}")
        _require(_is_positive(unit.factor), unit.origin, f"factor {unit.factor} is not positive")
        _check_spelling(unit.spelling, unit.origin)
        key = (unit.kind, unit.spelling)
        _require(key not in seen, unit.origin, f"{unit.spelling!r} stands already in {seen.get(key)}")
        seen[key] = unit.origin
    _check_refused_units(rows)
    _check_count_units(rows.unit_grammar)


def _check_count_units(grammar: UnitGrammar) -> None:
    """See that no spelling of a multiple, nor of a volume, has two meanings."""
    powers = {form.casefold(): (Decimal(10) ** power, "units.toml, counts") for power, form in written_powers(grammar)}
    for parts, seen in ((grammar.multiples, powers), (grammar.volumes, {})):
        for part in parts:
            _require(_is_positive(part.number), part.origin, f"{part.number} is not positive")
            for spelling in part.spellings:
                key = spelling if part.cased else spelling.casefold()
                number, origin = seen.setdefault(key, (part.number, part.origin))
                _require(number == part.number, part.origin, f"{spelling!r} is another number in {origin}")
    unclear = {spelling.casefold() for row in grammar.unclear for spelling in row.spellings}
    for row in grammar.unclear:
        met = sorted(unclear & set(powers))
        _require(not met, row.origin, f"{', '.join(met)} has a number as well")


def _check_refused_units(rows: MappingRows) -> None:
    known = {unit.spelling: unit.origin for unit in rows.units}
    for refused in rows.refused_units:
        _check_spelling(refused.spelling, refused.origin)
        problem = f"{refused.spelling!r} stands already in {known.get(refused.spelling)}"
        _require(refused.spelling not in known, refused.origin, problem)
        known[refused.spelling] = refused.origin


def _check_spelling(spelling: str, origin: str) -> None:
    _require(bool(spelling), origin, "empty spelling")
    found = _UNNORMALIZED.search(spelling)
    _require(found is None, origin, f"{spelling!r} is not in normalized form and would never match")


def _check_ranges(rows: MappingRows) -> None:
    seen: set[tuple[str, str]] = set()
    for row in rows.plausible:
        _require(row.analyte in ANALYTES, row.origin, f"unknown analyte {row.analyte!r}")
        _require(row.basis in KINDS, row.origin, f"unknown basis {row.basis!r}")
        _require(row.low < row.high, row.origin, f"{row.low} is not below {row.high}")
        canonical = rows.canonical_units[row.basis]
        _require(row.canonical_unit == canonical, row.origin, f"unit must be {canonical!r}")
        _require((row.analyte, row.basis) not in seen, row.origin, "a second range for the same analyte")
        seen.add((row.analyte, row.basis))
    limits = rows.differential
    positive = _is_positive(limits.sum_max) and _is_positive(limits.disagreement_max)
    _require(positive, "plausible.toml, differential", "limits must be positive")


def _check_conditions(rows: MappingRows) -> None:
    _unique(rows, rows.conditions, "listed")
    unknown = next((row for row in rows.conditions if row.category not in CONDITION_CATEGORIES), None)
    if unknown is not None:
        raise MappingError(unknown.origin, f"unknown category {unknown.category!r}")


def _check_procedures(rows: MappingRows) -> None:
    qualifying = _unique(rows, rows.procedures, "qualifying")
    _unique(rows, rows.refused_procedures, "refused or left out")
    for refused in rows.refused_procedures:
        key = comparable(refused.system, refused.code, rows.dotted_systems)
        _require(key not in qualifying, refused.origin, f"{refused.code} is counted by {qualifying.get(key)}")
    for row in rows.procedures:
        explained = row.liver_specific or bool(row.note)
        _require(explained, row.origin, "a code that does not name the liver needs a note that says why it counts")


def _check_operations(rows: MappingRows) -> None:
    _unique(rows, rows.operations, "an operation")
    _unique(rows, rows.surgical_categories, "a surgical category")
    _unique(rows, rows.grounds.site_codes, "a body site")
    _unique(rows, rows.grounds.indication_codes, "a reason")
    keys = {system.key for system in rows.systems}
    for form in rows.operation_forms:
        _require(form.system in keys, form.origin, f"unknown code system {form.system!r}")
        places = [place for place, _ in (*form.holds, *form.lacks)]
        _require(max(places) < form.length, form.origin, f"a place beyond the length {form.length}")
    for row in chain[OperationCode | OperationForm](rows.operations, rows.operation_forms):
        if row.kind not in OPERATION_KINDS and (row.kind != NO_OPERATION or isinstance(row, OperationForm)):
            raise MappingError(row.origin, f"unknown kind {row.kind!r}")


def _unique(rows: MappingRows, coded: Iterable[_Coded], what: str) -> dict[tuple[str, str], str]:
    """Return where each code stands. Thousands of rows are checked as a whole, and one by one if that fails."""
    listed = tuple(coded)
    systems = {system.key for system in rows.systems}
    dotted = rows.dotted_systems
    places = {(row.system, normalize_icd(row.code) if row.system in dotted else row.code): row.origin for row in listed}
    if len(places) == len(listed) and {row.system for row in listed} <= systems:
        return places
    seen: dict[tuple[str, str], str] = {}
    for row in listed:
        _require(row.system in systems, row.origin, f"unknown code system {row.system!r}")
        key = comparable(row.system, row.code, dotted)
        _require(key not in seen, row.origin, f"{row.code} is {what} already by {seen.get(key)}")
        seen[key] = row.origin
    return seen


def _is_positive(number: Decimal) -> bool:
    return number.is_finite() and number > 0


def _require(holds: bool, origin: str, problem: str) -> None:
    if not holds:
        raise MappingError(origin, problem)
