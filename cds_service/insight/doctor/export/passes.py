"""The two passes over an export: who is there, then what their results are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.acquisition.bundles import BundleFailedError
from cds_service.foreign_bytes import UNREADABLE, decode
from cds_service.insight.doctor.eligibility_survey import Standing
from cds_service.insight.doctor.patient_charts import MOST_RESULTS, Chart, bundle
from cds_service.insight.doctor.resources import CONDITIONS, OBSERVATIONS, PROCEDURES
from cds_service.insight.doctor.tallies import IdSample, Patients
from cds_service.insight.sources.export_files import LONGEST_LINE
from cds_service.normalization.subject import type_and_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.acquisition.resources import CodeableConcept, Malformed, Observation
    from cds_service.insight.doctor.evidence import Evidence

# Enough to tell a share of Observations whose Patient is missing.
_SUBJECTS: Final = 500
# From here on an export holds "or more" patients.
_MOST_PEOPLE: Final = 100_000


class Head(msgspec.Struct):
    """Type, id and subject of a resource; nothing else of it is decoded."""

    resourceType: str = ""  # noqa: N815
    id: str | None = None
    # Another shape than a Reference in types that are none of ours.
    subject: Any = None

    @property
    def patient(self) -> str:
        """The id of the patient it is about, or is; empty where it names none."""
        if self.resourceType == "Patient":
            return self.id or ""
        reference = self.subject.get("reference") if isinstance(self.subject, dict) else None
        return (type_and_id(reference, "Patient") or "") if isinstance(reference, str) else ""


_HEAD = msgspec.json.Decoder(Head)


def read_head(line: bytes) -> Head | None:
    """Return the head of a line; None for one that is no JSON object of that form."""
    try:
        return decode(_HEAD, line)
    except UNREADABLE:
        return None


class FirstPass:
    """Counts types, Conditions and Procedures, and draws the sample."""

    def __init__(self, evidence: Evidence) -> None:
        options = evidence.options
        self._evidence = evidence
        self._listed = frozenset(options.patient_ids) if options.patient_ids is not None else None
        size = options.patients if options.patient_ids is None else len(options.patient_ids)
        self._everyone = IdSample(size, options.seed)
        self._qualifying = IdSample(size, options.seed)
        self._suspected = IdSample(size, options.seed)
        self._subjects = IdSample(_SUBJECTS, options.seed)
        self.people = Patients(_MOST_PEOPLE)
        self.types: Counter[str] = Counter()
        self.unreadable = 0
        self.overlong = 0

    def read(self, line: bytes) -> None:
        """Take one line into account."""
        if len(line) >= LONGEST_LINE:
            self.overlong += 1
            return
        head = read_head(line)
        if head is None:
            self.unreadable += 1
            return
        self.types[head.resourceType] += 1
        match head.resourceType:
            case "Patient":
                self._everyone.add(head.patient)
                self.people.add(head.patient)
            case "Observation":
                self._subjects.add(head.patient)
            case "Condition" | "Procedure":
                self._read_fact(line, head)

    def sample(self) -> tuple[str, ...]:
        """Return the patients to examine: listed ones, else those with a qualifying diagnosis first, then others.

        Those whose diagnosis stands under a code that is not read, and may be one, come second.
        """
        options = self._evidence.options
        if options.patient_ids is not None:
            return options.patient_ids
        known = self._everyone.ids() if self.types["Patient"] else self._subjects.ids()
        wanted = (*self._qualifying.ids(), *self._suspected.ids(), *known)
        found = [patient for patient in dict.fromkeys(wanted) if patient]
        return tuple(found[: options.patients])

    @property
    def subjects(self) -> frozenset[str]:
        """A sample of the patients that Observations are about."""
        return frozenset(self._subjects.ids()) - {""}

    def _read_fact(self, line: bytes, head: Head) -> None:
        if self._listed is not None and head.patient not in self._listed:
            return
        survey, reader = self._evidence.eligibility, self._evidence.reader(head.patient).facts
        try:
            if head.resourceType == "Condition":
                for condition in CONDITIONS.read(bundle([line])).resources:
                    standing = survey.add_condition(condition, head.patient, reader)
                    if standing is Standing.COUNTS:
                        self._qualifying.add(head.patient)
                    elif standing is Standing.SUSPECTED:
                        self._suspected.add(head.patient)
            else:
                for procedure in PROCEDURES.read(bundle([line])).resources:
                    survey.add_procedure(procedure, head.patient, reader)
        except BundleFailedError:
            self.unreadable += 1


class SecondPass:
    """Counts every result, and keeps the charts of the sample. `subjects` are patients whose Patient is looked for."""

    def __init__(self, evidence: Evidence, sample: Sequence[str], subjects: frozenset[str]) -> None:
        self._evidence = evidence
        self._only_listed = evidence.options.patient_ids is not None
        since = evidence.options.since
        self._since = since.isoformat() if since is not None else ""
        self._accepted = evidence.site.mappings.analyte_code
        self.laboratory = evidence.laboratory
        self.charts = {patient: Chart() for patient in sample}
        self.subjects_without_patient = set(subjects)
        self.subjects = len(subjects)

    def read(self, line: bytes) -> None:
        """Take one line into account."""
        head = read_head(line)
        if head is None:
            return
        if head.resourceType == "Patient":
            self.subjects_without_patient.discard(head.patient)
        chart = self.charts.get(head.patient)
        match head.resourceType:
            case "Patient" if chart is not None:
                chart.patient = line
            case "Condition" if chart is not None:
                chart.conditions.append(line)
            case "Procedure" if chart is not None:
                chart.procedures.append(line)
            case "Observation" if chart is not None or not self._only_listed:
                self._read_observation(line, head, chart)

    def _read_observation(self, line: bytes, head: Head, chart: Chart | None) -> None:
        try:
            content = OBSERVATIONS.read(bundle([line]))
        except BundleFailedError:
            return
        reader = self._evidence.reader(head.patient).observations
        for observation in content.resources:
            if _taken(observation) < self._since:
                return
            self.laboratory.add(observation, head.patient, reader)
        self.laboratory.add_malformed(content.malformed, reader)
        if chart is not None:
            read: tuple[Observation | Malformed, ...] = (*content.resources, *content.malformed)
            for resource in read:
                self._keep(line, resource.code, chart)

    def _keep(self, line: bytes, concept: CodeableConcept | None, chart: Chart) -> None:
        """Keep a result that the service's searches would bring: they ask for codes of Observations."""
        for coding in concept.coding if concept is not None else ():
            row = self._accepted(coding.system or "", coding.code or "")
            if row is not None and row.analyte != "leukocytes":
                results = chart.albumin if row.analyte == "albumin" else chart.blood_counts
                if len(results) < MOST_RESULTS:
                    results.append(line)
                else:
                    chart.is_cut = True
                return


def _taken(observation: Observation) -> str:
    """Return the day a result speaks of, as far as text tells; the end of time where it is not dated."""
    period = observation.effectivePeriod
    text = (
        observation.effectiveDateTime
        or observation.effectiveInstant
        or (period.end or period.start if period is not None else None)
    )
    return text[:10] if text else "9999"
