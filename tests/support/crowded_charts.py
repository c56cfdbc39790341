"""Families of charts that once cost more than their size: each function returns about so many laboratory results.

`LABORATORY_FAMILIES` names them all; a benchmark or a test takes `family(n)` and `family(2 * n)` and compares.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PATIENT_ID,
    PLATELETS,
    Json,
    observation,
)

# Out of reach of every window, so that all are tried and none is a draw.
_FAR = 40 * 24 * 3600

Family = Callable[[int], list[Json]]

_START = datetime(2026, 10, 14, 6, tzinfo=UTC)
_MANUAL = {PLATELETS: "778-1", NEUTROPHILS: "753-4", LYMPHOCYTES: "732-8"}
_COUNTS = ((PLATELETS, 210), (NEUTROPHILS, 6), (LYMPHOCYTES, 2))
_SHARES = ((NEUTROPHILS_SHARE, 60), (LYMPHOCYTES_SHARE, 20))


def _at(seconds: float) -> str:
    return (_START + timedelta(seconds=seconds)).isoformat()


def _counts(number: int, when: str, **members: Any) -> list[Json]:
    return [observation(code, value, when=when, oid=f"{code}-{number}", **members) for code, value in _COUNTS]


def _shares(number: int, when: str, **members: Any) -> list[Json]:
    return [observation(code, value, "%", when=when, oid=f"{code}-{number}", **members) for code, value in _SHARES]


def _far_lymphocytes() -> Json:
    return observation(LYMPHOCYTES, 2, when=_at(-_FAR), oid="far")


def counts_of_one_moment(number: int) -> list[Json]:
    """Nothing tells which version is the latest."""
    return [o for i in range(number // 3) for o in _counts(i, _at(0))]


def issued_counts_of_one_moment(number: int) -> list[Json]:
    return [o for i in range(number // 3) for o in _counts(i, _at(0), issued=_at(7200 + i))]


def issued_counts_of_one_day(number: int) -> list[Json]:
    return [o for i in range(number // 3) for o in _counts(i, _at(0)[:10], issued=_at(7200 + i))]


def one_moment_under_many_windows(number: int) -> list[Json]:
    """Platelets of every second, each of which looks back on the neutrophils of one moment; no lymphocytes."""
    crowd = [observation(NEUTROPHILS, 6, when=_at(0), oid=f"n-{i}", issued=_at(7200 + i)) for i in range(number // 2)]
    late = [observation(PLATELETS, 210, when=_at(1 + i), oid=f"p-{i}") for i in range(number // 2)]
    return [*crowd, *late, _far_lymphocytes()]


def one_day_under_many_windows(number: int) -> list[Json]:
    """Platelets of every second, each of which asks for the neutrophils of the day; no lymphocytes."""
    crowd = [observation(NEUTROPHILS, 6, when=_at(0)[:10], oid=f"day-{i}") for i in range(number // 2)]
    late = [observation(PLATELETS, 210, when=_at(i), oid=f"p-{i}") for i in range(number // 2)]
    return [*crowd, *late, _far_lymphocytes()]


def windows_over_midnight(number: int) -> list[Json]:
    """The night before, and the day alone: windows that mix days are tried again."""
    night = [observation(PLATELETS, 210, when=_at(16 * 3600 - 1800 + i), oid=f"p-{i}") for i in range(number // 2)]
    day = [observation(NEUTROPHILS, 6, when=_at(0)[:10], oid=f"n-{i}") for i in range(number // 4)]
    return night + day + [observation(LYMPHOCYTES, 2, when="2026-10-15", oid=f"l-{i}") for i in range(number // 4)]


def corrected_counts(number: int) -> list[Json]:
    """Corrected neutrophils that stand in no draw, under platelets of every second; no lymphocytes."""
    corrected = [
        observation(NEUTROPHILS, 6, when=_at(0), oid=f"c-{i}", status="corrected", issued=_at(7200 + i))
        for i in range(number // 2)
    ]
    return [*corrected, *(o for i in range(number // 4) for o in _counts(i, _at(1 + i))[:2]), _far_lymphocytes()]


def shares_beside_counts(number: int) -> list[Json]:
    return [o for i in range(number // 5) for o in (*_counts(i, _at(0)), *_shares(i, _at(0), issued=_at(7200 + i)))]


def refused_shares(number: int) -> list[Json]:
    """At every second one share looks like a fraction and the other does not."""
    return [
        observation(code, value, "%", when=_at(i), oid=f"{code}-{i}")
        for i in range(number // 2)
        for code, value in ((NEUTROPHILS_SHARE, 0.6), (LYMPHOCYTES_SHARE, 20))
    ]


def one_specimen(number: int) -> list[Json]:
    specimen = {"reference": "Specimen/blood"}
    return [o for i in range(number // 3) for o in _counts(i, _at(i), specimen=specimen)]


def many_specimens_of_one_moment(number: int) -> list[Json]:
    return [o for i in range(number // 3) for o in _counts(i, _at(0), specimen={"reference": f"Specimen/{i}"})]


def many_hours(number: int) -> list[Json]:
    """A draw every two hours: none is a duplicate, each is one more."""
    return [o for i in range(number // 3) for o in _counts(i, _at(-7200 * i))]


def second_choice_codes(number: int) -> list[Json]:
    manual = [
        o | {"code": {"coding": [{"system": "http://loinc.org", "code": _MANUAL[code]}]}, "id": f"{code}-m{i}"}
        for i in range(number // 6)
        for (code, _), o in zip(_COUNTS, _counts(i, _at(0)), strict=True)
    ]
    return manual + [o for i in range(number // 6) for o in _counts(i, _at(i))]


def no_lymphocytes(number: int) -> list[Json]:
    return [
        o | ({"valueQuantity": o["valueQuantity"] | {"value": 0}} if o["id"].startswith(LYMPHOCYTES) else {})
        for o in issued_counts_of_one_moment(number)
    ]


def focus_and_components(number: int) -> list[Json]:
    """One panel whose focus names the patient as often as it has components."""
    quantity = {"value": 6, "unit": "10*9/L"}
    parts = [{"code": {"coding": [{"system": "http://loinc.org", "code": NEUTROPHILS}]}, "valueQuantity": quantity}]
    focus = [{"reference": f"Patient/{PATIENT_ID}"}]
    return [observation("57021-8", 0, valueQuantity=None, component=parts * (number // 2), focus=focus * (number // 2))]


LABORATORY_FAMILIES: dict[str, Family] = {
    family.__name__: family
    for family in (
        counts_of_one_moment,
        issued_counts_of_one_moment,
        issued_counts_of_one_day,
        one_moment_under_many_windows,
        one_day_under_many_windows,
        windows_over_midnight,
        corrected_counts,
        shares_beside_counts,
        refused_shares,
        one_specimen,
        many_specimens_of_one_moment,
        many_hours,
        second_choice_codes,
        no_lymphocytes,
        focus_and_components,
    )
}
