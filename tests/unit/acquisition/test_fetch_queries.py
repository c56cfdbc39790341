"""What is asked of FHIR servers: the same by prefetch template and by request (requirements 41, 60, 61)."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from cds_service.acquisition.queries import Query, site_queries
from fhir_mappings import load_mappings

QUERIES = site_queries(load_mappings())
BASE = "https://ehr.example/fhir"


@pytest.mark.parametrize("key", QUERIES)
def test_requirement_041_request_is_the_template_filled_in(key: str) -> None:
    filled = urlsplit(f"{BASE}/{QUERIES[key].template()}".replace("{{context.patientId}}", "p1"))
    sent = urlsplit(QUERIES[key].url(BASE, "p1"))

    assert (sent.scheme, sent.netloc, sent.path) == (filled.scheme, filled.netloc, filled.path)
    assert parse_qsl(sent.query) == parse_qsl(filled.query)


@pytest.mark.parametrize("key", QUERIES)
def test_address_fits_what_common_servers_accept(key: str) -> None:
    assert len(QUERIES[key].url(BASE, "p" * 64)) < 2000, "IIS takes 2,048 characters of query unless told otherwise"


PATIENT_IDS = [
    ("a b", "white space"),
    ("a&code=x", "the next parameter"),
    ("a?b#c", "the end of the path"),
    ("a,b", "two patients"),
    ("a|b", "a code system"),
    ("%2e%2e", "encoded twice"),
    ("é", "not ASCII"),
]


@pytest.mark.parametrize(("patient_id", "reason"), PATIENT_IDS)
def test_patient_id_is_never_more_than_a_value(patient_id: str, reason: str) -> None:
    search = urlsplit(QUERIES["bloodCounts"].url(BASE, patient_id))
    read = urlsplit(QUERIES["patient"].url(BASE, patient_id))

    assert dict(parse_qsl(search.query))["patient"] == patient_id, reason
    assert len(parse_qsl(search.query)) == 4, reason
    assert (read.path.count("/"), read.query, read.fragment) == (3, "", ""), reason


BASELINES = [
    (date(2026, 2, 27), date(2026, 3, 1), ["ge2026-02-26", "le2026-03-02"], "a day more on each side"),
    (date(2025, 12, 31), date(2026, 1, 1), ["ge2025-12-30", "le2026-01-02"], "over the year"),
    (date.min, date(1, 1, 31), ["ge0001-01-01", "le0001-02-01"], "the first day of the calendar, a placeholder"),
]


@pytest.mark.parametrize(("first", "last", "expected", "reason"), BASELINES)
def test_search_between_days_reaches_into_other_time_zones(
    first: date, last: date, expected: list[str], reason: str
) -> None:
    query = Query("Observation", (("code", "x"),)).between(first, last)

    assert query.parameters[0] == ("code", "x")
    assert [value for name, value in query.parameters if name == "date"] == expected, reason
