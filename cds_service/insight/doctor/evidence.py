"""What an examination collects before anything is concluded: the same for an export and for a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cds_service.acquisition.chart import LaboratoryChart
from cds_service.acquisition.prefetch import KeyState
from cds_service.authorization.clients import TrustedClient
from cds_service.decision.flow import read_laboratory
from cds_service.insight.doctor.eligibility_survey import EligibilitySurvey, Standing
from cds_service.insight.doctor.laboratory_survey import LaboratorySurvey
from cds_service.insight.doctor.names import NameBook
from cds_service.insight.doctor.tallies import PatientTally
from cds_service.insight.row import Asked, Version, row_of_decision, row_of_unavailable
from cds_service.normalization.effective_time import TimeReader
from cds_service.normalization.eligibility_facts import FactReader
from cds_service.normalization.observations import ObservationReader
from cds_service.normalization.subject import SubjectMatcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.resources import Observation, Procedure
    from cds_service.decision.flow import Decision
    from cds_service.decision.site import Site
    from cds_service.insight.doctor.findings import Finding
    from cds_service.insight.doctor.report import SearchRow

# Nothing is shown to anybody.
NOBODY = TrustedClient(name="doctor", issuer=None, mode="silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for. `patient_ids` None: a sample of `patients` is drawn by `seed`."""

    patients: int
    seed: int
    now: datetime
    since: date | None = None
    patient_ids: tuple[str, ...] | None = None


class Reader(NamedTuple):
    """The service's own readers for one patient."""

    observations: ObservationReader
    facts: FactReader


@dataclass(slots=True)
class Evidence:
    """Everything that was counted.

    `qualifying` patients of the sample have a diagnosis that counts, `suspected` one under a code that is not read;
    `without_data` have nothing at all. The sample was drawn from `population` patients, 0 where that is not known.
    `source`, `searches` and `findings` hold what only this kind of source can tell.

    `unanswered` are resource types of which nothing could be had at all; a finding says why.
    """

    site: Site
    options: Options
    laboratory: LaboratorySurvey
    eligibility: EligibilitySurvey
    times: TimeReader
    patients: PatientTally = field(default_factory=PatientTally)
    qualifying: int = 0
    suspected: int = 0
    population: int = 0
    without_data: int = 0
    source: dict[str, object] = field(default_factory=dict)
    searches: list[SearchRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unanswered: frozenset[str] = frozenset()

    @classmethod
    def empty(cls, site: Site, options: Options) -> Evidence:
        """Begin an examination."""
        names = NameBook()
        return cls(
            site,
            options,
            LaboratorySurvey(site.mappings, options.seed),
            EligibilitySurvey(site.mappings, names),
            TimeReader(site.policy.timezone, options.now),
        )

    def reader(self, patient_id: str, patients: Mapping[str, str] | None = None) -> Reader:
        """Return the readers for a patient; `patients` are the Patient entries of the Bundle that is read."""
        subjects = SubjectMatcher(patient_id, patients or {})
        return Reader(
            ObservationReader(self.site.mappings, self.site.policy.accepted_statuses, subjects, self.times),
            FactReader(self.site.mappings, subjects, self.times),
        )

    def add_decision(self, patient_id: str, decision: Decision) -> None:
        """Count what the service would have answered for a sampled patient."""
        self.patients.add_decision(row_of_decision(decision, self._asked(patient_id)))

    def add_unavailable(self, patient_id: str, missing: tuple[str, ...]) -> None:
        """Count a hook that the service would have to refuse, with the keys nobody answered."""
        self.patients.add_decision(row_of_unavailable(self._asked(patient_id), missing))

    @property
    def version(self) -> Version:
        """What the service would decide with."""
        return Version(self.site.service.rule_version, self.site.mappings.version, self.site.configuration_hash)

    def _asked(self, patient_id: str) -> Asked:
        now = self.options.now
        day = now.astimezone(self.site.policy.timezone).date()
        return Asked(self.site.service.id, NOBODY.name, now, day, patient_id, self.version)

    def add_diagnosed(
        self, patient_id: str, standing: Standing, procedures: Iterable[Procedure], reader: FactReader
    ) -> None:
        """Count what the diagnoses of a sampled patient say, and look at the procedures of one who may qualify."""
        self.qualifying += standing is Standing.COUNTS
        self.suspected += standing is Standing.SUSPECTED
        if standing is not Standing.NONE:
            self.eligibility.add_other_procedures(procedures, patient_id, reader)

    def add_draws(
        self, patient_id: str, blood_counts: BundleContent[Observation], albumin: BundleContent[Observation]
    ) -> None:
        """Pair the blood counts of a sampled patient as the service does, whether or not the patient is eligible."""
        chart = LaboratoryChart(blood_counts, albumin, KeyState.PRESENT)
        self.patients.add_draws(read_laboratory(chart, patient_id, self.site, self.times).counts)
