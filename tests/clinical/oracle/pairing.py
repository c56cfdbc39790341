"""Which results were taken together, found by trying every triple: same specimen, else the same hour, else the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import combinations, product
from typing import NamedTuple

from tests.clinical.oracle.calendars import Moment, read

KINDS = "PNL"


class Result(NamedTuple):
    """One count in 10*9/L of platelets (P), neutrophils (N) or lymphocytes (L)."""

    kind: str
    value: Fraction
    taken: Moment
    specimen: str
    corrected: bool
    issued: datetime | None


class Group(NamedTuple):
    """Results taken together: one value of each kind, in the order of KINDS; `conflict` where nobody can tell which."""

    values: tuple[Fraction, ...]
    taken: Moment
    tells_time: bool
    conflict: bool


def read_results(text: str, zone: str) -> list[Result]:
    """Read "P=200@2026-10-14;specimen;status;issued ...": what stands behind a semicolon may be left out."""
    return [_read(word, zone) for word in text.split()]


def _read(word: str, zone: str) -> Result:
    sent, specimen, status, issued = (*word.split(";"), "", "", "")[:4]
    kind, _, rest = sent.partition("=")
    value, _, taken = rest.partition("@")
    when = datetime.fromisoformat(issued) if "T" in issued else None
    return Result(kind, Fraction(value), read(taken, zone), specimen, status in ("amended", "corrected"), when)


def groups(results: list[Result]) -> list[Group]:
    """All groups, newest first."""
    found: list[tuple[list[Result], bool]] = []
    loose = [r for r in results if not r.specimen]
    for specimen in sorted({r.specimen for r in results} - {""}):
        members = [r for r in results if r.specimen == specimen]
        by_kind = [[r for r in members if r.kind == kind] for kind in KINDS]
        if all(by_kind) and _is_one_specimen(members):
            chosen = [_best(rivals) for rivals in by_kind]
            found.append(([result for result, _ in chosen], any(conflict for _, conflict in chosen)))
        else:
            loose += members
    found += _in_turn(loose)
    made = [_group(members, conflict=conflict) for members, conflict in found]
    return sorted(made, key=lambda g: (g.taken.day, g.taken.instant or _EARLIEST), reverse=True)


def _in_turn(loose: list[Result]) -> list[tuple[list[Result], bool]]:
    """The newest triple within an hour or a day, then the newest of what is older, and so on."""
    found = []
    while triples := [list(t) for t in product(*([r for r in loose if r.kind == k] for k in KINDS)) if _same_hour(t)]:
        newest = max(triples, key=lambda t: sorted(map(_order, t), reverse=True))
        chosen = [_best(_rivals(newest, place, loose)) for place in range(len(KINDS))]
        found.append(([result for result, _ in chosen], any(conflict for _, conflict in chosen)))
        oldest = min(map(_order, newest))
        loose = [r for r in loose if _order(r) < oldest]
    return found


def _is_one_specimen(members: list[Result]) -> bool:
    """Within a day and a night, and not blood that was drawn, whole, more than once."""
    if not all(_same_day_and_night(a, b) for a, b in combinations(members, 2)):
        return False
    return len({_order(r) for r in members}) == 1 or len(_in_turn(members)) < 2


_EARLIEST = datetime.min.replace(tzinfo=UTC)


def _group(members: list[Result], *, conflict: bool) -> Group:
    taken = max(members, key=_order).taken
    told = all(r.taken.instant and not r.taken.latest_day for r in members)
    return Group(tuple(r.value for r in members), taken, told, conflict)


def _order(result: Result) -> tuple[date, datetime]:
    return result.taken.day, result.taken.instant or _EARLIEST


def _same_day_and_night(one: Result, other: Result) -> bool:
    if one.taken.instant is None or other.taken.instant is None:
        return abs((one.taken.day - other.taken.day).days) <= 1
    return abs(one.taken.instant - other.taken.instant) <= timedelta(hours=24)


def _same_hour(results: tuple[Result, ...] | list[Result]) -> bool:
    instants = [r.taken.instant for r in results if r.taken.instant is not None]
    if instants and max(instants) - min(instants) > timedelta(minutes=60):
        return False
    return len(instants) == len(results) or len({r.taken.day for r in results}) == 1


def _rivals(triple: list[Result], place: int, loose: list[Result]) -> list[Result]:
    """All results that could stand at this place of the triple."""
    others = triple[:place] + triple[place + 1 :]
    return [r for r in loose if r.kind == triple[place].kind and _same_hour([r, *others])]


def _best(rivals: list[Result]) -> tuple[Result, bool]:
    """The corrected, the newest, the latest issued of them; whether others that are not less say another number."""
    if any(r.corrected for r in rivals):
        rivals = [r for r in rivals if r.corrected]
    newest = max(map(_order, rivals))
    rivals = [r for r in rivals if _order(r) == newest]
    told = [r.issued for r in rivals if r.issued is not None]
    if len(told) == len(rivals):
        rivals = [r for r in rivals if r.issued == max(told)]
    return rivals[0], len({r.value for r in rivals}) > 1
