"""What leaves the service: exactly the queries that are needed, each with the token of its hook, and no other."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import fhir_stub_faults as faults
from tests.support.charts import bundle, condition, hook_request
from tests.support.fhir_stub import TOKEN, FHIRStub, access, moved_to, running_stub
from tests.support.fhir_stub_site import FetchingSite, fetching_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json
    from tests.support.fhir_stub import Wire

KEYS = ("albumin", "bloodCounts", "conditions", "patient", "procedures")
STAGE_ONE = ["conditions", "patient", "procedures"]
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


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


@pytest.fixture(scope="module")
def parallel(running: FHIRStub, tmp_path_factory: pytest.TempPathFactory) -> FetchingSite:
    return fetching_site(tmp_path_factory.mktemp("parallel"), running.url, strategy="parallel")


def templates(site: FetchingSite) -> dict[str, str]:
    services = site.app.test_client().get("/cds-services").get_json()["services"]
    prefetch: dict[str, str] = services[0]["prefetch"]
    return prefetch


@pytest.mark.parametrize("key", KEYS)
def test_requirement_050_dropped_key_is_asked_by_its_template_and_nothing_else(
    site: FetchingSite, stub: FHIRStub, key: str
) -> None:
    request = moved_to(stub, hook_request(), key)

    assert site.ask(request).assessment["outcome"] == "above-cutoff"
    (received,) = stub.received
    resource_type, _, query = templates(site)[key].replace("{{context.patientId}}", "p1").partition("?")
    assert received.target.partition("?")[0] == f"/fhir/{resource_type}"
    assert received.parameters == dict(pair.split("=", 1) for pair in query.split("&") if pair)


FAILED = [
    (ERROR, "an error OperationOutcome"),
    (bundle(ERROR), "one in a Bundle"),
    ("<html>", "text"),
    ({"resourceType": "List", "status": "current"}, "the wrong resource"),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("value", "reason"), FAILED)
def test_failed_key_is_asked_for(site: FetchingSite, stub: FHIRStub, key: str, value: Any, reason: str) -> None:
    request = moved_to(stub, hook_request())
    request["prefetch"] |= {key: value}

    assert site.ask(request).assessment["outcome"] == "above-cutoff"
    assert stub.keys_asked() == [key], reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "everything is there"),
        ({"albumin": None}, "null: looked, and found nothing"),
        ({"albumin": bundle()}, "an empty Bundle: the same"),
        ({"patient": None}, "null for a read"),
        ({"conditions": None, "bloodCounts": None}, "null for required data: not eligible, nothing to ask"),
    ],
)
def test_present_key_is_never_asked_for(site: FetchingSite, stub: FHIRStub, changes: Json, reason: str) -> None:
    request = moved_to(stub, hook_request(**changes))

    assert site.ask(request).status == 200
    assert stub.received == [], reason


@pytest.mark.parametrize(
    ("conditions", "asked"),
    [(bundle(), STAGE_ONE), (bundle(condition()), sorted(KEYS))],
    ids=["not eligible", "eligible"],
)
def test_staged_hook_asks_for_counts_of_eligible_patients_only(
    site: FetchingSite, stub: FHIRStub, conditions: Json, asked: list[str]
) -> None:
    request = moved_to(stub, hook_request(conditions=conditions), *KEYS)

    assert site.ask(request).status == 200
    assert stub.keys_asked() == asked


def test_staged_hook_asks_side_by_side(site: FetchingSite, stub: FHIRStub) -> None:
    stub.latency = 0.2
    site.ask(moved_to(stub, hook_request(), *KEYS))

    times = {received.key: received.time for received in stub.received}
    first = [times[key] for key in STAGE_ONE]
    second = [times["bloodCounts"], times["albumin"]]
    assert max(first) - min(first) < 0.1
    assert max(second) - min(second) < 0.1
    assert min(second) - min(first) >= 0.2


def test_parallel_hook_asks_for_everything_at_once(parallel: FetchingSite, stub: FHIRStub) -> None:
    stub.latency = 0.2
    assert parallel.ask(moved_to(stub, hook_request(), *KEYS)).assessment["outcome"] == "above-cutoff"

    times = [received.time for received in stub.received]
    assert stub.keys_asked() == sorted(KEYS)
    assert max(times) - min(times) < 0.1


def test_requirement_063_every_request_carries_the_token(site: FetchingSite, stub: FHIRStub) -> None:
    request = moved_to(stub, hook_request(), *KEYS)
    resources = [entry["resource"] for entry in stub.content["bloodCounts"]["entry"]]
    stub.faults = {"bloodCounts": faults.pages(*((resource,) for resource in resources))}

    assert site.ask(request).assessment["outcome"] == "above-cutoff"
    assert len(stub.received) == 7
    assert {received.authorization for received in stub.received} == {f"Bearer {TOKEN}"}


def test_tokens_of_hooks_side_by_side_are_not_mixed(site: FetchingSite, stub: FHIRStub) -> None:
    requests = []
    for number in range(16):
        request = moved_to(stub, hook_request(), *KEYS) | access(stub.url, f"token-{number}")
        requests.append(request | {"context": {"userId": "Practitioner/1", "patientId": f"stranger-{number}"}})
    with ThreadPoolExecutor(16) as clinicians:
        assert {answer.status for answer in clinicians.map(site.ask, requests)} == {200}

    assert len(stub.received) == 3 * 16, "nobody is eligible: the chart is another patient's"
    for received in stub.received:
        patient = received.parameters.get("patient") or received.target.rpartition("/")[2]
        assert received.authorization == f"Bearer token-{patient.removeprefix('stranger-')}"


def test_unlisted_server_sees_no_request(site: FetchingSite, stub: FHIRStub) -> None:
    with running_stub() as other:
        complete = hook_request(members=access(other.url))
        lacking = hook_request(without=("procedures",), members=access(other.url))
        optional = hook_request(without=("patient", "albumin"), members=access(other.url))
        token = {"access_token": TOKEN, "token_type": "Bearer"}
        assert site.ask(complete).status == 200
        assert site.ask(lacking).status == 403
        assert site.ask(optional).status == 200
        for deeper in (f"{stub.url}/deeper", f"{stub.url}/..", f"{other.url}@{stub.url}", f"{stub.url}@{other.url}"):
            assert site.ask(lacking | {"fhirServer": deeper, "fhirAuthorization": token}).status == 403

        assert other.received == []
    assert stub.received == []


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"fhirAuthorization": None}, "no token"),
        ({"fhirServer": None}, "no server"),
        (access("{url}", patient="p2"), "a token of another patient"),
        (access("{url}", token_type="mac"), "a token of another kind"),
    ],
)
def test_without_a_usable_token_nothing_is_asked(
    site: FetchingSite, stub: FHIRStub, members: Json, reason: str
) -> None:
    request = moved_to(stub, hook_request(), "conditions") | members
    if request["fhirServer"] is not None:
        request["fhirServer"] = stub.url

    assert site.ask(request).missing_keys == ["conditions"], reason
    assert stub.received == []


@pytest.mark.parametrize("strategy", ["staged", "parallel"])
@pytest.mark.parametrize(
    ("slow", "status"),
    [
        (("patient", "albumin"), 200),
        (("bloodCounts", "albumin"), 412),
        (("bloodCounts",), 412),
        (("conditions",), 412),
    ],
)
def test_requirement_074_nothing_is_asked_after_the_answer(
    stub: FHIRStub, tmp_path: Path, strategy: str, slow: tuple[str, ...], status: int
) -> None:
    site = fetching_site(tmp_path, stub.url, strategy=strategy, deadline=0.4)
    request = moved_to(stub, hook_request(), *KEYS)

    def too_late(wire: Wire) -> None:
        if wire.pause(0.6):
            faults.endless_pages(wire)

    stub.faults = dict.fromkeys(slow, too_late)

    assert site.ask(request).status == status
    asked = len(stub.received)
    time.sleep(0.6)

    assert len(stub.received) == asked


def test_requirement_074_parallel_hook_of_a_patient_not_eligible_gives_the_counts_up(
    parallel: FetchingSite, stub: FHIRStub
) -> None:
    request = moved_to(stub, hook_request(conditions=bundle()), *KEYS)
    stub.faults = dict.fromkeys(("bloodCounts", "albumin"), faults.SLOW_BODY)

    answer = parallel.ask(request)

    assert answer.assessment["outcome"] == "not-eligible"
    assert answer.seconds < 0.5, "nobody waits for what is not needed"


def test_requirement_073_token_and_patient_are_in_no_log_answer_metric_or_file(
    stub: FHIRStub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "cds_service")
    site = fetching_site(tmp_path, stub.url, deadline=0.3)
    patient = "canary-patient-4711"
    request = moved_to(stub, hook_request(), *KEYS)
    request["context"] = {"userId": "Practitioner/1", "patientId": patient}
    texts = []
    for fault in (faults.status(403), faults.silence, faults.raw(b""), faults.redirect("http://127.0.0.1:9/"), None):
        stub.faults = dict.fromkeys(KEYS, fault) if fault is not None else {}
        texts.append(site.ask(request).response.text)
    texts.append(site.app.test_client().get("/metrics").text)
    texts += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records if record.name.startswith("cds")]

    assert {received.authorization for received in stub.received} == {f"Bearer {TOKEN}"}
    assert not [text for text in texts if TOKEN in text or patient in text]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [content for content in files if TOKEN.encode() in content]
