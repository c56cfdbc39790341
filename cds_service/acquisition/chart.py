"""The data of one hook, in the two stages that the flow asks for: first what tells eligibility, then the counts.

Most charts that are opened belong to patients without liver cancer. Their blood counts are never decoded.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from cds_service.acquisition import prefetch
from cds_service.acquisition.delivery import CONDITIONS, OBSERVATIONS, PROCEDURES
from cds_service.acquisition.fhir.paging import is_newest_first, join_pages

if TYPE_CHECKING:
    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.delivery import Delivery
    from cds_service.acquisition.prefetch import KeyState
    from cds_service.acquisition.resources import Condition, Observation, Patient, Procedure


class EligibilityChart(NamedTuple):
    """What tells whether the patient is one the study speaks about. `patient` is optional data.

    `not_delivered` names conditions and procedures where they are not required and nobody answered, or not completely.
    """

    patient: Patient | None
    conditions: BundleContent[Condition]
    procedures: BundleContent[Procedure]
    not_delivered: tuple[str, ...] = ()

    @property
    def truncated(self) -> bool:
        """Tell whether a part of either search is missing."""
        return self.conditions.truncated or self.procedures.truncated


class LaboratoryChart(NamedTuple):
    """The laboratory results. `albumin` is optional data; `albumin_state` tells why there may be none."""

    blood_counts: BundleContent[Observation]
    albumin: BundleContent[Observation]
    albumin_state: KeyState

    @property
    def has_all_albumin(self) -> bool:
        """Tell whether somebody answered for the albumin, with every page."""
        return self.albumin_state.is_answered and not self.albumin.truncated

    @property
    def only_older_is_missing(self) -> bool:
        """Tell whether the blood counts came newest first, and what was not read is the rest of them."""
        counts = self.blood_counts
        return (
            (counts.next_url is not None or counts.is_cut)
            and not counts.malformed
            and is_newest_first(counts.resources)
        )

    def without_older(self) -> LaboratoryChart:
        """Return the chart with the older blood counts that did not come not missed."""
        return self._replace(blood_counts=self.blood_counts.without_rest())

    def joined_with(self, more: BundleContent[Observation] | None) -> LaboratoryChart:
        """Add blood counts of another search; what neither brought stays missing."""
        if more is None:
            return self
        first = self.blood_counts
        counts = join_pages((first, more), first.next_url)
        # Another search has a total of its own, which does not tell what the first one lacks.
        return self._replace(blood_counts=counts._replace(total=first.total, matches=first.matches))


def acquire_eligibility(delivery: Delivery, *, required: bool) -> EligibilityChart:
    """Get patient, conditions and procedures side by side.

    Raises DataUnavailableError naming every key that nobody answered, when they are `required`; that a server finds
    nothing about a patient whom it does not know is no answer. What is not required
    is waited for together, for half of the time: the blood counts must still come.
    """
    delivery.begin_patient()
    delivery.begin(prefetch.CONDITIONS, CONDITIONS)
    delivery.begin(prefetch.PROCEDURES, PROCEDURES)
    if delivery.is_parallel:
        delivery.begin_missing((prefetch.BLOOD_COUNTS, prefetch.ALBUMIN), OBSERVATIONS)
    until = None if required else delivery.patience()
    conditions = delivery.take(prefetch.CONDITIONS, CONDITIONS, until)
    procedures = delivery.take(prefetch.PROCEDURES, PROCEDURES, until)
    if required:
        delivery.require({prefetch.CONDITIONS: conditions.state, prefetch.PROCEDURES: procedures.state})
    patient = delivery.patient(until if until is not None else delivery.patience())
    conditions = delivery.doubted(prefetch.CONDITIONS, conditions)
    procedures = delivery.doubted(prefetch.PROCEDURES, procedures)
    if required:
        delivery.require({prefetch.CONDITIONS: conditions.state, prefetch.PROCEDURES: procedures.state})
    complete = {
        prefetch.CONDITIONS: conditions.state.is_answered and not conditions.content.truncated,
        prefetch.PROCEDURES: procedures.state.is_answered and not procedures.content.truncated,
    }
    not_delivered = () if required else tuple(key for key, is_complete in complete.items() if not is_complete)
    return EligibilityChart(patient, conditions.content, procedures.content, not_delivered)


def acquire_laboratory(
    delivery: Delivery, counts_from: date = date.min, albumin_from: date = date.min
) -> LaboratoryChart:
    """Get blood counts and albumin side by side; older pages than from these days are not asked for.

    Raises DataUnavailableError when nobody answered for the blood counts.
    """
    delivery.need_from(prefetch.BLOOD_COUNTS, counts_from)
    delivery.need_from(prefetch.ALBUMIN, albumin_from)
    delivery.begin(prefetch.BLOOD_COUNTS, OBSERVATIONS)
    delivery.begin(prefetch.ALBUMIN, OBSERVATIONS)
    blood_counts = delivery.doubted(prefetch.BLOOD_COUNTS, delivery.take(prefetch.BLOOD_COUNTS, OBSERVATIONS))
    delivery.require({prefetch.BLOOD_COUNTS: blood_counts.state})
    albumin = delivery.take(prefetch.ALBUMIN, OBSERVATIONS, delivery.patience())
    return LaboratoryChart(blood_counts.content, albumin.content, albumin.state)
