"""Read FHIR JSON as the service reads it: by the typed resources of the acquisition, at a site in Berlin."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from cds_service.acquisition import resources
from cds_service.authorization.clients import TrustedClient
from cds_service.cards.options import CardOptions
from cds_service.clinical.models import LabResult
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.clinical.sii import compute_sii
from cds_service.decision.flow import decide
from cds_service.decision.site import Site
from cds_service.hooks.request import parse_cds_request
from cds_service.normalization.draws import pair_draws
from cds_service.normalization.effective_time import TimeReader
from cds_service.normalization.eligibility_facts import FactReader
from cds_service.normalization.observations import ObservationReader
from cds_service.normalization.subject import SubjectMatcher
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from tests.support.charts import NOW, PATIENT_ID, Json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from cds_service.clinical.models import BloodCounts, ExcludedResult
    from cds_service.decision.flow import Decision

T = TypeVar("T")

MAPPINGS = load_mappings()
CLIENT = TrustedClient(name="ehr", issuer=None, mode="active")
BERLIN = ZoneInfo("Europe/Berlin")
STATUSES = ClinicalPolicy(BERLIN).accepted_statuses


def typed(resource_type: type[T], resource: Json | str) -> T:
    """Decode a resource, given as JSON text where a number must keep its digits."""
    text = resource if isinstance(resource, str) else json.dumps(resource)
    return msgspec.json.Decoder(resource_type, float_hook=Decimal).decode(text.encode())


def times(zone: tzinfo = BERLIN, now: datetime = NOW) -> TimeReader:
    return TimeReader(zone, now)


def observation_reader(patients: Mapping[str, str] | None = None, zone: tzinfo = BERLIN) -> ObservationReader:
    return ObservationReader(MAPPINGS, STATUSES, SubjectMatcher(PATIENT_ID, patients or {}), times(zone))


def fact_reader(patients: Mapping[str, str] | None = None) -> FactReader:
    return FactReader(MAPPINGS, SubjectMatcher(PATIENT_ID, patients or {}), times())


def outcomes_of(resource: Json | str, patients: Mapping[str, str] | None = None) -> list[LabResult | ExcludedResult]:
    return list(observation_reader(patients).read(typed(resources.Observation, resource)))


def judged(resource: Json | str, patients: Mapping[str, str] | None = None) -> str:
    """Return "usable", the reason of the exclusion, or "ignored" for a resource that is none of ours."""
    outcomes = outcomes_of(resource, patients)
    assert len(outcomes) <= 1, "one measurement, one outcome"
    if not outcomes:
        return "ignored"
    return "usable" if isinstance(outcomes[0], LabResult) else str(outcomes[0].reason)


def usable(resource: Json | str) -> LabResult:
    (outcome,) = outcomes_of(resource)
    assert isinstance(outcome, LabResult), outcome
    return outcome


def paired(*observations: Json, minutes: int = 60) -> BloodCounts:
    """Read Observations and form draws."""
    reading = observation_reader().read_all([typed(resources.Observation, o) for o in observations])
    return pair_draws(reading, timedelta(minutes=minutes), MAPPINGS.differential, compute_sii, truncated=False)


def values(counts: BloodCounts) -> list[tuple[Any, ...]]:
    """Return platelets, neutrophils, lymphocytes and problems of each draw, newest first."""
    return [(*(r.quantity.value for r in draw.results), *draw.problems) for draw in counts.draws]


def site(zone: tzinfo = BERLIN) -> Site:
    """Return a site as shipped, in the given zone, that shows a card for every outcome it can."""
    cards = CardOptions("https://cds.example/model-card", show_not_above_cutoff=True)
    return Site(ClinicalPolicy(zone), MAPPINGS, cards, "active", "test", SII)


def decided(body: Json | str, now: datetime = NOW, zone: tzinfo = BERLIN) -> Decision:
    """Decide on a hook request."""
    text = body if isinstance(body, str) else json.dumps(body)
    return decide(parse_cds_request(text.encode()), CLIENT, site(zone), now)
