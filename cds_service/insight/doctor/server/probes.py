"""Extra searches on one patient whose results are known: does paging lead to all of them, does a date range hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.acquisition.prefetch import BLOOD_COUNTS
from cds_service.acquisition.queries import Query
from cds_service.insight.doctor.resources import OBSERVATIONS
from cds_service.insight.doctor.server.connection import OWN_LIMITS
from cds_service.insight.doctor.server.features import PROBE_PAGE, Probe, holds_foreign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.acquisition.resources import Observation
    from cds_service.insight.doctor.server.connection import Answer, Connection
from cds_service.insight.doctor.server.features import FeatureObserver, Features


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
