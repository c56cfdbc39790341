"""The service, doctor and the AuditEvent export against HAPI's JPA server with its default settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.demo.client import hook_request as demo_request
from cds_service.demo.patients import build_stories
from tests.support.charts import (
    LYMPHOCYTES,
    NOW,
    PLATELETS,
    Json,
    days_ago,
    draw,
    hook_request,
)
from tests.support.fhir_stub import access
from tests.support.fhir_stub_site import CLOCK, FetchingSite, fetching_site
from tests.support.hapi import Hapi, running_hapi
from tests.support.hospital import hospital, measured, of_code, of_type, recoded
from tests.unit.audit.samples import audit_log, feedback_record, hook_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The server starts with the first of them.
pytestmark = pytest.mark.timeout(600)

STORIES = build_stories(CLOCK.date())
ASSESSMENT = "org.sii-cds.assessment"
TOKEN = "hapi-asks-for-none"
# The server starts cold, on a machine that may be busy.
DEADLINE = 30.0
PATIENTS = 10


@pytest.fixture(scope="module")
def server() -> Iterator[Hapi]:
    with running_hapi() as running:
        yield running


@pytest.fixture(scope="module", params=["staged", "parallel"])
def site(request: pytest.FixtureRequest, server: Hapi, tmp_path_factory: pytest.TempPathFactory) -> FetchingSite:
    folder = tmp_path_factory.mktemp(request.param)
    return fetching_site(folder, server.url, deadline=DEADLINE, strategy=request.param)


def renamed(part: Any, old: str, new: str) -> Any:
    """Give a chart another patient id: HAPI keeps what earlier tests loaded."""
    return json.loads(json.dumps(part).replace(f"Patient/{old}", f"Patient/{new}").replace(f'"{old}"', f'"{new}"'))


def resources(request: Json) -> list[Json]:
    """Every resource of a prefetch, under an id that no other chart has."""
    found = [
        resource
        for value in filter(None, request["prefetch"].values())
        for resource in ([entry["resource"] for entry in value.get("entry", [])] if "entry" in value else [value])
    ]
    patient_id = request["context"]["patientId"]
    return [
        resource
        if resource["resourceType"] == "Patient"
        else resource | {"id": str(uuid5(NAMESPACE_URL, f"{patient_id} {number} {resource}"))}
        for number, resource in enumerate(found)
        if resource["resourceType"] != "Bundle"
    ]


def fetched(site: FetchingSite, server: Hapi, request: Json) -> Json:
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
def test_hook_patient_of_the_demo_is_assessed_as_by_prefetch(site: FetchingSite, server: Hapi, number: int) -> None:
    story = demo_request(STORIES[number], "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")
    server.load(*resources(story))

    assert fetched(site, server, story) == told(site, story)


def test_hook_long_chart_is_read_page_by_page(site: FetchingSite, server: Hapi) -> None:
    days = range(40, 70, 2)
    counts = [result for day in days for result in draw(150, "3.0", "1.5", when=days_ago(day))]
    request = renamed(hook_request(*counts), "p1", "long-chart")
    server.load(*resources(request))

    assert fetched(site, server, request) == told(site, request)


def test_hook_platelets_corrected_within_the_time_of_the_search_cache_decide(site: FetchingSite, server: Hapi) -> None:
    """HAPI answers a search it answered less than a minute ago from its cache, unless asked not to."""
    request = renamed(hook_request(*draw(150, "3.0", "1.5", when=days_ago(40))), "p1", "corrected")
    chart = resources(request)
    server.load(*chart)
    before = fetched(site, server, request)["extension"][ASSESSMENT]
    platelets = next(r for r in chart if r.get("code", {}).get("coding", [{}])[0].get("code") == PLATELETS)
    quantity = platelets["valueQuantity"] | {"value": 300}
    server.load(platelets | {"status": "corrected", "valueQuantity": quantity})

    after = fetched(site, server, request)["extension"][ASSESSMENT]

    assert (before["sii"], before["outcome"]) == ("300.000", "not-above-cutoff")
    assert (after["sii"], after["outcome"]) == ("600.000", "above-cutoff")


def test_hook_patient_that_the_server_does_not_know_is_no_decision(site: FetchingSite, server: Hapi) -> None:
    request = renamed(hook_request(), "p1", "nobody-here") | {"prefetch": {}} | access(server.url, TOKEN)
    answer = site.ask(request)

    assert answer.status == 412
    assert "patient" in answer.missing_keys


def examined(server: Hapi, folder: Path, *, change: bool) -> Json:
    coding = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    plan = hospital(PATIENTS).change(of_type("Observation", category=[{"coding": [coding]}]))
    if change:
        local = "https://laboratory.hospital.example/tests"
        plan = plan.change(of_code(LYMPHOCYTES, change=recoded(local, "4712", "Lymphozyten absolut"))).change(
            of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True))
        )
    for chart in plan.patients.values():
        server.load(*chart)
    (folder / "token").write_text(TOKEN)
    command = ["doctor", "--fhir-server", server.url, "--token-file", str(folder / "token"), "--json", "-"]
    patients = folder / "patients"
    patients.write_text("\n".join(plan.patients))
    environment = {"SII_CDS__SERVER__HOOK_DEADLINE_SECONDS": str(DEADLINE)}
    result = CliRunner().invoke(
        main, [*command, "--patient-file", str(patients), "--at", NOW.isoformat()], env=environment
    )
    report: Json = json.loads(result.stdout)
    return report


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        (False, set()),
        (True, {"analyte-missing", "local-code", "unit-scale", "few-complete-draws"}),
    ],
)
def test_doctor_on_hapi_finds_what_was_planted_and_nothing_else(
    server: Hapi, tmp_path: Path, *, change: bool, findings: set[str]
) -> None:
    report = examined(server, tmp_path, change=change)

    assert {finding["id"] for finding in report["findings"]} == findings


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "log"
    writer = audit_log(directory, key=None)
    for name in ("first", "second"):
        writer.append(hook_record(request_id=name, patient="never-loaded"))
    writer.append(feedback_record())
    return directory


def posted(server: Hapi, log: Path, *options: str) -> Any:
    command = ["audit", "export", "--fhir", "--directory", str(log), "--post", server.url, *options]
    return CliRunner().invoke(main, command)


def test_export_to_hapi_relative_references_are_refused_in_its_words(server: Hapi, log: Path) -> None:
    result = posted(server, log)

    assert result.exit_code == 1
    assert "the repository answered 400" in result.stderr
    assert "not found" in result.stderr
    assert "--references logical" in result.stderr


def test_export_to_hapi_logical_references_are_kept_and_sent_again_change_nothing(server: Hapi, log: Path) -> None:
    first, again = posted(server, log, "--references", "logical"), posted(server, log, "--references", "logical")

    assert (first.exit_code, first.stdout) == (0, "3 events sent; the newest is record 4.\n"), first.stderr
    assert (again.exit_code, again.stdout) == (first.exit_code, first.stdout)
    exported = CliRunner().invoke(main, ["audit", "export", "--fhir", "--directory", str(log)]).stdout.splitlines()
    for event in map(json.loads, exported):
        kept = server.ask("GET", f"/AuditEvent/{event['id']}").json()
        assert kept["meta"]["versionId"] == "1"
        assert kept["outcomeDesc"] == event["outcomeDesc"]


def test_export_to_hapi_skip_refused_lists_what_it_left_out_and_after_goes_on(server: Hapi, log: Path) -> None:
    skipped = posted(server, log, "--skip-refused")
    behind = posted(server, log, "--after", "4")

    assert skipped.exit_code == 1
    assert "records the repository refused: 3 (2, 3, 4)" in skipped.stderr
    assert (behind.exit_code, behind.stdout) == (0, "0 events sent; the newest is record 4.\n")
