"""The published rule, worked out step by step in fractions: eligible? which draw? above the cut-off?

Written from the documents alone: Yu et al. 2023 (cut-off), Hu et al. 2014 (definition), and the reason codes and
limits as documented for users. It shares no line with the service.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from tests.clinical.oracle.calendars import Moment, Span, local_day, read, read_span
from tests.clinical.oracle.differentials import judge_differential
from tests.clinical.oracle.pairing import groups, read_results

CUTOFF = Fraction("405.08")
FOLLOW_UP_YEARS = 5
ANALYTES = ("platelets", "neutrophils", "lymphocytes")
# Factor to 10*9/L.
COUNT_UNITS = {
    **dict.fromkeys(("10*9/L", "10*3/uL", "10^9/L", "K/uL", "G/L", "/nL", "x10E3/uL", "10⁹/L", "Gpt/l"), Fraction(1)),
    **dict.fromkeys(("/uL", "{cells}/uL", "cells/mm3", "/mm3", "10*6/L"), Fraction(1, 1000)),
    "10*4/uL": Fraction(10),
    "Lakhs/cumm": Fraction(100),
}
PLAUSIBLE = {
    "platelets": (Fraction(5), Fraction(2000)),
    "neutrophils": (Fraction("0.1"), Fraction(100)),
    "lymphocytes": (Fraction("0.05"), Fraction(100)),
}
PLAUSIBLE_SHARE = (Fraction("0.001"), Fraction(1))
LARGEST_SUM_OF_SHARES = Fraction("1.01")


class Case(NamedTuple):
    """One row of the table: what the chart says. Values and units are texts; an empty value is no Observation.

    `procedures` are dates of any precision, Periods as start/end, or "undated". `basis` is absolute, percent, or mixed
    (neutrophils counted, lymphocytes in percent). `neutrophils_drawn` is their own time, where they have one.
    `older_counts` are platelets, neutrophils and lymphocytes of a second draw in 10*9/L. `results`, where
    there are any, stand for all of these (`read_results` of pairing). `metastases` are dates of any precision, or
    "undated": in the liver, or behind "elsewhere@" outside it. A procedure may carry its status behind "!".
    `differential`, where there is one, is all of the draw (`read_words` of differentials).
    """

    id: str
    why: str
    zone: str
    now: str
    procedures: str
    drawn: str
    platelets: str
    platelets_unit: str
    neutrophils: str
    neutrophils_unit: str
    lymphocytes: str
    lymphocytes_unit: str
    basis: str
    older_drawn: str = ""
    older_counts: str = ""
    neutrophils_drawn: str = ""
    results: str = ""
    metastases: str = ""
    differential: str = ""


class Verdict(NamedTuple):
    """The expected assessment. Reasons are sorted and separated by spaces."""

    outcome: str
    sii: str = ""
    relation: str = ""
    days: str = ""
    reasons: str = ""


class Draw(NamedTuple):
    """A complete draw: SII, or what keeps it from being computed."""

    taken: Moment
    sii: Fraction | None
    problem: str
    tells_time: bool = True


class Sample(NamedTuple):
    """One blood draw as sent: complete, or the reasons why it is not."""

    draw: Draw | None
    reasons: frozenset[str]


def judge(case: Case) -> Verdict:
    now = datetime.fromisoformat(case.now).astimezone(UTC)
    today = local_day(case.zone, now)
    # Behind an exclamation mark stands the status of one that was begun and not completed.
    named = [word for word in case.procedures.split() if "!" not in word]
    dated = [read_span(text, case.zone) for text in named if text != "undated"]
    # Completed procedures are over: one that began, and is said to end ahead, is taken to end today.
    past = [
        p if p.last.day <= today else Span(p.first, Moment(today, None))
        for p in dated
        if not _is_future(p.first, now, today)
    ]
    if any(word.startswith("elsewhere@") for word in case.metastases.split()):
        return Verdict("not-eligible", reasons="metastasis-known")
    if not past and "undated" not in named:
        return Verdict("not-eligible", reasons="no-interventional-procedure")
    if not all(_was_treated_later(word, past, case.zone) for word in case.metastases.split()):
        return Verdict("not-eligible", reasons="recurrence-known")
    overdue = bool(past) and _is_overdue(max(p.last.day for p in past), today)
    if overdue and "undated" not in named:
        return Verdict("not-eligible", reasons="beyond-follow-up")
    if not past or overdue:
        return Verdict("indeterminate", reasons="procedure-date-missing")
    begun = [read_span(word.partition("!")[0], case.zone) for word in case.procedures.split() if "!" in word]
    begun = [span for span in begun if not _is_future(span.first, now, today)]
    return _decide(_samples(case, now, today), past, begun, today)


def _samples(case: Case, now: datetime, today: date) -> list[Sample]:
    if case.differential:
        return [_differential_sample(case)]
    if case.results:
        return _paired_samples(case)
    newer = _newer_sample(case, now, today)
    return [newer, _older_sample(case)] if case.older_drawn else [newer]


def _is_overdue(day: date, today: date) -> bool:
    """More than five years ago; the fifth anniversary itself is not, and that of a leap day is 28 February."""
    leap_day_gone = (day.month, day.day) == (2, 29) and (day.year + FOLLOW_UP_YEARS) % 4 != 0
    anniversary = (day.year + FOLLOW_UP_YEARS, day.month, 28 if leap_day_gone else day.day)
    return (today.year, today.month, today.day) > anniversary


def _decide(samples: list[Sample], procedures: list[Span], begun: list[Span], today: date) -> Verdict:
    complete = [sample.draw for sample in samples if sample.draw is not None]
    refusals = {id(draw): _refusal(draw, procedures, begun, today) for draw in complete}
    usable = [draw for draw in complete if not refusals[id(draw)]]
    latest = _latest(procedures)
    after = [draw for draw in usable if not _is_before(draw, latest)]
    for draw in after or usable:
        # Rows give the newer draw first.
        if draw.sii is None:
            return Verdict("indeterminate", reasons=draw.problem)
        return Verdict(
            "above-cutoff" if draw.sii > CUTOFF else "not-above-cutoff",
            sii=shown(draw.sii),
            relation="before" if _is_before(draw, latest) else "after",
            days=str(abs((draw.taken.day - latest.last.day).days)),
        )
    reasons = set(refusals.values()).union(*(sample.reasons for sample in samples))
    return Verdict("indeterminate", reasons=" ".join(sorted(reasons)))


def _refusal(draw: Draw, procedures: list[Span], begun: list[Span], today: date) -> str:
    taken = draw.taken
    since = [(taken.day - p.last.day).days for p in (*procedures, *begun) if not _is_before(draw, p)]
    if any(days <= 27 for days in since):
        return "post-procedure-window"
    latest = _latest(procedures)
    if _is_before(draw, latest):
        return "" if (latest.last.day - taken.day).days <= 30 else "outside-baseline-window"
    return "" if (today - taken.day).days <= 90 else "stale"


def _is_before(draw: Draw, procedure: Span) -> bool:
    """Only what surely lies before the first moment of the procedure lies before it."""
    taken, began = draw.taken, procedure.first
    if taken.day <= began.day <= (taken.latest_day or taken.day):
        if taken.instant is None or began.instant is None:
            return False
        return draw.tells_time and not taken.latest_day and taken.instant < began.instant
    return taken.day < began.day


def _is_future(moment: Moment, now: datetime, today: date) -> bool:
    return moment.day > today if moment.instant is None else moment.instant > now + timedelta(minutes=10)


def _was_treated_later(metastasis: str, procedures: list[Span], zone: str) -> bool:
    """A metastasis in the liver is over if a procedure began on the last day it may have been found, or later."""
    return metastasis != "undated" and any(
        procedure.first.day >= read_span(metastasis, zone).last.day for procedure in procedures
    )


def _latest(procedures: list[Span]) -> Span:
    """The one that ended last; of several that ended together the shortest."""
    end = max(_order(procedure.last) for procedure in procedures)
    return max((p for p in procedures if _order(p.last) == end), key=lambda p: _order(p.first))


def _order(moment: Moment) -> tuple[date, datetime]:
    return moment.day, moment.instant or datetime.min.replace(tzinfo=UTC)


def _older_sample(case: Case) -> Sample:
    platelets, neutrophils, lymphocytes = (Fraction(text) for text in case.older_counts.split())
    taken = read(case.older_drawn, case.zone)
    return Sample(_complete(taken, platelets, neutrophils, lymphocytes), frozenset())


def _differential_sample(case: Case) -> Sample:
    sii, problem = judge_differential(case.differential, CUTOFF)
    if problem.startswith("missing"):
        return Sample(None, frozenset({problem}))
    return Sample(Draw(read(case.drawn, case.zone), sii, problem, tells_time=False), frozenset())


def _paired_samples(case: Case) -> list[Sample]:
    """All draws among results of any time; where there is none, why."""
    results = read_results(case.results, case.zone)
    found: list[Sample] = []
    for group in groups(results):
        draw = _complete(group.taken, *group.values)._replace(tells_time=group.tells_time)
        if group.conflict:
            draw = draw._replace(sii=None, problem="conflicting-results")
        found.append(Sample(draw, frozenset()))
    if found:
        return found
    missing = {f"missing-{name}" for name in ANALYTES if name[0].upper() not in {r.kind for r in results}}
    return [Sample(None, frozenset(missing or {"no-complete-draw"}))]


def _complete(taken: Moment, platelets: Fraction, neutrophils: Fraction, lymphocytes: Fraction) -> Draw:
    if lymphocytes == 0:
        return Draw(taken, None, "zero-lymphocytes")
    return Draw(taken, platelets * neutrophils / lymphocytes, "")


def _newer_sample(case: Case, now: datetime, today: date) -> Sample:
    taken = read(case.drawn, case.zone)
    found = {name: _value(case, name, future=_is_future(taken, now, today)) for name in ANALYTES}
    if case.basis == "percent":
        found |= _shares(found["neutrophils"], found["lymphocytes"])
    values = {name: value for name, value in found.items() if isinstance(value, Fraction)}
    if len(values) < len(ANALYTES):
        reasons = {f"missing-{name}" for name in ANALYTES if name not in values}
        return Sample(None, frozenset(reasons | {v for v in found.values() if isinstance(v, str) and v}))
    if case.basis == "mixed":
        return Sample(None, frozenset({"no-complete-draw", "mixed-basis"}))
    draw = _complete(taken, *(values[name] for name in ANALYTES))
    return Sample(draw._replace(tells_time="T" in (case.neutrophils_drawn or case.drawn)), frozenset())


def _value(case: Case, name: str, *, future: bool) -> Fraction | str:
    """Value in 10*9/L or as a share; else the reason, which is empty where there is no Observation at all."""
    text, unit = getattr(case, name), getattr(case, f"{name}_unit")
    if not text:
        return ""
    is_share = name != "platelets" and (case.basis == "percent" or (case.basis == "mixed" and name == "lymphocytes"))
    if not unit:
        return "unit-missing"
    shares = {"%": Fraction(1, 100)}
    factors, others = (shares, COUNT_UNITS) if is_share else (COUNT_UNITS, shares)
    if unit in others:
        return "property-conflict"
    if unit not in factors:
        return "unit-unknown"
    value = Fraction(text) * factors[unit]
    low, high = PLAUSIBLE_SHARE if is_share else PLAUSIBLE[name]
    # A share of at most 1 "percent" may be a fraction under a wrong label: then it is plausible as that.
    seen = Fraction(text) if is_share and Fraction(text) <= 1 else value
    if not low <= seen <= high and not (name == "lymphocytes" and value == 0):
        return "implausible"
    return "future-time" if future else value


def _shares(neutrophils: Fraction | str, lymphocytes: Fraction | str) -> dict[str, Fraction | str]:
    """Both shares together: fractions under a wrong label, and sums beyond 101 %."""
    if isinstance(neutrophils, str) or isinstance(lymphocytes, str):
        return {"neutrophils": neutrophils, "lymphocytes": lymphocytes}
    limit = Fraction(1, 100)
    if lymphocytes > 0 and (neutrophils <= limit) != (lymphocytes <= limit):
        wrong = "neutrophils" if neutrophils <= limit else "lymphocytes"
        small, large = sorted((neutrophils, lymphocytes))
        if small * 100 + large <= LARGEST_SUM_OF_SHARES:
            return {"neutrophils": neutrophils, "lymphocytes": lymphocytes} | {wrong: "fraction-mislabelled"}
        if small < PLAUSIBLE_SHARE[0]:
            return {"neutrophils": neutrophils, "lymphocytes": lymphocytes} | {wrong: "implausible"}
        return {"neutrophils": neutrophils, "lymphocytes": lymphocytes}
    scale = 100 if lymphocytes > 0 and neutrophils <= limit else 1
    if (neutrophils + lymphocytes) * scale > LARGEST_SUM_OF_SHARES:
        return {"neutrophils": "implausible", "lymphocytes": "implausible"}
    return {"neutrophils": neutrophils, "lymphocytes": lymphocytes}


def shown(sii: Fraction) -> str:
    """Three decimals, or as many more as it takes to stay on its side of the cut-off; ties go to the even digit."""
    decimals = 3
    while (Fraction(round(sii * 10**decimals), 10**decimals) > CUTOFF) != (sii > CUTOFF):
        decimals += 1
    digits = str(round(sii * 10**decimals)).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
