"""The monitor from top to bottom: learn what is usual, judge each day of each client, name what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.insight.monitor.control_charts import WINDOWS, ShareChart, VolumeChart, find_episodes
from cds_service.insight.monitor.days import Change, changes_of
from cds_service.insight.monitor.expectation import learn_share, learn_volume
from cds_service.insight.monitor.findings import find_causes, join_clients
from cds_service.insight.monitor.measures import measures_of
from cds_service.insight.monitor.naming import VOLUME, Signal
from cds_service.insight.monitor.periods import LEAST_BASELINE_DAYS
from cds_service.insight.tally import added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from cds_service.insight.monitor.control_charts import ControlChart, Episode
    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.expectation import Counts
    from cds_service.insight.monitor.findings import Finding
    from cds_service.insight.monitor.measures import Measure
    from cds_service.insight.monitor.periods import Periods
    from cds_service.insight.tally import Tally

# With fewer patients (hooks, answers) in the baseline a share cannot be told to be usual.
_LEAST_WHOLE: Final = 10
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Charted:
    """A measure with its chart and its episodes; `measure` is None for the number of hooks."""

    measure: Measure | None
    chart: ControlChart
    episodes: tuple[Episode, ...]

    @property
    def key(self) -> str:
        """Name the measure."""
        return self.measure.key if self.measure is not None else VOLUME


@dataclass(frozen=True, slots=True)
class ClientCharts:
    """What was charted of a client, from which baseline."""

    client: str
    baseline_days: tuple[date, ...]
    baseline: Tally
    charted: tuple[Charted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The result. `unjudged` names clients without a baseline and the number of days they have; `limit` is the
    probability below which a chart signals, `tests` how many probabilities are looked at each day; `changes` are what
    persons changed in the judged days, `unsteady` what changed within the baseline itself.
    """

    periods: Periods
    days: tuple[date, ...]
    clients: tuple[ClientCharts, ...]
    unjudged: dict[str, int]
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    unsteady: tuple[Finding, ...]
    limit: float
    tests: int

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Return the findings that last."""
        return tuple(found for found in self.findings if found.open)

    def changes_near(self, found: Finding) -> list[Change]:
        """Return the changes at the clients of a finding from the day before it began to the day that showed it."""
        return [
            change
            for change in self.changes
            if change.client in found.clients and found.first_day - _DAY <= change.day <= found.noticed
        ]


@dataclass(frozen=True, slots=True)
class _Learned:
    """A client with its charts, not judged yet."""

    client: str
    baseline_days: tuple[date, ...]
    baseline: Tally
    judged: tuple[Tally, ...]
    charts: tuple[tuple[Measure | None, ControlChart], ...]

    @property
    def tests(self) -> int:
        """Count the probabilities that are looked at each day."""
        return sum(len(chart.directions) for _, chart in self.charts) * len(WINDOWS)


def monitor(tallies: Tallies, periods: Periods, false_alarms: float) -> Monitoring:
    """Judge all clients with at most about `false_alarms` false findings in 100 days over all charts together."""
    days = periods.judged_days()
    learned, unjudged = _learn_all(tallies, periods)
    limit = _limit(learned, false_alarms)
    # What changed within the baseline is looked for in the same way: its second half is judged by its first.
    halves, _ = _learn_all(tallies, periods.halves())
    changes = [
        change for one in learned for change in changes_of(tallies, one.client, [*one.baseline_days[-1:], *days])
    ]
    judged = [_judge(one, limit) for one in learned]
    return Monitoring(
        periods=periods,
        days=tuple(days),
        clients=tuple(judged),
        unjudged=unjudged,
        findings=_find(learned, judged, days),
        changes=tuple(changes),
        unsteady=_find(halves, [_judge(one, limit) for one in halves], periods.halves().judged_days()),
        limit=limit,
        tests=sum(one.tests for one in learned),
    )


def _learn_all(tallies: Tallies, periods: Periods) -> tuple[list[_Learned], dict[str, int]]:
    """Learn what is usual at each client; return the others with the days of baseline that they have."""
    days = periods.judged_days()
    learned, unjudged = [], {}
    for client in tallies.clients:
        first_seen = min(day for name, day in tallies.days if name == client)
        baseline_days = periods.baseline_days(first_seen + _DAY)
        if len(baseline_days) < LEAST_BASELINE_DAYS or not days:
            unjudged[client] = len(baseline_days)
        else:
            learned.append(_learn(client, tallies, baseline_days, days))
    return learned, unjudged


def _limit(learned: Sequence[_Learned], false_alarms: float) -> float:
    """Bonferroni over all tests of a day. Neighbouring days and windows overlap, so that fewer alarms are seen."""
    return false_alarms / 100 / max(sum(one.tests for one in learned), 1)


def _find(learned: Sequence[_Learned], judged: Sequence[ClientCharts], days: Sequence[date]) -> tuple[Finding, ...]:
    found = [
        finding
        for one, charts in zip(learned, judged, strict=True)
        for finding in find_causes(one.client, _signals(one, charts), days)
    ]
    return tuple(join_clients(found))


def _learn(client: str, tallies: Tallies, baseline_days: Sequence[date], days: Sequence[date]) -> _Learned:
    before = [tallies.of(client, day) for day in baseline_days]
    now = [tallies.of(client, day) for day in days]
    baseline = added(before)
    weekdays, usual_weekdays = _weekdays(days), _weekdays(baseline_days)
    hooks, usual_hooks = _counts(now, _hooks), _counts(before, _hooks)
    volume = learn_volume(usual_hooks, usual_weekdays)
    charts: list[tuple[Measure | None, ControlChart]] = [(None, VolumeChart(hooks, weekdays, volume))]
    weekdays = volume.like_weekdays(hooks, weekdays)
    usual_weekdays = volume.like_weekdays(usual_hooks, usual_weekdays)
    for measure in measures_of(baseline, added([baseline, *now])):
        whole = _counts(before, measure.whole)
        if whole.sum() >= _LEAST_WHOLE:
            usual = learn_share(_counts(before, measure.part), whole, usual_weekdays)
            part_now, whole_now = _counts(now, measure.part), _counts(now, measure.whole)
            charts.append((measure, ShareChart(part_now, whole_now, weekdays, usual, measure.directions)))
    return _Learned(client, tuple(baseline_days), baseline, tuple(now), tuple(charts))


def _judge(learned: _Learned, limit: float) -> ClientCharts:
    charted = tuple(
        Charted(measure, chart, tuple(find_episodes(chart, len(learned.judged), limit)))
        for measure, chart in learned.charts
    )
    return ClientCharts(learned.client, learned.baseline_days, learned.baseline, charted)


def _signals(learned: _Learned, charts: ClientCharts) -> Iterable[Signal]:
    for charted in charts.charted:
        for episode in charted.episodes:
            after = added(learned.judged[episode.first : episode.last + 1])
            _, usual = charted.chart.total(episode.first, episode.last)
            yield Signal(charted.measure, episode, learned.baseline, after, usual)


def _counts(tallies: Sequence[Tally], count: Callable[[Tally], int]) -> Counts:
    return np.array([count(tally) for tally in tallies], dtype=np.int64)


def _weekdays(days: Sequence[date]) -> Counts:
    return np.array([day.weekday() for day in days], dtype=np.int64)


def _hooks(tally: Tally) -> int:
    return tally.hooks
