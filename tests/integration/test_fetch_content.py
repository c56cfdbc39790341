"""FHIR servers that answer with something else than was asked for: only what is right is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import fhir_stub_faults as faults
from tests.support.charts import bundle, days_ago, draw, hook_request, observation, procedure
from tests.support.fhir_stub import FHIRStub, moved_to, running_stub
from tests.support.fhir_stub_site import FetchingSite, fetching_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json

KEYS = ("patient", "conditions", "procedures", "bloodCounts", "albumin")


@pytest.fixture(scope="module")
def running() -> Iterator[FHIRStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def stub(running: FHIRStub) -> FHIRStub:
    running.reset()
    return running


@pytest.fixture(scope="module")
def site(running: FHIRStub, tmp_path_factory: pytest.TempPathFactory) -> FetchingSite:
    return fetching_site(tmp_path_factory.mktemp("site"), running.url)


def without_prefetch(stub: FHIRStub, request: Json | None = None) -> Json:
    return moved_to(stub, request or hook_request(), *KEYS)


STRANGER = {"subject": {"reference": "Patient/p2"}}


def test_results_of_another_patient_are_not_used(site: FetchingSite, stub: FHIRStub) -> None:
    theirs = draw(90, "2.0", "3.0", when=days_ago(35), **STRANGER)
    request = without_prefetch(stub, hook_request(*theirs, *draw()))

    assessment = site.ask(request).assessment

    assert (assessment["outcome"], assessment["sii"]) == ("above-cutoff", "711.667")
    assert assessment["exclusions"] == {"subject-mismatch": 3}


@pytest.mark.parametrize("key", ["conditions", "procedures"])
def test_facts_of_another_patient_are_not_used(site: FetchingSite, stub: FHIRStub, key: str) -> None:
    request = without_prefetch(stub)
    (entry,) = request_content(stub, key)
    entry["resource"] |= STRANGER

    assert site.ask(request).assessment["outcome"] == "not-eligible"


def test_another_patient_than_asked_for_is_left_aside(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    stub.content["patient"] = {"resourceType": "Patient", "id": "p2", "birthDate": "2020-01-01"}

    assert site.ask(request).assessment["outcome"] == "above-cutoff", "a child of another name decides nothing"


def test_codes_that_were_not_asked_for_are_passed_over(site: FetchingSite, stub: FHIRStub) -> None:
    other = [observation("718-7", 13, "g/dL", oid=f"hb-{n}") for n in range(50)]
    request = without_prefetch(stub, hook_request(*other, *draw(), observation("1751-7", 38, "g/L")))

    assessment = site.ask(request).assessment

    assert (assessment["outcome"], "exclusions" in assessment) == ("above-cutoff", False)


def test_results_in_any_order_give_the_newest_draw(site: FetchingSite, stub: FHIRStub) -> None:
    old = draw(150, "3.0", "2.0", when=days_ago(60))
    request = without_prefetch(stub, hook_request(*old[:2], *draw(), old[2]))

    assert site.ask(request).assessment["sii"] == "711.667"


def test_pages_in_any_order_give_the_newest_draw(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    old = draw(150, "3.0", "2.0", when=days_ago(60))
    stub.faults = {"bloodCounts": faults.pages(tuple(old), tuple(draw()))}

    assert site.ask(request).assessment["sii"] == "711.667"


def test_bundle_with_a_warning_and_no_match_is_no_data(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    warning = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
    stub.content["conditions"] = bundle(warning, total=0)

    assert site.ask(request).assessment["reasons"] == ["no-primary-liver-cancer"]


def test_missing_pages_before_a_procedure_are_asked_for_by_date(stub: FHIRStub, tmp_path: Path) -> None:
    before, within = draw(when=days_ago(20)), draw(when=days_ago(5))
    request = without_prefetch(stub, hook_request(procedures=bundle(procedure(when=days_ago(10)[:10]))))
    stub.faults = {"bloodCounts": faults.pages(tuple(within), tuple(before))}

    answer = fetching_site(tmp_path, stub.url, max_pages=1).ask(request)

    baseline = [request.target for request in stub.received if "date=" in request.target]
    assert len(baseline) == 1
    assert "date=ge2026-10-13&date=le2026-11-14" in baseline[0]
    assert answer.assessment["outcome"] == "indeterminate", "the stub answers it with its first page again"


def request_content(stub: FHIRStub, key: str) -> list[Json]:
    entries: list[Json] = stub.content[key]["entry"]
    return entries
