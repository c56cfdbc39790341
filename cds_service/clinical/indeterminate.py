"""Why blood counts were not used: the reasons, most telling first, and from when.

For an indeterminate assessment they are those of all draws, beside a decision those of newer blood alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, Basis
from cds_service.clinical.outcomes import UnusedBlood
from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from cds_service.clinical.models import BloodCounts, DatedResult, EffectiveTime, ExcludedResult
    from cds_service.clinical.timing import TimedDraw

MISSING = {
    Analyte.NEUTROPHILS: Reason.MISSING_NEUTROPHILS,
    Analyte.LYMPHOCYTES: Reason.MISSING_LYMPHOCYTES,
    Analyte.PLATELETS: Reason.MISSING_PLATELETS,
}
_INCOMPLETE = frozenset({*MISSING.values(), Reason.NO_COMPLETE_DRAW, Reason.MIXED_BASIS})


def explain_no_draw(counts: BloodCounts, timed: Sequence[TimedDraw]) -> tuple[Reason, ...]:
    """Name why no draw decides.

    Complete draws at the wrong time give their refusals, newest first. What is newer than the newest complete draw
    (or everything, where none is complete) gives the missing analytes and, with them, the reasons of the excluded
    results that led there. Never empty.
    """
    reasons = [t.refusal for t in timed if t.refusal is not None]
    pairing = None if timed else counts.pairing_reasons
    reasons += _incomplete_reasons(_newer(counts, timed), pairing)
    return tuple(dict.fromkeys(reasons))


def date_reasons(
    reasons: Iterable[Reason], counts: BloodCounts, timed: Sequence[TimedDraw], decisive: TimedDraw | None
) -> Mapping[Reason, EffectiveTime]:
    """Tell when the blood was taken that a reason speaks of; reasons that speak of no one draw are left out.

    Problems are dated by the draw that has them, refusals by the newest draw refused so, missing analytes by the
    newest result beside which they are missing.
    """
    if decisive is not None:
        problems = {*decisive.draw.problems, Reason.DIFFERENTIAL_INCONSISTENT}
        dates = dict.fromkeys(problems, decisive.draw.effective)
    else:
        dates = {t.refusal: t.draw.effective for t in reversed(timed) if t.refusal is not None}
        newest = _newest(_newer(counts, timed))
        if newest is not None:
            dates |= dict.fromkeys(_INCOMPLETE, newest)
    return {reason: dates[reason] for reason in reasons if reason in dates}


def newest_result(counts: BloodCounts) -> EffectiveTime | None:
    """Return the time of the patient's newest blood count, of any use or none; None when none is dated."""
    newest = _newest(_newer(counts, ()))
    times = (*(draw.effective for draw in counts.draws[:1]), *((newest,) if newest is not None else ()))
    return max(times, key=lambda time: time.order, default=None)


def explain_newer(
    counts: BloodCounts, timed: Sequence[TimedDraw], decisive: TimedDraw, same_draw: timedelta
) -> tuple[UnusedBlood, ...]:
    """Tell why blood that is newer than the decisive draw was not used, and when it was taken; empty without any.

    What was taken within the span of one draw is not newer. Results that tell no day are left out, since nobody knows
    that they are newer (`count_unplaced`), and so are those of another patient. Refusals are dated by the newest draw
    refused so, unusable results by the newest of their reason, what is missing by the newest result beside it.
    """
    loose = _taken_after(counts, decisive.draw.effective, same_draw)
    dates: dict[Reason, EffectiveTime] = {}
    for refused in timed[: timed.index(decisive)]:
        if refused.refusal is not None:
            dates.setdefault(refused.refusal, refused.draw.effective)
    newest = _newest(loose)
    if newest is not None:
        dated = ((e.effective, e.reason) for e in loose.excluded if e.effective is not None)
        own = {reason: taken for taken, reason in sorted(dated, key=lambda pair: pair[0].order)}
        incomplete = _incomplete_reasons(loose, None) or sorted(own)
        dates |= {reason: own.get(reason, newest) for reason in incomplete}
    return tuple(UnusedBlood(reason, taken) for reason, taken in dates.items())


def has_segmented_alone(counts: BloodCounts) -> bool:
    """Tell whether segmented neutrophils stand in no draw because their band forms are missing."""
    found = {result.analyte for result in counts.unpaired}
    return Analyte.SEGMENTED in found and Analyte.BANDS not in found


