"""From request to assessment: the flow of a decision, one line a step, for the server and `explain` alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from cds_service.acquisition.chart import acquire_eligibility, acquire_laboratory
from cds_service.acquisition.delivery import Delivery
from cds_service.acquisition.prefetch import BLOOD_COUNTS
from cds_service.cards.gaps import Gap
from cds_service.clinical.assessment import assess, leave_open, refuse_ineligible
from cds_service.clinical.chart_notes import note_chart
from cds_service.clinical.eligibility import judge_eligibility
from cds_service.clinical.models import Analyte
from cds_service.clinical.timing import first_day_in_use, has_decisive_draw, missing_baseline_window
from cds_service.decision.checked import Checked
from cds_service.decision.facts import read_facts, read_recorded
from cds_service.normalization.draws import pair_draws
from cds_service.normalization.effective_time import TimeReader
from cds_service.normalization.observations import ObservationReader, merge_readings
from cds_service.normalization.subject import SubjectMatcher
from cds_service.normalization.taken_back import ids_taken_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.chart import EligibilityChart, LaboratoryChart
    from cds_service.acquisition.delivery import FetchPlan
    from cds_service.acquisition.resources import Observation
    from cds_service.authorization.clients import TrustedClient
    from cds_service.clinical.eligibility import Eligibility
    from cds_service.clinical.models import BloodCounts
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.timing import TreatmentCalendar
    from cds_service.decision.facts import Facts
    from cds_service.decision.reading_memory import ReadingMemory
    from cds_service.decision.site import Site
    from cds_service.hooks.request import CDSRequest
    from cds_service.normalization.observed import ObservedResult


class ChartSource(Protocol):
    """Where the chart of a decision comes from: a request, or the record of an earlier decision."""

    def eligibility(self) -> EligibilityChart:
        """Return what tells eligibility."""

    def laboratory(self, counts_from: date, albumin_from: date) -> LaboratoryChart:
        """Return the laboratory results; asked for eligible patients only. Those of days before need not be there."""

    def counts_between(self, first: date, last: date) -> BundleContent[Observation] | None:
        """Return further blood counts of a span of days; None where there are none to be had."""


@dataclass(frozen=True, slots=True)
class _DeliveredChart:
    """The chart as the CDS Client delivered it and its FHIR server completes it."""

    delivery: Delivery
    required: bool

    def eligibility(self) -> EligibilityChart:
        return acquire_eligibility(self.delivery, required=self.required)

    def laboratory(self, counts_from: date, albumin_from: date) -> LaboratoryChart:
        return acquire_laboratory(self.delivery, counts_from, albumin_from)

    def counts_between(self, first: date, last: date) -> BundleContent[Observation] | None:
        return self.delivery.between(BLOOD_COUNTS, first, last)


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The laboratory side of a decision as delivered and as read."""

    chart: LaboratoryChart
    counts: BloodCounts
    albumin: tuple[ObservedResult, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """An assessment with everything it rests on. `laboratory` is None where nobody asked for blood counts."""

    assessment: Assessment
    eligibility: Eligibility
    chart: EligibilityChart
    facts: Facts
    laboratory: Laboratory | None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Name the data that were not required and could not be had, or not completely."""
        read = self.facts.patient is not None and self.facts.patient.is_readable
        patient = () if read else (Gap.PATIENT,)
        in_part = {"conditions": self.chart.conditions.truncated, "procedures": self.chart.procedures.truncated}
        gaps = (*patient, *(Gap((key, in_part[key])) for key in self.chart.not_delivered))
        return (*gaps, Gap.ALBUMIN) if self.laboratory and not self.laboratory.chart.has_all_albumin else gaps


def decide(
    request: CDSRequest, client: TrustedClient, site: Site, now: datetime, plan: FetchPlan | None = None
) -> Decision:
    """Assess the patient of a request; with a plan, what prefetch left open is asked of the client's FHIR server.

    Raises PatientMismatchError, ForbiddenError or DataUnavailableError when there is nothing to assess, DeadlineError
    when the time of the plan is over; unusable data are an outcome, not an error.
    """
    delivery = Delivery(request, client, plan)
    try:
        source = _DeliveredChart(delivery, site.policy.eligibility_required)
        return decide_chart(source, request.context.patientId, site, now, plan.check if plan is not None else _go_on)
    finally:
        # Whatever happened, no request goes on after the answer (requirement 74).
        delivery.close()


def _go_on() -> None:
    """Let what nobody waits for take its time."""


def decide_chart(
    source: ChartSource,
    patient_id: str,
    site: Site,
    now: datetime,
    check: Callable[[], None] = _go_on,
    memory: ReadingMemory | None = None,
) -> Decision:
    """Assess the patient of a chart as of `now`. Raises what the source raises, and what `check` does between steps.

    `memory` is for who assesses many charts of a site.
    """
    times = memory.times(now) if memory is not None else TimeReader(site.policy.timezone, now)
    chart = source.eligibility()
    facts = read_facts(chart, patient_id, site, times)
    check()
    eligibility = judge_eligibility(facts.judged(chart), site.policy, now)
    if eligibility.unsure:
        left_open = leave_open(facts.judged(chart), facts.doubts(chart), site.policy)
        return Decision(left_open, eligibility, chart, facts, None)
    if eligibility.reason is not None:
        refused = refuse_ineligible(eligibility.reason, facts.doubts(chart), site.policy)
        return Decision(refused, eligibility, chart, facts, None)
    calendar = eligibility.calendar(site.policy, now)
    laboratory = _find_counts(source, calendar, patient_id, site, times, check)
    assessment = assess(
        site.service.rule.index,
        eligibility,
        laboratory.counts,
        laboratory.albumin,
        site.policy,
        now,
        pages_missing=chart.truncated,
        unreadable=facts.unreadable,
    )
    recorded = read_recorded(chart, patient_id, site, times)
    notes = note_chart(
        facts.judged(chart), recorded, facts.suspected, eligibility, assessment, site.policy, times.today
    )
    return Decision(replace(assessment, notes=notes), eligibility, chart, facts, laboratory)


def _find_counts(
    source: ChartSource,
    calendar: TreatmentCalendar,
    patient_id: str,
    site: Site,
    times: TimeReader,
    check: Callable[[], None],
) -> Laboratory:
    """Read the counts in use, and what lies before the procedures where the draw before them is missing."""
    counts_from = first_day_in_use(calendar, site.policy)
    albumin_days = timedelta(days=site.policy.albumin_window_days)
    laboratory_chart = source.laboratory(counts_from, counts_from - albumin_days)
    laboratory = read_laboratory(laboratory_chart, patient_id, site, times, check)
    window = missing_baseline_window(laboratory.counts, calendar, site.policy)
    if window is not None:
        laboratory_chart = laboratory_chart.joined_with(source.counts_between(*window))
        laboratory = read_laboratory(laboratory_chart, patient_id, site, times, check)
    elif laboratory_chart.only_older_is_missing and has_decisive_draw(laboratory.counts, calendar):
        # The newest came, and one of them decides: what is older cannot take its place.
        laboratory_chart = laboratory_chart.without_older()
        laboratory = replace(laboratory, chart=laboratory_chart, counts=replace(laboratory.counts, truncated=False))
    return laboratory


def laboratory_readers(
    chart: LaboratoryChart, patient_id: str, site: Site, times: TimeReader
) -> list[tuple[BundleContent[Observation], ObservationReader]]:
    """Return each search with the reader for it: a Bundle knows its own Patient entries."""
    taken_back = ids_taken_back(chart.blood_counts.resources, chart.albumin.resources)
    statuses = site.policy.accepted_statuses
    searches = []
    for content in (chart.blood_counts, chart.albumin):
        subjects = SubjectMatcher(patient_id, content.patients)
        reader = ObservationReader(
            site.mappings, statuses, subjects, times, taken_back, content.specimens, site.measures
        )
        searches.append((content, reader))
    return searches


def read_laboratory(
    chart: LaboratoryChart,
    patient_id: str,
    site: Site,
    times: TimeReader,
    check: Callable[[], None] = _go_on,
) -> Laboratory:
    """Read both searches as one: servers answer with more than was asked, and the same result may stand in both.

    Raises what `check` does, which is asked between results and steps.
    """
    readers = laboratory_readers(chart, patient_id, site, times)
    read = merge_readings(
        [reader.read_all(Checked(content.resources, check), content.malformed) for content, reader in readers]
    )
    check()
    counts = pair_draws(
        read,
        site.policy.same_draw,
        site.mappings.differential,
        site.service.rule.index,
        truncated=chart.blood_counts.truncated,
    )
    check()
    return Laboratory(chart, counts, tuple([r for r in read.results if r.measure.kind[0] is Analyte.ALBUMIN]))
