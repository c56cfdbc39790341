"""The chart of a patient as it could be known at a moment: the source of a decision made in hindsight.

`decide_chart` alone looks ahead: a Condition recorded after the moment of the decision counts there as known. So the
chart is cut before it is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.chart import EligibilityChart, LaboratoryChart
from cds_service.acquisition.prefetch import KeyState
from cds_service.acquisition.resources import Malformed
from cds_service.clinical.outcomes import Indeterminate
from cds_service.insight.cohort.patient_record import alive
from cds_service.services.decision import decide_chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.acquisition.resources import Observation, Patient
    from cds_service.insight.cohort.patient_record import Known, Order, PatientRecord
    from cds_service.services.decision import Decision
    from cds_service.services.site import Site

_NO_RESULTS: Final[BundleContent[Any]] = BundleContent()
# A draw may reach over midnight, one specimen over a day: no draw of a window begins before this.
_SLACK: Final = timedelta(days=2)


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
    """What of a record was known at a moment. Without `whole`, results before the windows in use are left out."""

    record: PatientRecord
    moment: Moment
    whole: bool

    def eligibility(self) -> EligibilityChart:
        """Return what tells eligibility."""
        return EligibilityChart(
            self._patient(),
            _content(known.resource for known in self._known(self.record.conditions)),
            _content(known.resource for known in self._known(self.record.procedures)),
        )

    def laboratory(self, counts_from: date, albumin_from: date) -> LaboratoryChart:
        """Return the laboratory results."""
        results: Iterable[Known] = self._known(self.record.results)
        if not self.whole:
            first = min(counts_from, albumin_from)
            first = first - _SLACK if first > date.min + _SLACK else date.min
            results = (known for known in results if known.day is None or known.day >= first)
        return LaboratoryChart(_content(known.resource for known in results), _NO_RESULTS, KeyState.PRESENT)

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


def decide_as_of(record: PatientRecord, moment: Moment, site: Site) -> Decision:
    """Decide by the bedside's own rule what could be known at a moment.

    Where a draw decides, older results cannot change that and are not read; where none does, the reasons speak of all.
    """
    decision = decide_chart(ChartAsOf(record, moment, whole=False), record.patient_id, site, moment.now)
    if isinstance(decision.assessment, Indeterminate):
        return decide_chart(ChartAsOf(record, moment, whole=True), record.patient_id, site, moment.now)
    return decision


def _content(resources: Iterable[Any]) -> BundleContent[Any]:
    readable: list[Any] = []
    malformed: list[Malformed] = []
    for resource in resources:
        (malformed if isinstance(resource, Malformed) else readable).append(resource)
    return BundleContent(tuple(readable), tuple(malformed))
