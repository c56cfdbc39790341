"""Generators of charts: results as laboratories send them, results that must not count, and JSON of any kind."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.support.charts import (
    ALBUMIN,
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    bundle,
    days_ago,
    hook_request,
    observation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A number that the JSON text carries digit by digit: json.dumps would make a float of it.
NUMBER_MARK = "number:"

COUNT_UNITS = {
    "1": ("10*9/L", "10*3/uL", "10⁹/L", "x10^9/L", "10³/µL", "10^3/μL", "K/uL", "k/ul", "G/L", "Tsd/µl", "giga.l-1"),
    "0.001": ("/uL", "{cells}/uL", "cells/mcL", "10*6/L", "CELLS/UL"),
    "10": ("10*4/uL",),
    "100": ("Lakhs/cumm",),
}
SHARE_UNITS = ("%", "%{WBC}", "percent", "PERCENT", "/100", "/100 WBC")

# Days before the clock: in the window after the procedure (90 days ago), before it, and where nothing is used.
DAYS = (30, 30, 45, 45, 62, 89, 95, 118, 200)
_SPECIMENS = st.sampled_from([None, None, "Specimen/a", "Specimen/b", "https://ehr.example/fhir/Specimen/a", "#1"])


def json_text(body: Json) -> str:
    """Write a body as JSON, with the numbers that stand behind the mark written as they are."""
    parts = json.dumps(body).split(f'"{NUMBER_MARK}')
    return parts[0] + "".join(part.replace('"', "", 1) for part in parts[1:])


def spelled(code: str, value: Decimal, factor: str, unit: str, **members: Any) -> Json:
    """Build an Observation of a canonical value as a laboratory with this unit reports it, exact to the digit."""
    number = f"{NUMBER_MARK}{value / Decimal(factor):f}"
    return observation(code, number, unit, **members)


def moments(days: st.SearchStrategy[float]) -> st.SearchStrategy[str]:
    """Generate times as charts hold them: moments some minutes apart, days, and moments without a zone."""
    minutes = st.sampled_from([0, 0, 0, 10, 40, 70])
    when = st.builds(lambda day, minute: days_ago(day - minute / 1440), days, minutes)
    return st.one_of(when, when, when, when.map(lambda text: text[:10]), when.map(lambda text: text[:19]))


# Code, values in canonical units, units by their factor.
_Kind = tuple[str, tuple[Any, ...], "Mapping[str, tuple[str, ...]]"]
_PLATELETS: _Kind = (PLATELETS, (150, 210), COUNT_UNITS)
_COUNTS: tuple[_Kind, ...] = (
    (NEUTROPHILS, (4, 6), COUNT_UNITS),
    (LYMPHOCYTES, (2, 2, 3, 0), COUNT_UNITS),
    _PLATELETS,
)
_SHARES: tuple[_Kind, ...] = (
    (NEUTROPHILS_SHARE, ("0.6", "0.6", "0.4", "0.006"), {"0.01": SHARE_UNITS}),
    (LYMPHOCYTES_SHARE, ("0.2", "0.3", "0.002"), {"0.01": SHARE_UNITS}),
    _PLATELETS,
)
_OTHERS: tuple[_Kind, ...] = (
    ("753-4", (4, 5), COUNT_UNITS),
    ("732-8", (2, 3), COUNT_UNITS),
    ("30451-9", (3, 5), COUNT_UNITS),
    ("26507-4", (0, 1), COUNT_UNITS),
    ("769-0", ("0.4", "0.55"), {"0.01": SHARE_UNITS}),
    ("764-1", ("0", "0.05", "0.2"), {"0.01": SHARE_UNITS}),
    ("13046-8", ("0.01", "0.1"), {"0.01": SHARE_UNITS}),
    ("71676-1", ("0.6",), {"1": ("1", "{ratio}")}),
    (ALBUMIN, (38, 41), {"1": ("g/L",), "10": ("g/dL",)}),
)


@st.composite
def results(draw: st.DrawFn, kinds: Sequence[_Kind] = _COUNTS + _SHARES + _OTHERS, day: float | None = None) -> Json:
    """Generate one usable result of ours, under any accepted form."""
    code, values, units = draw(st.sampled_from(kinds))
    factor = draw(st.sampled_from(sorted(units)))
    specimen = draw(_SPECIMENS)
    return spelled(
        code,
        Decimal(draw(st.sampled_from(values))),
        factor,
        draw(st.sampled_from(units[factor])),
        when=draw(moments(st.sampled_from(DAYS if day is None else (day,)))),
        status=draw(st.sampled_from(["final", "final", "final", "amended", "corrected"])),
        issued=draw(st.sampled_from([None, days_ago(29), days_ago(28)])),
        specimen={"reference": specimen} if specimen else None,
    )


@st.composite
def panels(draw: st.DrawFn) -> list[Json]:
    """Generate the results of about one hour: counts, shares, or both."""
    day = draw(st.sampled_from(DAYS))
    kinds = draw(st.sampled_from([_COUNTS, _COUNTS, _SHARES, _COUNTS[:2] + _SHARES]))
    return [draw(results((kind,), day)) for kind in kinds]


# What makes a result one that must not count, or one that may be of another patient.
FLAWS: Sequence[Json] = (
    {"subject": {"reference": "Patient/p2"}},
    {"subject": None},
    {"status": "preliminary"},
    {"status": "entered-in-error"},
    {"status": None},
    {"effectiveDateTime": None},
    {"effectiveDateTime": "2026-10"},
    {"effectiveDateTime": "someday"},
    {"effectiveDateTime": "2027-01-01"},
    {"valueQuantity": None},
    {"valueQuantity": {"value": 4}},
    {"valueQuantity": {"value": 4, "unit": "10*12/L"}},
    {"valueQuantity": {"value": 4, "unit": "g/L", "code": "10*9/L"}},
    {"valueQuantity": {"value": "4", "unit": "10*9/L"}},
    {"valueQuantity": {"value": 4, "unit": "10*9/L", "comparator": "<"}},
    {"valueQuantity": {"value": 40_000, "unit": "/nL"}},
    {"valueQuantity": None, "valueString": "clotted"},
    {"dataAbsentReason": {"text": "clotted"}},
    {"status": 5},
)


def flawed() -> st.SearchStrategy[Json]:
    """Generate a result of ours that must not count, at a time that would matter."""
    return st.builds(
        lambda resource, flaw: {k: v for k, v in (resource | flaw).items() if v is not None},
        results(),
        st.sampled_from(FLAWS),
    )


def charts(extra: st.SearchStrategy[Json] | None = None) -> st.SearchStrategy[list[Json]]:
    """Generate Observations with ids of their own: some panels, and some single results (`extra`) among them."""
    singles = st.lists(extra if extra is not None else results(), max_size=5)
    return st.builds(
        lambda groups, others: [
            resource | {"id": f"o{place}"} for place, resource in enumerate([*itertools.chain(*groups), *others])
        ],
        st.lists(panels(), max_size=3),
        singles,
    )


# fmt: off
_NAMES = st.sampled_from([
    "resourceType", "entry", "resource", "link", "relation", "url", "fullUrl", "id", "status", "code", "coding",
    "system", "value", "unit", "comparator", "subject", "reference", "effectiveDateTime", "effectivePeriod",
    "start", "end", "issued", "valueQuantity", "component", "specimen", "issue", "severity", "birthDate",
    "deceasedDateTime", "performedDateTime", "clinicalStatus", "verificationStatus", "meta", "versionId",
    "type", "total", "search", "mode", "focus", "modifierExtension",
])
# fmt: on
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["Bundle", "Observation", "OperationOutcome", "Patient", "Patient/p1", "final", "0001-01-01", "match"]
    ),
    st.sampled_from(["1e999", "1e99999999999999999999", "9" * 40, "-0.0", "1" * 5000]).map(NUMBER_MARK.__add__),
)


def any_json() -> st.SearchStrategy[Any]:
    """Generate JSON of any kind, with the names that FHIR uses more often than not."""
    names = st.one_of(_NAMES, _NAMES, st.text(max_size=4))
    return st.recursive(
        _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=12
    )


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, member in inner for place in _places(member, (*path, name)))]


def _replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


@st.composite
def damaged_requests(draw: st.DrawFn) -> Json:
    """Generate a request whose prefetch is right but for one to three places that hold any JSON."""
    request = hook_request()
    request["prefetch"]["bloodCounts"] = bundle(*draw(charts(flawed())))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([place for place in _places(request["prefetch"]) if place]))
        request["prefetch"] = _replaced(request["prefetch"], path, draw(any_json()))
    return request
