"""The charts of the oracle: worked vectors, edges of every limit, far zones, and a deterministic crowd."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.clinical.oracle.judgement import COUNT_UNITS, Case

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = "2026-11-23T12:00:00Z"
TODAY = date(2026, 11, 23)
ZONES = ("UTC", "Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "America/Los_Angeles")
FAR_EAST, FAR_WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).isoformat()


def chart(why: str, values: str = "210 6.1 1.8", units: str = "10*9/L 10*9/L 10*9/L", **members: Any) -> Case:
    """A chart at noon in Berlin: procedure 90 days ago, draw 40 days ago, unless told otherwise. "-" is nothing."""
    given = [("" if v == "-" else v, "" if u == "-" else u) for v, u in zip(values.split(), units.split(), strict=True)]
    (platelets, p_unit), (neutrophils, n_unit), (lymphocytes, l_unit) = given
    base = Case(
        "", why, "Europe/Berlin", NOON, day(90), day(40),
        platelets, p_unit, neutrophils, n_unit, lymphocytes, l_unit, "absolute",
    )  # fmt: skip
    return base._replace(**members)


def cases_of_draws() -> dict[str, Iterator[Case]]:
    """All charts of whole draws, by their kind."""
    return {
        "vector": worked_vectors(), "cutoff": beside_the_cutoff(), "unit": units(), "range": plausible_ranges(),
        "share": shares(), "missing": missing_results(), "after": days_after(), "clock": same_day_clocks(),
        "zone": far_zones(), "dst": clock_changes(), "two": two_draws(), "crowd": crowd(),
    }  # fmt: skip


def worked_vectors() -> Iterator[Case]:
    yield chart("means of the study's recurrence group: 501.816", "179.22 0.70 0.25")
    yield chart("means of its control group: 343.0613...", "160.81 0.64 0.30")
    yield chart("the cut-off itself is not above", "405.08 1 1")
    yield chart("strictly above", "405.081 1 1")
    yield chart("cells per microliter and percentages: 501.816", "179220 70 25", "/uL % %", basis="percent")
    yield chart("lakhs: 501.816", "1.7922 0.70 0.25", "Lakhs/cumm 10*9/L 10*9/L")


def beside_the_cutoff() -> Iterator[Case]:
    for power in range(1, 21):
        tiny = "0" * power + "1"
        yield chart(f"above, as {power + 3} decimals tell", f"405.08{tiny} 1 1")
        yield chart(f"below, as {power + 2} decimals tell", f"405.07{'9' * power} 1 1")
    for last in range(10):
        yield chart("steps of the fourth decimal above", f"405.080{last} 1 1")
        yield chart("steps of the fourth decimal below", f"405.079{last} 1 1")
    yield chart("a quotient without end, just above", "405.08 1.00000001 1")
    yield chart("a quotient without end, just below", "405.08 1 1.00000001")
    yield chart("thirds: 405.08 exactly", "1215.24 1 3")
    yield chart("sevenths: just above", "2835.561 1 7", platelets="1417.7805", neutrophils="2")


def units() -> Iterator[Case]:
    in_units = {1: ("210", "6.1", "1.8"), 1000: ("210000", "6100", "1800")}
    for unit, factor in COUNT_UNITS.items():
        if factor.denominator in in_units and factor <= 1:
            values = in_units[factor.denominator]
            yield chart(f"all three in {unit}", " ".join(values), f"{unit} {unit} {unit}")
            yield chart(f"platelets in {unit}", f"{values[0]} 6.1 1.8", f"{unit} 10*9/L 10*9/L")
    yield chart("ten thousands", "21 0.61 0.18", "10*4/uL 10*4/uL 10*4/uL")
    for unit in ("109/L", "103/mm3", "10*12/L", "10*6/uL", "M/uL", "mmol/L", "furlong", "%", "g/L"):
        yield chart(f"refused unit {unit}", "210 6.1 1.8", f"{unit} 10*9/L 10*9/L")
        yield chart(f"refused unit {unit}", "210 6.1 1.8", f"10*9/L {unit} 10*9/L")
    yield chart("no unit", "210 6.1 1.8", "- 10*9/L 10*9/L")
    yield chart("no unit on two", "210 6.1 1.8", "10*9/L - -")


def plausible_ranges() -> Iterator[Case]:
    for values, why in (
        ("5 6.1 1.8", "fewest platelets"), ("4.999 6.1 1.8", "too few"), ("2000 6.1 1.8", "most platelets"),
        ("2000.001 6.1 1.8", "too many"), ("210 0.1 1.8", "fewest neutrophils"), ("210 0.099 1.8", "too few"),
        ("210 100 1.8", "most neutrophils"), ("210 100.1 1.8", "too many"), ("210 6.1 0.05", "fewest lymphocytes"),
        ("210 6.1 0.049", "too few"), ("210 6.1 100", "most lymphocytes"), ("210 6.1 100.1", "too many"),
        ("210 6.1 0", "no lymphocytes: SII is undefined"), ("210 6.1 0.000", "no lymphocytes, with decimals"),
        ("210 0 1.8", "no neutrophils is not plausible"), ("0 6.1 1.8", "nor no platelets"),
        ("210000 6.1 1.8", "per microliter under a wrong label"), ("210 6100 1800", "the same for the others"),
        ("-210 6.1 1.8", "negative"),
    ):  # fmt: skip
        yield chart(why, values)


def shares() -> Iterator[Case]:
    for values, why in (
        ("210 70 25", "percentages"), ("210 61.5 20.25", "with decimals"), ("210 76 25", "101 % are rounding"),
        ("210 76.1 25", "more than 101 %"), ("210 0.70 0.25", "both are fractions under a percent sign"),
        ("210 1 1", "both at the limit of a fraction, yet 200 % together"), ("210 70 0.25", "only one is"),
        ("210 0.7 25", "only the other is"), ("210 1 25", "1 % neutrophils are no fraction: 125 %"),
        ("150 96 0.8", "severe lymphopenia"),
        ("150 60 0.41", "101 % as a fraction"), ("150 60 0.42", "above it"), ("150 95 0.07", "neither is plausible"),
        ("210 1.1 25", "1.1 % may not"), ("210 70 0", "no lymphocytes"), ("210 100 1.01", "100 % and 1.01 %"),
        ("210 100.1 0.5", "beyond 100 %"), ("210 0.0009 0.25", "too small even as a fraction"),
        ("210 99 1.5", "few lymphocytes"), ("210 12 80", "many lymphocytes"), ("- 70 25", "without platelets"),
    ):  # fmt: skip
        yield chart(why, values, "10*9/L % %", basis="percent")
    yield chart("a percentage under the unit of a count", "210 70 25", "10*9/L % 10*9/L", basis="percent")
    yield chart("a count beside a percentage", "210 6.1 25", "10*9/L 10*9/L %", basis="mixed")


def missing_results() -> Iterator[Case]:
    for values in ("- 6.1 1.8", "210 - 1.8", "210 6.1 -", "210 - -", "- 6.1 -", "- - 1.8", "- - -"):
        yield chart("missing", values)
    yield chart("no procedure has a date", procedures="undated")
    yield chart("one procedure has a date", procedures=f"undated {day(90)}")
    yield chart("no procedure at all", procedures="")
    yield chart("a procedure of tomorrow does not count", procedures=day(-1))
    yield chart(
        "a procedure known to the month counts by its last day: 27 days", procedures="2026-08", drawn="2026-09-27"
    )
    yield chart("and 28 days", procedures="2026-08", drawn="2026-09-28")
    yield chart("a draw of tomorrow", drawn=day(-1))
    yield chart("a draw ten minutes ahead of the clock", drawn="2026-11-23T12:10:00Z")
    yield chart("a draw eleven minutes ahead of the clock", drawn="2026-11-23T12:11:00Z")


def days_after() -> Iterator[Case]:
    for days in (-400, -32, -31, -30, -29, -1, 0, 1, 13, 26, 27, 28, 29, 60):
        yield chart(f"{days} days after the procedure", procedures=day(75), drawn=day(75 - days))
    for age in (0, 1, 89, 90, 91, 92, 365):
        yield chart(f"{age} days old", procedures=day(900), drawn=day(age))
    for age in (91, 400):
        yield chart(f"a baseline does not grow stale: {age} days old", procedures=day(age - 5), drawn=day(age))


def same_day_clocks() -> Iterator[Case]:
    for drawn, done, why in (
        ("T07:59:00", "T08:00:00", "a minute before"), ("T08:00:00", "T08:00:00", "at the same minute"),
        ("T08:01:00", "T08:00:00", "a minute after"), ("", "T08:00:00", "no time of the draw"),
        ("T07:59:00", "", "no time of the procedure"), ("T23:59:59", "T00:00:00", "at the ends of the day"),
        ("T00:00:00", "T23:59:59", "at the ends of the day"), ("T06:59:30Z", "T08:00:00+01:00", "zones given"),
        ("T08:30:00+02:00", "T08:00:00+01:00", "half an hour before, by another zone"),
    ):  # fmt: skip
        yield chart(why, procedures=f"2026-11-02{done}", drawn=f"2026-11-02{drawn}")
    for zone, drawn in (
        ("Europe/Berlin", "2026-11-02T00:00:00"), ("Europe/Berlin", "2026-11-02T00:00:01"),
        ("Europe/Berlin", "2026-11-02T00:00:00Z"), ("UTC", "2026-11-02T00:00:00+01:00"),
        ("UTC", "2026-11-01T00:00:00+01:00"), ("America/Los_Angeles", "2026-11-02T00:00:00Z"),
        ("Asia/Shanghai", "2026-11-01T16:00:00Z"), ("Asia/Shanghai", "2026-11-01T15:59:59Z"),
    ):  # fmt: skip
        yield chart("midnight is an hour that is not known", procedures="2026-11-02T20:00:00", drawn=drawn, zone=zone)


def far_zones() -> Iterator[Case]:
    for zone in (*ZONES, FAR_EAST, FAR_WEST):
        for moment in ("2026-09-20T23:30:00", "2026-09-21T00:30:00", "2026-09-20T12:00:00Z", "2026-09-20T23:30:00Z"):
            yield chart("27 or 28 days by the site's own day", procedures="2026-08-24", drawn=moment, zone=zone)
        for now in ("2026-12-19T05:30:00Z", "2026-12-19T15:30:00Z", "2026-12-19T23:30:00Z"):
            yield chart(
                "90 or 91 days by the site's own day", drawn="2026-09-20", procedures="2026-01-01", zone=zone, now=now
            )


def clock_changes() -> Iterator[Case]:
    for drawn, done in (
        ("2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T02:45:00+02:00"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("2026-03-29T03:00:00+02:00", "2026-03-29T01:59:00+01:00"),
    ):
        yield chart("in the hours that clocks repeat or leap", procedures=done, drawn=drawn)
    yield chart("28 days across the change", procedures="2026-10-03T23:30:00", drawn="2026-10-31T00:10:00")
    yield chart("27 days across the change", procedures="2026-10-03T00:10:00", drawn="2026-10-30T23:50:00")
    for drawn in ("2026-11-01T01:30:00-07:00", "2026-11-01T01:30:00-08:00"):
        yield chart(
            "the same in California", zone="America/Los_Angeles", procedures="2026-11-01T01:45:00-07:00", drawn=drawn
        )


def two_draws() -> Iterator[Case]:
    for drawn, older, counts, procedure, why in (
        (20, 30, "100 3 1.5", 60, "both after: the newer"), (20, 65, "100 3 1.5", 60, "after goes before baseline"),
        (50, 65, "100 3 1.5", 60, "too soon: the baseline"), (91, 205, "100 3 1.5", 200, "stale: the baseline"),
        (50, 95, "100 3 1.5", 60, "too soon, and too long before"), (65, 70, "100 3 1.5", 60, "two baselines"),
        (91, 95, "100 3 1.5", 200, "both stale"), (50, 65, "100 3 0", 60, "the baseline has no lymphocytes"),
        (20, 30, "100 3 0", 60, "the older has none: no matter"),
    ):  # fmt: skip
        yield chart(why, drawn=day(drawn), older_drawn=day(older), older_counts=counts, procedures=day(procedure))
    beside = {"procedures": day(60), "drawn": day(20), "older_drawn": day(30), "older_counts": "100 3 1.5"}
    yield chart("the newer has no lymphocytes: never hidden behind the older", "210 6.1 0", **beside)
    yield chart("the newer lacks platelets: it is not complete", "- 6.1 1.8", **beside)
    yield chart("the newer has a bad unit: it is not complete", units="furlong 10*9/L 10*9/L", **beside)
    late = beside | {"procedures": day(40)}
    yield chart("the older is too soon, the newer lacks platelets", "- 6.1 1.8", **late | {"drawn": day(5)})
    yield chart(
        "the older is too soon, the newer has a bad unit", units="10*9/L 10*9/L furlong", **late | {"drawn": day(5)}
    )


def crowd() -> Iterator[Case]:
    """Charts of all kinds from a linear congruential generator (Numerical Recipes), the same in every run."""
    state = 20231106

    def pick(count: int) -> int:
        nonlocal state
        state = (1664525 * state + 1013904223) % 2**32
        return state * count >> 32

    for _ in range(120):
        platelets, neutrophils, lymphocytes = 30_000 + pick(500_000), 800 + pick(9_000), 200 + pick(3_500)
        in_percent = pick(4) == 0
        values = f"{platelets / 1000} {neutrophils / 1000} {lymphocytes / 1000}"
        units = "10*9/L 10*3/uL K/uL"
        if in_percent:
            values, units = f"{platelets} {neutrophils / 100} {5 + pick(900) / 100}", "/uL % %"
        yield chart(
            "one of a crowd", values, units,
            basis="percent" if in_percent else "absolute",
            zone=ZONES[pick(len(ZONES))],
            procedures=" ".join(day(20 + pick(150)) for _ in range(1 + pick(3))),
            drawn=f"{day(1 + pick(130))}T{pick(24):02}:{pick(60):02}:00Z",
        )  # fmt: skip
