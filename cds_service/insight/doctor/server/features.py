"""What the answers show of the server's searches, and the searches that ask for it: what is ignored, what is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.acquisition.prefetch import BLOOD_COUNTS
from cds_service.acquisition.queries import Query
from cds_service.clinical.models import Analyte, EffectiveTime
from cds_service.clinical.reasons import Reason
from cds_service.insight.doctor.resources import OBSERVATIONS
from cds_service.insight.doctor.server.connection import OWN_LIMITS
from cds_service.insight.doctor.tallies import COUNTED
from cds_service.normalization.subject import SubjectMatcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.resources import Condition, Observation, Procedure
    from cds_service.insight.doctor.server.connection import Answer
    from cds_service.normalization.effective_time import TimeReader
    from fhir_mappings.mappings import Mappings

    Found = BundleContent[Observation] | BundleContent[Condition] | BundleContent[Procedure]
    from collections.abc import Mapping

    from cds_service.acquisition.resources import Observation
    from cds_service.insight.doctor.server.connection import Connection

# The server may count days in another zone.
_ZONE_SLACK: Final = timedelta(days=1)
# A probe by pages of two reads at most ten of them.
PROBED: Final = range(3, 16)
PROBE_PAGE: Final = 2


class Probe(NamedTuple):
    """A patient with enough results to try paging and date ranges on."""

    patient_id: str
    ids: frozenset[str]
    days: tuple[date, ...]


@dataclass(slots=True)
class Features:
    """Counts patients for whom a search showed something, by the id of the finding."""

    patients: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    probe: Probe | None = None
    words: dict[str, str] = field(default_factory=dict)

    def note(self, finding: str, word: str = "") -> None:
        """Count a patient, and keep a word about it."""
        self.seen[finding] += 1
        if word:
            self.words.setdefault(finding, word)


class FeatureObserver:
    """Looks at the answers of one patient after the other."""

    def __init__(self, features: Features, mappings: Mappings, times: TimeReader) -> None:
        self._features = features
        self._mappings = mappings
        self._times = times

    def observe(
        self, patient_id: str, counts: Answer[Observation], albumin: Answer[Observation], survey: Answer[Observation]
    ) -> None:
        """Look at the searches for results of a patient."""
        self._features.patients += 1
        if self._holds_others(counts, COUNTED) or self._holds_others(albumin, (Analyte.ALBUMIN,)):
            self._features.note("search-code-ignored")
        if counts.is_whole and albumin.is_whole and self._lost(counts, albumin, survey):
            self._features.note("search-code-incomplete")
        is_cut = counts.answered and counts.failure in OWN_LIMITS
        if is_cut:
            self._features.note("search-truncated")
        if counts.sort_refused or albumin.sort_refused:
            self._features.note("search-sort-refused")
        elif self._is_unsorted(counts.content.resources):
            self._features.note("search-sort-truncated" if is_cut else "search-sort-ignored")
        self._choose_probe(patient_id, counts)

    def observe_subjects(
        self,
        patient_id: str,
        contents: Iterable[Found],
    ) -> None:
        """Look for resources of other patients in a patient's searches."""
        if any(holds_foreign(patient_id, content) for content in contents):
            self._features.note("search-patient-ignored")

    def observe_totals(self, contents: Iterable[Found]) -> None:
        """Look for searches that tell of more matches than they bring, and of no further page."""
        if any(content.truncated and content.next_url is None for content in contents):
            self._features.note("search-total-unmet")

    def _holds_others(self, answer: Answer[Observation], analytes: Sequence[str]) -> bool:
        """Tell whether a search brought results without any of the codes asked for."""
        # A panel may have been found by the code of a component.
        alone = (observation for observation in answer.content.resources if not observation.component)
        return any(not self._is_one_of(observation, analytes) for observation in alone)

    def _is_one_of(self, observation: Observation, analytes: Sequence[str]) -> bool:
        codings = observation.code.coding if observation.code is not None else ()
        rows = (self._mappings.analyte_code(c.system or "", c.code or "") for c in codings)
        return any(row is not None and row.analyte in analytes for row in rows)

    def _lost(self, counts: Answer[Observation], albumin: Answer[Observation], survey: Answer[Observation]) -> bool:
        """Tell whether the search by category brought results of ours that the searches by code did not."""
        found = {o.id for answer in (counts, albumin) for o in answer.content.resources}
        return any(
            o.id not in found and not o.component and self._is_one_of(o, tuple(Analyte))
            for o in survey.content.resources
            if o.id
        )

    def _is_unsorted(self, observations: Sequence[Observation]) -> bool:
        days = [day for observation in observations if (day := self.day_of(observation)) is not None]
        return any(later - earlier > _ZONE_SLACK for earlier, later in pairwise(days))

    def day_of(self, observation: Observation) -> date | None:
        """Return the day of a result; None where it has none that can be read."""
        time = self._times.read_observation(observation)
        return time.day if isinstance(time, EffectiveTime) else None

    def _choose_probe(self, patient_id: str, counts: Answer[Observation]) -> None:
        """Keep the patient whose results suit a probe best: enough, but not many."""
        observations = [o for o in counts.content.resources if o.id]
        if not counts.is_whole or len(observations) not in PROBED:
            return
        known = self._features.probe
        if known is None or len(known.ids) < len(observations):
            days = tuple(sorted(day for o in observations if (day := self.day_of(o)) is not None))
            self._features.probe = Probe(patient_id, frozenset(o.id or "" for o in observations), days)


