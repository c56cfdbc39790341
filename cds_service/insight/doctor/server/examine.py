"""Examine a FHIR server: choose patients, run the hook for each, look at all their results, try the searches."""

from __future__ import annotations

import dataclasses
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from msgspec.structs import replace

from cds_service.acquisition import prefetch
from cds_service.acquisition.queries import PAGE_SIZE
from cds_service.decision.flow import decide
from cds_service.errors import DataUnavailableError
from cds_service.hooks.request import FHIRAuthorization
from cds_service.insight.doctor.eligibility_survey import Standing
from cds_service.insight.doctor.evidence import NOBODY, Evidence, Options
from cds_service.insight.doctor.patient_charts import hook_request
from cds_service.insight.doctor.resources import CONDITIONS, OBSERVATIONS, PROCEDURES
from cds_service.insight.doctor.server.conclusions import (
    HookTimes,
    judge_server,
    judge_version,
    never_answered,
    no_access,
    unreachable,
)
from cds_service.insight.doctor.server.connection import TokenError, timing_row
from cds_service.insight.doctor.server.features import FeatureObserver, Features, is_foreign, run_probes
from cds_service.insight.doctor.server.issues import fhir_version
from cds_service.insight.doctor.server.patients import choose_patients

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.delivery import Fetching
    from cds_service.acquisition.resources import Condition, Observation, Procedure
    from cds_service.decision.site import Site
    from cds_service.insight.doctor.server.connection import Answer, Connection

# Patients in a row for whom nothing at all came: the server has said what it will say.
_ENOUGH_SILENCE: Final = 3


