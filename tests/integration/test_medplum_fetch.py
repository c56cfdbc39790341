"""The service against a FHIR server that others wrote: the demo's patients, fetched page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import pytest

from cds_service.demo.client import hook_request as demo_request
from cds_service.demo.patients import build_stories
from tests.support.charts import Json, bundle, condition, days_ago, draw, hook_request, patient, procedure
from tests.support.fhir_stub import access
from tests.support.fhir_stub_site import CLOCK, FetchingSite, fetching_site
from tests.support.medplum import PAGE_SIZE, TOKEN, Medplum, running_medplum

if TYPE_CHECKING:
    from collections.abc import Iterator


STORIES = build_stories(CLOCK.date())
ASSESSMENT = "org.sii-cds.assessment"
# The server runs in one thread and searches slowly, on a machine that may be busy.
DEADLINE = 20.0


@pytest.fixture(scope="module")
def running() -> Iterator[Medplum]:
    with running_medplum() as server:
        yield server


@pytest.fixture
def server(running: Medplum) -> Medplum:
    running.clear()
    return running


@pytest.fixture(scope="module", params=["staged", "parallel"])
def site(request: pytest.FixtureRequest, running: Medplum, tmp_path_factory: pytest.TempPathFactory) -> FetchingSite:
    folder = tmp_path_factory.mktemp(request.param)
    return fetching_site(folder, running.url, deadline=DEADLINE, strategy=request.param)


def resources(request: Json) -> list[Json]:
    """Every resource of a prefetch, with an id where it has none, as a server would give it."""
    values = [value for value in request["prefetch"].values() if value]
    found = [entry["resource"] for value in values for entry in value.get("entry", [])]
    found += [value for value in values if value["resourceType"] != "Bundle"]
    return [{"id": str(uuid5(NAMESPACE_URL, str(resource)))} | resource for resource in found]


def fetched(site: FetchingSite, server: Medplum, request: Json) -> Json:
    return told(site, request | {"prefetch": {}} | access(server.url, TOKEN))


def told(site: FetchingSite, request: Json) -> Json:
    """Everything the answer says but for the identifier of its card, and for results that a server does not find."""
    answer = site.ask(request)
    assert answer.assessment
    said: Json = answer.response.get_json()
    for card in said["cards"]:
        del card["uuid"]
    exclusions = said["extension"][ASSESSMENT].pop("exclusions", {})
    return said | {"exclusions": {name: n for name, n in exclusions.items() if name != "subject-mismatch"}}


@pytest.mark.parametrize("number", range(len(STORIES)), ids=[story.id for story in STORIES])
def test_patient_of_the_demo_is_assessed_as_by_prefetch(site: FetchingSite, server: Medplum, number: int) -> None:
    instance = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    another, story = (demo_request(STORIES[n], instance) for n in (number - 1, number))
    server.load(*resources(another))
    server.load(*resources(story))

    assert fetched(site, server, story) == told(site, story)


def test_long_chart_is_read_to_its_last_page(site: FetchingSite, server: Medplum) -> None:
    days = range(40, 70, 2)
    counts = [result for day in days for result in draw(150, "3.0", "1.5", when=days_ago(day))]
    request = hook_request(*(result | {"id": f"result-{n}"} for n, result in enumerate(counts)))
    server.load(*resources(request))

    assert len(counts) > 5 * PAGE_SIZE
    assert fetched(site, server, request) == told(site, request)


def test_refused_token_is_412(site: FetchingSite, server: Medplum) -> None:
    request = hook_request() | {"prefetch": {}} | access(server.url, "withdrawn")

    assert site.ask(request).missing_keys == ["conditions", "procedures"]


def test_patient_that_the_server_does_not_know_is_no_decision(site: FetchingSite, server: Medplum) -> None:
    request = hook_request() | {"prefetch": {}} | access(server.url, TOKEN)

    assert "patient" in site.ask(request).missing_keys


def test_baseline_behind_the_last_page_is_found_by_its_dates(
    server: Medplum, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The one page that is read holds draws after the procedure only, none of which may be used."""
    site = fetching_site(tmp_path_factory.mktemp("site"), server.url, deadline=DEADLINE, max_pages=1)
    after = [result for day in (1, 2) for result in draw(400, "9.0", "0.5", when=days_ago(day))]
    before = draw(160, "4.0", "1.5", when=days_ago(9), id="before")
    treatment = procedure(when=days_ago(8)[:10], id="treatment")
    for number, result in enumerate([*after, *before]):
        result["id"] = f"result-{number}"
    server.load(patient(), condition(), treatment, *after, *before)

    assessment = fetched(site, server, hook_request(procedures=bundle(treatment)))["extension"][ASSESSMENT]

    assert (assessment["relation"], assessment["daysFromProcedure"]) == ("before", 1)
    assert assessment["reasons"] == ["truncated"]