def has_unreadable_clumps(counts: BloodCounts, decisive: TimedDraw, same_draw: timedelta) -> bool:
    """Tell whether a finding about platelet clumps in the blood that decides cannot be read."""
    taken = decisive.draw.effective
    return any(
        not _is_after(found, taken, same_draw) and not _is_after(taken, found, same_draw)
        for found in counts.unreadable_clumps
    )


def count_unplaced(counts: BloodCounts) -> int:
    """Count this patient's blood counts that tell no readable time: they may be newer than any other."""
    return sum(e.effective is None for e in _own(counts))


class _Loose(NamedTuple):
    """Results in no complete draw."""

    usable: tuple[DatedResult, ...]
    excluded: tuple[ExcludedResult, ...]


def _newer(counts: BloodCounts, timed: Sequence[TimedDraw]) -> _Loose:
    """Collect what is newer than the newest of `timed`, or all; an exclusion without a usable time may be newer."""
    since = timed[0].draw.effective.order if timed else None
    return _Loose(
        tuple(r for r in counts.unpaired if since is None or r.effective.order > since),
        tuple(
            e
            for e in counts.excluded
            if e.analyte is not Analyte.ALBUMIN and (since is None or e.effective is None or e.effective.order > since)
        ),
    )


def _taken_after(counts: BloodCounts, since: EffectiveTime, same_draw: timedelta) -> _Loose:
    return _Loose(
        tuple([r for r in counts.unpaired if _is_after(r.effective, since, same_draw)]),
        tuple([e for e in _own(counts) if e.effective is not None and _is_after(e.effective, since, same_draw)]),
    )


def _own(counts: BloodCounts) -> Iterator[ExcludedResult]:
    """Find what may be an unusable blood count of this patient."""
    return (e for e in counts.excluded if e.analyte is not Analyte.ALBUMIN and e.reason is not Reason.SUBJECT_MISMATCH)


def _is_after(taken: EffectiveTime, since: EffectiveTime, same_draw: timedelta) -> bool:
    """Tell whether blood was surely taken later than a draw, and not for the same one."""
    if taken.instant is None or since.instant is None:
        return taken.day > since.day
    return taken.order[1] - since.order[1] > same_draw.total_seconds()


def _newest(loose: _Loose) -> EffectiveTime | None:
    # The results of another patient say nothing about when this one's blood was taken.
    own = (e.effective for e in loose.excluded if e.reason is not Reason.SUBJECT_MISMATCH)
    times = (*(r.effective for r in loose.usable), *own)
    return max((time for time in times if time is not None), key=lambda time: time.order, default=None)


def _incomplete_reasons(loose: _Loose, pairing: tuple[Reason, ...] | None) -> list[Reason]:
    """Name what keeps results from being a draw; `pairing` is known of all results, None for those beside a draw."""
    usable = {r.analyte for r in loose.usable}
    if usable and bases_of_neutrophils(loose.usable):
        usable.add(Analyte.NEUTROPHILS)
    missing = [a for a in MISSING if a not in usable]
    if not missing:
        pairing = _mixed_basis(loose.usable) if pairing is None else pairing
        return [Reason.NO_COMPLETE_DRAW, *pairing, *sorted(e.reason for e in loose.excluded)]
    if pairing is None and not usable:
        missing = [a for a in missing if any(e.analyte is a for e in loose.excluded)]
    # A result whose analyte could not be told may have been any of the missing ones.
    led_there = sorted(e.reason for e in loose.excluded if e.analyte in missing or (missing and e.analyte is None))
    return [*(MISSING[a] for a in missing), *led_there]


def _mixed_basis(newer: Sequence[DatedResult]) -> tuple[Reason, ...]:
    """Tell whether nothing but the basis keeps newer differentials apart: no basis holds both of them."""
    lymphocytes = {result.basis for result in newer if result.analyte is Analyte.LYMPHOCYTES}
    return () if bases_of_neutrophils(newer) & lymphocytes else (Reason.MIXED_BASIS,)


def bases_of_neutrophils(results: Iterable[DatedResult]) -> set[Basis]:
    """Return the bases that hold neutrophils: a total, or segmented and band forms."""
    bases: dict[Analyte, set[Basis]] = {}
    for result in results:
        bases.setdefault(result.analyte, set()).add(result.basis)
    both = bases.get(Analyte.SEGMENTED, set()) & bases.get(Analyte.BANDS, set())
    return bases.get(Analyte.NEUTROPHILS, set()) | both
