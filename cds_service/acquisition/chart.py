"""The data of one hook, in the two stages that the flow asks for: first what tells eligibility, then the counts.

Most charts that are opened belong to patients without liver cancer. Their blood counts are never decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.acquisition import prefetch
from cds_service.errors import DataUnavailableError, ForbiddenError

if TYPE_CHECKING:
    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.prefetch import KeyState
    from cds_service.acquisition.resources import Condition, Observation, Patient, Procedure
    from cds_service.authorization.clients import TrustedClient
    from cds_service.hooks.request import CDSRequest


class EligibilityChart(NamedTuple):
    """What tells whether the patient is one the study speaks about. `patient` is optional data."""

    patient: Patient | None
    conditions: BundleContent[Condition]
    procedures: BundleContent[Procedure]

    @property
    def truncated(self) -> bool:
        """Tell whether a page of either search is missing."""
        return self.conditions.next_url is not None or self.procedures.next_url is not None


class LaboratoryChart(NamedTuple):
    """The laboratory results. `albumin` is optional data; `albumin_state` tells why there may be none."""

    blood_counts: BundleContent[Observation]
    albumin: BundleContent[Observation]
    albumin_state: KeyState


def acquire_eligibility(request: CDSRequest, client: TrustedClient, *, required: bool) -> EligibilityChart:
    """Get patient, conditions and procedures.

    Raises DataUnavailableError naming every key that nobody answered, when they are `required`.
    """
    patient = prefetch.read_patient(request)
    conditions = prefetch.read_conditions(request)
    procedures = prefetch.read_procedures(request)
    states = {prefetch.CONDITIONS: conditions.state, prefetch.PROCEDURES: procedures.state}
    if required:
        _require(states, request, client)
    return EligibilityChart(patient, conditions.content, procedures.content)


def acquire_laboratory(request: CDSRequest, client: TrustedClient) -> LaboratoryChart:
    """Get blood counts and albumin. Raises DataUnavailableError when nobody answered for the blood counts."""
    blood_counts = prefetch.read_observations(request, prefetch.BLOOD_COUNTS)
    albumin = prefetch.read_observations(request, prefetch.ALBUMIN)
    _require({prefetch.BLOOD_COUNTS: blood_counts.state}, request, client)
    return LaboratoryChart(blood_counts.content, albumin.content, albumin.state)


def _require(states: dict[str, KeyState], request: CDSRequest, client: TrustedClient) -> None:
    """Raise for keys that nobody answered: 403 when the client points to a server it may not use, else 412."""
    open_keys = tuple(key for key, state in states.items() if not state.is_answered)
    if not open_keys:
        return
    offers_access = request.fhirAuthorization is not None or client.open_fhir_server
    if request.fhirServer is not None and offers_access and not is_listed(request.fhirServer, client.fhir_servers):
        raise ForbiddenError("The FHIR server of the request is not on the client's list.", log_detail="fhir-server")
    raise DataUnavailableError(open_keys)


def is_listed(fhir_server: str, listed: tuple[str, ...]) -> bool:
    """Tell whether a FHIR base URL equals a listed one but for a trailing slash; a deeper path is another server."""
    return fhir_server.removesuffix("/") in {server.removesuffix("/") for server in listed}