class Examiner:
    """Examines one server."""

    def __init__(self, connection: Connection, fetching: Fetching, site: Site, options: Options) -> None:
        self._connection = connection
        self._fetching = fetching
        self.evidence = Evidence.empty(site, options)
        self._features = Features()
        self._observer = FeatureObserver(self._features, site.mappings, self.evidence.times)
        self._hooks = HookTimes(fetching.seconds)

    def run(self, advance: Callable[[int, int], None]) -> Evidence:
        """Examine. `advance` is told after each patient how many are done and how many there are."""
        evidence = self.evidence
        evidence.source = {"kind": "server", "server": self._connection.base, "fhirVersion": ""}
        try:
            self._examine(advance)
        except TokenError as error:
            evidence.findings.append(no_access(str(error)))
        evidence.searches += self._connection.rows()
        if self._hooks.seconds:
            name = f"whole hook, {self._hooks.deadline:g} s allowed"
            evidence.searches.append(timing_row(name, self._hooks.seconds, failed=self._hooks.late))
        evidence.unanswered = never_answered(self._connection.logs)
        evidence.findings += judge_server(self._connection.logs, self._features, self._hooks)
        return evidence

    def _examine(self, advance: Callable[[int, int], None]) -> None:
        evidence = self.evidence
        capability, failure = self._connection.read("metadata", "metadata")
        if capability is None and not failure.startswith("status "):
            evidence.findings.append(unreachable(self._connection.base, failure))
            return
        evidence.source["fhirVersion"] = fhir_version(capability) if capability is not None else ""
        evidence.findings += judge_version(str(evidence.source["fhirVersion"]))
        patients = choose_patients(self._connection, evidence)
        silent = 0
        for done, patient_id in enumerate(patients, start=1):
            silent = 0 if self._examine_patient(patient_id) else silent + 1
            advance(done, len(patients))
            if silent == _ENOUGH_SILENCE:
                return
        run_probes(self._connection, self._fetching.queries, self._features, self._observer)

    def _examine_patient(self, patient_id: str) -> bool:
        """Run the hook, then look at everything; tell whether the server answered anything."""
        self._run_hook(patient_id)
        base, queries = self._connection.base, self._fetching.queries
        conditions = self._connection.search(
            "Condition", CONDITIONS, queries[prefetch.CONDITIONS].url(base, patient_id)
        )
        procedures = self._connection.search(
            "Procedure", PROCEDURES, queries[prefetch.PROCEDURES].url(base, patient_id)
        )
        counts = self._connection.search(
            "blood counts", OBSERVATIONS, queries[prefetch.BLOOD_COUNTS].url(base, patient_id)
        )
        albumin = self._connection.search("albumin", OBSERVATIONS, queries[prefetch.ALBUMIN].url(base, patient_id))
        survey = self._survey(patient_id)
        contents = (conditions.content, procedures.content, counts.content, albumin.content, survey.content)
        self._observer.observe_subjects(patient_id, contents)
        self._observer.observe_totals(contents)
        self._observer.observe(patient_id, counts, albumin, survey)
        self._add_facts(patient_id, conditions.content, procedures.content)
        self._add_results(patient_id, counts, albumin, survey)
        answers = (conditions, procedures, counts, albumin, survey)
        whole = all(answer.answered for answer in answers)
        self.evidence.without_data += whole and not any(answer.content.resources for answer in answers)
        return any(answer.answered for answer in answers)

    def _run_hook(self, patient_id: str) -> None:
        """Let the service itself answer a hook without prefetch, within its deadline."""
        access = self._connection.access()
        token = access.authorization.removeprefix("Bearer ") if access.authorization is not None else None
        request = replace(
            hook_request(patient_id, {}),
            fhirServer=access.base,
            fhirAuthorization=FHIRAuthorization(token, "Bearer") if token is not None else None,
        )
        client = dataclasses.replace(NOBODY, fhir_servers=(access.base,), open_fhir_server=token is None)
        evidence, begun = self.evidence, monotonic()
        try:
            decision = decide(request, client, evidence.site, evidence.options.now, self._fetching.plan())
        except DataUnavailableError as error:
            evidence.add_unavailable(patient_id, error.keys)
        else:
            evidence.add_decision(patient_id, decision)
        self._hooks.seconds.append(monotonic() - begun)

    def _survey(self, patient_id: str) -> Answer[Observation]:
        """Ask for all laboratory results, by category where the server has one, else for everything."""
        since = self.evidence.options.since
        rest = {"_count": str(PAGE_SIZE)} | ({"date": f"ge{since}"} if since is not None else {})
        base = f"{self._connection.base}/Observation"
        by_category = urlencode({"patient": patient_id, "category": "laboratory", **rest})
        answer = self._connection.search("all results", OBSERVATIONS, f"{base}?{by_category}")
        if answer.content.resources:
            return answer
        return self._connection.search(
            "all results", OBSERVATIONS, f"{base}?{urlencode({'patient': patient_id, **rest})}"
        )

    def _add_facts(
        self, patient_id: str, conditions: BundleContent[Condition], procedures: BundleContent[Procedure]
    ) -> None:
        survey = self.evidence.eligibility
        reader = self.evidence.reader(patient_id, conditions.patients).facts
        own = [c for c in conditions.resources if not is_foreign(patient_id, conditions, c)]
        found = {survey.add_condition(condition, patient_id, reader) for condition in own}
        standing = next((standing for standing in Standing if standing in found), Standing.NONE)
        reader = self.evidence.reader(patient_id, procedures.patients).facts
        performed = [p for p in procedures.resources if not is_foreign(patient_id, procedures, p)]
        for procedure in performed:
            survey.add_procedure(procedure, patient_id, reader)
        self.evidence.add_diagnosed(patient_id, standing, performed, reader)

    def _add_results(
        self, patient_id: str, counts: Answer[Observation], albumin: Answer[Observation], survey: Answer[Observation]
    ) -> None:
        """Count every result once, whichever search brought it; those of other patients are told apart from these."""
        seen: set[str] = set()
        since = self.evidence.options.since
        for answer in (counts, albumin, survey):
            reader = self.evidence.reader(patient_id, answer.content.patients).observations
            for observation in answer.content.resources:
                day = self._observer.day_of(observation)
                known = observation.id in seen or (since is not None and day is not None and day < since)
                if not known and not is_foreign(patient_id, answer.content, observation):
                    self.evidence.laboratory.add(observation, patient_id, reader)
                if observation.id:
                    seen.add(observation.id)
        for answer in (counts, albumin):
            reader = self.evidence.reader(patient_id, answer.content.patients).observations
            self.evidence.laboratory.add_malformed(answer.content.malformed, reader)
        self.evidence.add_draws(patient_id, counts.content, albumin.content)
