"""The chart of a patient as it could be known at a moment: the source of a decision made in hindsight.

`decide_chart` alone looks ahead: a Condition recorded after the moment of the decision counts there as known. So the
chart is cut before it is judged.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.chart import EligibilityChart, LaboratoryChart
from cds_service.acquisition.prefetch import KeyState
from cds_service.acquisition.resources import Malformed
from cds_service.clinical.outcomes import Indeterminate, NotEligible
from cds_service.decision.flow import decide_chart
from cds_service.insight.cohort.patient_record import alive, day_or_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.acquisition.resources import Observation, Patient
    from cds_service.clinical.outcomes import Assessment
    from cds_service.decision.flow import Decision
    from cds_service.decision.reading_memory import ReadingMemory
    from cds_service.decision.site import Site
    from cds_service.insight.cohort.patient_record import Known, Order, PatientRecord

_NO_RESULTS: Final[BundleContent[Any]] = BundleContent()
# A draw may reach over midnight, one specimen over a day: no draw of a window begins before this.
_SLACK: Final = timedelta(days=2)
# Of those that have one: date.min stands for none.
_FIRST_DAY: Final = date.min + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of decision: what is dated on its day and no later than it is known."""

    now: datetime
    order: Order

    @property
    def day(self) -> date:
        """The day at the site."""
        return self.order[0]


def end_of(day: date, site: Site) -> Moment:
    """Return the end of a day at the site: all that is dated on the day is known."""
    return Moment(datetime.combine(day, time.max, site.policy.timezone), (day, float("inf")))


def moment_of(now: datetime, site: Site) -> Moment:
    """Return the moment of a decision that was made; `now` is aware."""
    local = now.astimezone(site.policy.timezone)
    return Moment(now, (local.date(), now.timestamp()))


@dataclass(frozen=True, slots=True)
class ChartAsOf:
    """What of a record was known at a moment, without results of days before `since`."""

    record: PatientRecord
    moment: Moment
    since: date

    def eligibility(self) -> EligibilityChart:
        """Return what tells eligibility."""
        return EligibilityChart(
            self._patient(),
            _content(known.resource for known in self._known(self.record.conditions)),
            _content(known.resource for known in self._known(self.record.procedures)),
        )

    def laboratory(self, _counts_from: date, _albumin_from: date) -> LaboratoryChart:
        """Return the laboratory results."""
        results = self.record.results
        undated = results[: bisect_right(results, date.min, key=day_or_first)]
        first = bisect_left(results, max(self.since, _FIRST_DAY), key=day_or_first)
        dated = results[first : bisect_right(results, self.moment.day, key=day_or_first)]
        resources = (known.resource for known in self._known(undated + dated))
        return LaboratoryChart(_content(resources), _NO_RESULTS, KeyState.PRESENT)

    def counts_between(self, _first: date, _last: date) -> BundleContent[Observation] | None:
        """Bring nothing more: all there is was brought."""
        return None

    def _known(self, resources: Sequence[Known]) -> list[Known]:
        order = self.moment.order
        return [known for known in resources if known.since is None or known.since <= order]

    def _patient(self) -> Patient | None:
        patient, death = self.record.patient, self.record.death
        if patient is None or death is None or death <= self.moment.order:
            return patient
        return alive(patient)


def decide_as_of(
    record: PatientRecord, moment: Moment, site: Site, memory: ReadingMemory, *, is_whole: bool = True
) -> Decision:
    """Decide by the bedside's own rule what could be known at a moment.

    Where the newest draw decides, older results cannot change that, and are not read; where it does not, all are, and
    the reasons speak of all. What a card would say of earlier draws is nobody's question here. Without `is_whole` only
    what may still decide after a procedure is read, and the reasons, and draws before a procedure, may be fewer.
    """
    newest = _newest_day(record, moment)
    reach = timedelta(days=site.policy.albumin_window_days) + _SLACK
    if newest > date.min + reach:
        chart = ChartAsOf(record, moment, newest - reach)
        decision = decide_chart(chart, record.patient_id, site, moment.now, memory=memory)
        if _stands(decision.assessment, chart.since + _SLACK):
            return decision
    oldest = date.min if is_whole else moment.day - timedelta(days=site.policy.max_age_days) - reach
    return decide_chart(ChartAsOf(record, moment, oldest), record.patient_id, site, moment.now, memory=memory)


def _newest_day(record: PatientRecord, moment: Moment) -> date:
    """Return the last day with a result that was known; date.min where there is none."""
    for place in range(bisect_right(record.results, moment.day, key=day_or_first) - 1, -1, -1):
        known = record.results[place]
        if known.since is not None and known.since <= moment.order:
            return day_or_first(known)
    return date.min


def _stands(assessment: Assessment, first: date) -> bool:
    """Tell whether older results cannot change what was decided; a draw at the edge may lack some of its own."""
    if isinstance(assessment, Indeterminate):
        return False
    return isinstance(assessment, NotEligible) or assessment.timed.draw.effective.day >= first


def _content(resources: Iterable[Any]) -> BundleContent[Any]:
    readable: list[Any] = []
    malformed: list[Malformed] = []
    for resource in resources:
        (malformed if isinstance(resource, Malformed) else readable).append(resource)
    return BundleContent(tuple(readable), tuple(malformed))
