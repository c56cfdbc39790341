"""Whose resource is this? A reference is matched to the patient of the context by its trailing Type/id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cds_service.normalization.shapes import ReferenceLike


class SubjectMatcher:
    """Matches subjects to one patient.

    `bundle_patients` maps the fullUrl of Patient entries to their ids, so that `urn:uuid:` references resolve within
    the Bundle they came in.
    """

    def __init__(self, patient_id: str, bundle_patients: Mapping[str, str]) -> None:
        """Keep the patient of the context and what the Bundles say of their own Patient entries."""
        self._patient_id = patient_id
        self._relative = f"Patient/{patient_id}"
        self._bundle_patients = bundle_patients

    def refuse(self, subject: ReferenceLike | None, focus: Sequence[ReferenceLike] | None = None) -> Reason | None:
        """Return None when the subject is the patient, else subject-missing or subject-mismatch.

        `focus` is what was looked at where that is not the subject itself: a donor, a fetus (FHIR R4:
        Observation.focus). Anything but the patient there is a mismatch.
        """
        reference = subject.reference if subject is not None else None
        if not reference:
            return Reason.SUBJECT_MISSING
        if reference != self._relative and self._resolve(reference) != self._patient_id:
            return Reason.SUBJECT_MISMATCH
        if focus and any(self.refuse(each) is not None for each in focus):
            return Reason.SUBJECT_MISMATCH
        return None

    def _resolve(self, reference: str) -> str | None:
        """Read the Patient id of a relative, absolute, versioned or Bundle-local reference."""
        if reference in self._bundle_patients:
            return self._bundle_patients[reference]
        if reference.startswith("urn:"):
            return None
        return type_and_id(reference, "Patient")


def type_and_id(reference: str, resource_type: str) -> str | None:
    """Return the id of a reference to `resource_type`, without base URL and version; None for anything else.

    EHRs send absolute references inside prefetch (Epic) and versioned ones; both end in Type/id.
    """
    parts = reference.split("/_history/", 1)[0].rsplit("/", 2)
    if len(parts) == 1 or parts[-2] != resource_type or not parts[-1]:
        return None
    return parts[-1]