def holds_foreign(patient_id: str, content: Found) -> bool:
    """Tell whether a search of one patient holds resources of another."""
    resources: Sequence[Observation | Condition | Procedure] = content.resources
    return any(is_foreign(patient_id, content, resource) for resource in resources)


def is_foreign(patient_id: str, content: Found, resource: Observation | Condition | Procedure) -> bool:
    """Tell whether a resource names another patient; one that names nobody is not foreign."""
    return SubjectMatcher(patient_id, content.patients).refuse(resource.subject) is Reason.SUBJECT_MISMATCH


def run_probes(
    connection: Connection, queries: Mapping[str, Query], features: Features, observer: FeatureObserver
) -> None:
    """Try paging and a date range. Raises TokenError."""
    probe = features.probe
    if probe is None:
        return
    query = queries[BLOOD_COUNTS]
    _probe_pages(connection, query, probe, features)
    if probe.days:
        _probe_days(connection, query, probe, features, observer)


def _probe_pages(connection: Connection, query: Query, probe: Probe, features: Features) -> None:
    parameters = tuple((name, str(PROBE_PAGE) if name == "_count" else value) for name, value in query.parameters)
    url = Query(query.resource_type, parameters).url(connection.base, probe.patient_id)
    answer = connection.search("probe pages", OBSERVATIONS, url)
    if not answer.answered:
        features.note("paging-failed", answer.failure)
        return
    if answer.pages and answer.pages[0] > PROBE_PAGE:
        features.note("search-count-ignored")
    if holds_foreign(probe.patient_id, answer.content):
        features.note("paging-loses-patient")
    if answer.failure and answer.failure not in OWN_LIMITS:
        features.note("paging-failed", answer.failure)
    elif not answer.failure and not probe.ids <= _ids(answer):
        features.note("paging-missing" if len(answer.pages) == 1 else "paging-incomplete")


def _probe_days(
    connection: Connection, query: Query, probe: Probe, features: Features, observer: FeatureObserver
) -> None:
    """Ask for the day of the middle result, as the service asks for a baseline window."""
    day = probe.days[len(probe.days) // 2]
    asked = query.between(day, day)
    answer = connection.search("probe days", OBSERVATIONS, asked.url(connection.base, probe.patient_id))
    if not answer.answered:
        features.note("search-date-failed", answer.failure)
        return
    days = [found for o in answer.content.resources if (found := observer.day_of(o)) is not None]
    if days.count(day) < probe.days.count(day):
        features.note("search-date-incomplete")
    # The service asks for a day more on each side, and the server may count days in another zone.
    if any(abs((found - day).days) > 2 for found in days):
        features.note("search-date-ignored")


def _ids(answer: Answer[Observation]) -> frozenset[str]:
    return frozenset(o.id or "" for o in answer.content.resources)
