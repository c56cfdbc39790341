"""From unusual measures to findings: what belongs together is told once, and effects stand under their cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from cds_service.insight.monitor.causes import CAUSES, DECISION_EFFECTS
from cds_service.insight.monitor.naming import MISSING, name_signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from cds_service.insight.monitor.measures import Measure
    from cds_service.insight.monitor.naming import Signal

# Changes that begin or are seen within this time of each other may have one cause.
_TOGETHER: Final = timedelta(days=14)
# What concerns fewer patients than this does not move the mean of all of them.
_LEAST_REACH: Final = 0.1
_MOST_TIMES: Final = 3
_OF_HOOKS: Final = frozenset({"eligible", "refused", "unavailable"})
_MEAN_EFFECTS: Final = (*DECISION_EFFECTS, "values-shifted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that became unusual. Days are those of the site; `last_day` is the newest judged day while `open`.

    `clients` are those it was seen at, `subjects` the analytes, keys or reasons it is about. `signals` are the
    measures that show it, the strongest evidence first; `effects` are findings that follow from it.
    """

    id: str
    subjects: tuple[str, ...]
    clients: tuple[str, ...]
    first_day: date
    last_day: date
    noticed: date
    open: bool
    signals: tuple[tuple[str, Signal], ...]
    effects: tuple[str, ...] = ()

    @property
    def days_to_detection(self) -> int:
        """Days from the first day to the day that showed it: 0 when its first day did."""
        return max(0, (self.noticed - self.first_day).days)

    @property
    def reach(self) -> float:
        """Largest change of a share of patients that one of its measures shows; 1 where it concerns hooks."""
        measured = [(signal.measure, signal) for _, signal in self.signals if signal.measure is not None]
        return max((_change(m, signal) for m, signal in measured if m.kind not in _OF_HOOKS), default=1.0)

    def overlaps(self, other: Finding) -> bool:
        """Tell whether both may have one cause, by their time."""
        return self.first_day <= other.last_day + _TOGETHER and other.first_day <= self.last_day + _TOGETHER


def _change(measure: Measure, signal: Signal) -> float:
    before, after = (measure.part(tally) / max(measure.whole(tally), 1) for tally in (signal.before, signal.after))
    return abs(after - before)


def find_causes(client: str, signals: Iterable[Signal], days: Sequence[date]) -> list[Finding]:
    """Turn the signals of one client into findings; `days` are the judged days by position."""
    drafts = [_draft(client, signal, days) for signal in signals]
    drafts.sort(key=lambda draft: (draft.id, draft.first_day))
    merged = [found for _, same in groupby(drafts, key=lambda draft: draft.id) for found in _merge(same)]
    panels = sorted(map(_panel, merged), key=lambda found: (found.id, found.first_day))
    return _absorb([found for _, same in groupby(panels, key=lambda found: found.id) for found in _merge(same)])


def join_clients(findings: Iterable[Finding]) -> list[Finding]:
    """Tell the same finding of several clients once; in the order of time."""
    ordered = sorted(findings, key=lambda found: (found.id, found.subjects, found.first_day))
    joined = [
        found for _, same in groupby(ordered, key=lambda found: (found.id, found.subjects)) for found in _merge(same)
    ]
    return sorted(joined, key=lambda found: (found.first_day, found.id))


def _draft(client: str, signal: Signal, days: Sequence[date]) -> Finding:
    finding_id, subject = name_signal(signal)
    episode = signal.episode
    return Finding(
        id=finding_id,
        subjects=(subject,) if subject else (),
        clients=(client,),
        first_day=days[episode.first],
        last_day=days[episode.last],
        noticed=days[episode.noticed],
        open=episode.open,
        signals=((client, signal),),
    )


def _merge(findings: Iterable[Finding]) -> list[Finding]:
    """Join findings of one id that overlap; they come in the order of their first day."""
    merged: list[Finding] = []
    for found in findings:
        if merged and merged[-1].overlaps(found):
            merged[-1] = _joined(merged[-1], found)
        else:
            merged.append(found)
    return merged


def _joined(one: Finding, other: Finding) -> Finding:
    return replace(
        one,
        subjects=tuple(sorted({*one.subjects, *other.subjects})),
        clients=tuple(sorted({*one.clients, *other.clients})),
        # The one that was noticed first tells best when it began.
        first_day=min(one, other, key=lambda found: found.noticed).first_day,
        last_day=max(one.last_day, other.last_day),
        noticed=min(one.noticed, other.noticed),
        open=one.open or other.open,
        signals=(*one.signals, *other.signals),
        effects=tuple(dict.fromkeys((*one.effects, *other.effects))),
    )


def _panel(found: Finding) -> Finding:
    """All three counts missing at once is no change of one code: nothing comes, or nothing new does.

    Where newer results of the other analytes are there, it is one.
    """
    lacking = any(signal.measure is not None and signal.measure.kind == "lacking" for _, signal in found.signals)
    if found.id != "code-changed" or lacking:
        return found
    signal = found.signals[0][1]
    growths = [_growth(signal, reason) for reason in MISSING]
    if min(growths) < max(growths) / 2:
        return found
    decided = [tally.decided / max(tally.eligible, 1) for tally in (signal.before, signal.after)]
    return replace(found, id="blood-counts-empty" if decided[1] < decided[0] / 10 else "results-stale", subjects=())


def _growth(signal: Signal, reason: str) -> float:
    before, after = (tally.reasons[reason] / max(tally.eligible, 1) for tally in (signal.before, signal.after))
    return after - before


def _absorb(findings: Sequence[Finding]) -> list[Finding]:
    """Put effects under their cause."""
    causes = {id(found): _cause_of(found, findings) for found in findings}
    kept = []
    for found in findings:
        if causes[id(found)] is not None:
            continue
        effects = [other for other in findings if _root(other, causes) is found]
        kept.append(_with_effects(found, effects))
    return kept


def _cause_of(found: Finding, findings: Sequence[Finding]) -> Finding | None:
    return next((other for other in findings if other is not found and _explains(other, found)), None)


def _root(found: Finding, causes: dict[int, Finding | None]) -> Finding | None:
    cause = causes[id(found)]
    while cause is not None and causes[id(cause)] is not None:
        cause = causes[id(cause)]
    return cause


def _explains(cause: Finding, effect: Finding) -> bool:
    begins = cause.first_day - _TOGETHER <= effect.first_day <= cause.last_day + _TOGETHER
    # What was over before the cause began, or lasts when it has ended, is no effect of it.
    meets = effect.last_day >= cause.first_day and cause.open >= effect.open
    if effect.id not in CAUSES[cause.id].effects or not begins or not meets:
        return False
    # A handful of refused results does not explain what happens to half of the patients.
    if cause.reach < effect.reach / _MOST_TIMES:
        return False
    soon = abs(effect.first_day - cause.first_day) <= _TOGETHER
    if effect.id in _MEAN_EFFECTS and (cause.reach < _LEAST_REACH or not soon):
        return False
    # A value or a code of one analyte does not explain what happens to another.
    own = not effect.subjects or not cause.subjects or set(effect.subjects) <= {*cause.subjects, "sii"}
    return own or effect.id not in ("code-changed", "values-shifted")


def _with_effects(found: Finding, effects: Sequence[Finding]) -> Finding:
    named = (" ".join([effect.id, *effect.subjects]) for effect in effects)
    return replace(
        found,
        effects=tuple(dict.fromkeys(named)),
        signals=(*found.signals, *(signal for effect in effects for signal in effect.signals)),
    )
