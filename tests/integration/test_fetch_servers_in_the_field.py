"""FHIR and key servers as reports from the field describe them: what is meant well is understood, within the time."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from cds_service.authorization.key_url import KeySetAddress, download
from cds_service.authorization.keys import KeySetError
from tests.security.key_server import OLD_KEYS, running_key_server
from tests.support import fhir_stub_faults as faults
from tests.support.charts import bundle, days_ago, draw, hook_request, procedure
from tests.support.fhir_stub import FHIRStub, access, moved_to, running_stub
from tests.support.fhir_stub_site import FetchingSite, fetching_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json
    from tests.support.fhir_stub import Fault, Wire

KEYS = ("patient", "conditions", "procedures", "bloodCounts", "albumin")
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"


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
    return fetching_site(tmp_path_factory.mktemp("site"), running.url, deadline=2.0)


def without_prefetch(stub: FHIRStub, request: Json | None = None) -> Json:
    return moved_to(stub, request or hook_request(), *KEYS)


def after(interim: bytes, content: Json) -> Fault:
    body = json.dumps(content).encode()
    return faults.raw(interim + b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize(
    ("interim", "understood", "reason"),
    [
        (EARLY_HINTS, True, "103, as Cloudflare and HAProxy send it"),
        (PROCESSING * 3, True, "102 while a server works"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY_HINTS, True, "several kinds"),
        (EARLY_HINTS * 11, False, "without end"),
        (b"HTTP/1.1 103 Early Hints\r\n" + b"A: b\r\n" * 200 + b"\r\n", False, "with fields without end"),
    ],
)
def test_interim_answers_before_the_answer_are_passed_over(
    site: FetchingSite, stub: FHIRStub, interim: bytes, understood: bool, reason: str
) -> None:
    request = without_prefetch(stub)
    stub.faults = {"conditions": after(interim, stub.content["conditions"])}

    answer = site.ask(request)

    assert (answer.status == 200) is understood, reason


def test_every_request_asks_for_what_is_true_now(site: FetchingSite, stub: FHIRStub) -> None:
    site.ask(without_prefetch(stub))

    assert {received.headers["cache-control"] for received in stub.received} == {"no-cache"}


def refusing(times: int, code: int, **headers: str) -> Fault:
    """A server that refuses so many requests and then answers."""
    left = [times]

    def send(wire: Wire) -> None:
        left[0] -= 1
        if left[0] >= 0:
            wire.answer(b"{}", code, {name.replace("_", "-"): value for name, value in headers.items()})
        else:
            wire.answer(json.dumps(wire.server.content[wire.received.key]).encode())

    return send


IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
A_DAY_AGO = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)


@pytest.mark.parametrize(
    ("times", "code", "headers", "status", "asked", "reason"),
    [
        (1, 429, {"Retry_After": "0"}, 200, 2, "a moment of patience"),
        (1, 503, {"Retry_After": "0"}, 200, 2, "restarting"),
        (1, 503, {"Retry_After": A_DAY_AGO}, 200, 2, "a time that is past"),
        (2, 503, {"Retry_After": "0"}, 412, 2, "once more, and not again"),
        (1, 503, {}, 412, 1, "it does not ask to be asked again"),
        (1, 503, {"Retry_After": "60"}, 412, 1, "longer than the hook may take"),
        (1, 503, {"Retry_After": IN_AN_HOUR}, 412, 1, "the same as a time"),
        (1, 503, {"Retry_After": "soon"}, 412, 1, "no time"),
        (1, 500, {"Retry_After": "0"}, 412, 1, "a defect is not mended by asking again"),
    ],
)
def test_server_that_asks_for_patience_is_asked_once_more(
    site: FetchingSite,
    stub: FHIRStub,
    times: int,
    code: int,
    headers: dict[str, str],
    status: int,
    asked: int,
    reason: str,
) -> None:
    request = without_prefetch(stub)
    stub.faults = {"conditions": refusing(times, code, **headers)}

    answer = site.ask(request)

    assert answer.status == status, reason
    assert stub.keys_asked().count("conditions") == asked, reason


def test_patience_is_waited_for_as_told(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    stub.faults = {"conditions": refusing(1, 429, Retry_After="1")}

    answer = site.ask(request)

    assert answer.status == 200
    assert 1.0 <= answer.seconds < 2.5


def refuse_sort(wire: Wire) -> None:
    if "_sort" in wire.received.parameters:
        wire.answer(b"{}", 400)
    else:
        wire.answer(json.dumps(wire.server.content[wire.received.key]).encode())


def test_search_that_is_refused_for_its_order_is_asked_without(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    stub.faults = {"bloodCounts": refuse_sort, "albumin": refuse_sort}

    assert site.ask(request).assessment["sii"] == "711.667"
    asked = [received.parameters for received in stub.received if received.key == "bloodCounts"]
    assert [{"_sort", "code", "patient", "_count"} - set(parameters) for parameters in asked] == [set(), {"_sort"}]


def test_search_without_order_that_is_refused_is_not_repeated(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    stub.faults = {"conditions": faults.status(400)}

    assert site.ask(request).missing_keys == ["conditions"]
    assert stub.keys_asked().count("conditions") == 1


@pytest.mark.parametrize(
    ("members", "said", "reason"),
    [
        ({"token_type": "DPoP"}, 'fhirAuthorization.token_type is not "Bearer"', "another kind"),
        ({"token": ""}, "fhirAuthorization.access_token is missing, or no text", "none"),
        ({"patient": "p2"}, "fhirAuthorization.patient is another patient", "of another patient"),
    ],
)
def test_access_that_cannot_be_used_is_named_in_the_log_once_without_the_token(
    site: FetchingSite, stub: FHIRStub, members: Json, said: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = hook_request(without=("conditions", "procedures"), members=access(stub.url, **members))

    with caplog.at_level(logging.WARNING):
        assert site.ask(request).status == 412

    lines = [record.getMessage() for record in caplog.records if "the FHIR server is not asked" in record.getMessage()]
    assert len(lines) == 1, reason
    assert said in lines[0], reason
    assert "canary" not in caplog.text


@pytest.mark.parametrize(("strategy"), ["staged", "parallel"])
@pytest.mark.parametrize(("code", "reason"), [(404, "not found"), (410, "deleted")])
def test_patient_that_the_server_does_not_know_is_no_patient_without_cancer(
    stub: FHIRStub, tmp_path: Path, strategy: str, code: int, reason: str
) -> None:
    site = fetching_site(tmp_path, stub.url, strategy=strategy)
    request = without_prefetch(stub)
    nothing = bundle(total=0)
    stub.content |= {"conditions": nothing, "procedures": nothing, "bloodCounts": nothing, "albumin": nothing}
    stub.faults = {"patient": faults.status(code)}

    assert site.ask(request).missing_keys == ["patient", "conditions", "procedures"], reason
    (record,) = [json.loads(line) for line in audit_lines(site) if b'"hook"' in line]
    assert record["missing"] == ["patient", "conditions", "procedures"]


def test_patient_that_only_the_ehr_knows_is_judged_by_what_it_sent(site: FetchingSite, stub: FHIRStub) -> None:
    request = moved_to(stub, hook_request(), "patient")
    stub.faults = {"patient": faults.status(404)}

    assert site.ask(request).assessment["outcome"] == "above-cutoff", "all that counts was prefetched"


def test_patient_whose_record_may_not_be_read_is_judged_by_what_came(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    stub.faults = {"patient": faults.status(404)}

    assert site.ask(request).assessment["outcome"] == "above-cutoff", "the server found results of this patient"


def audit_lines(site: FetchingSite) -> list[bytes]:
    files = sorted((site.folder / "audit").glob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines()]


def history(days: range) -> list[tuple[Json, ...]]:
    """A chart with a draw a day, newest first, in pages of a week."""
    draws = [draw(when=days_ago(day)) for day in days]
    return [tuple(part for one in draws[i : i + 7] for part in one) for i in range(0, len(draws), 7)]


@pytest.mark.parametrize("strategy", ["staged", "parallel"])
def test_long_chart_is_read_as_far_as_the_windows_reach(stub: FHIRStub, tmp_path: Path, strategy: str) -> None:
    """60 pages, of which the 18th is the first to lie before the baseline window: 100 + 30 days, and one for zones."""
    site = fetching_site(tmp_path, stub.url, strategy=strategy, max_pages=50)
    request = without_prefetch(stub, hook_request(procedures=bundle(procedure(when=days_ago(100)))))
    stub.faults = {"bloodCounts": faults.pages(*history(range(1, 420)))}

    assessment = site.ask(request).assessment

    assert assessment["outcome"] == "above-cutoff"
    assert "reasons" not in assessment, "nothing is said to be missing"
    assert 18 <= stub.keys_asked().count("bloodCounts") <= 21


def test_unsorted_chart_is_read_to_the_end(stub: FHIRStub, tmp_path: Path) -> None:
    """A server that sends the oldest first must not be taken for one that has nothing newer."""
    site = fetching_site(tmp_path, stub.url, max_pages=50)
    request = without_prefetch(stub, hook_request(procedures=bundle(procedure(when=days_ago(100)))))
    oldest_first = [tuple(reversed(page)) for page in reversed(history(range(1, 300)))]
    stub.faults = {"bloodCounts": faults.pages(*oldest_first)}

    assert site.ask(request).assessment["outcome"] == "above-cutoff"
    assert stub.keys_asked().count("bloodCounts") == len(oldest_first)


@pytest.mark.parametrize(
    ("newest_first", "reason"),
    [(True, "the newest came: what is missing is older"), (False, "a newer draw may be missing")],
)
def test_chart_cut_off_at_a_limit_says_so_only_where_newer_blood_may_be_missing(
    stub: FHIRStub, tmp_path: Path, newest_first: bool, reason: str
) -> None:
    site = fetching_site(tmp_path, stub.url, max_pages=2)
    request = without_prefetch(stub, hook_request(procedures=bundle(procedure(when=days_ago(100)))))
    chart = history(range(1, 71))
    if not newest_first:
        chart = [tuple(reversed(page)) for page in reversed(chart)]
    stub.faults = {"bloodCounts": faults.pages(*chart)}

    assessment = site.ask(request).assessment

    assert assessment["outcome"] == "above-cutoff"
    assert ("truncated" in assessment.get("reasons", ())) is not newest_first, reason


def test_key_server_that_sends_early_hints_is_understood(stub: FHIRStub) -> None:
    stub.faults = {"patient": after(EARLY_HINTS, {"keys": []})}

    assert json.loads(download(KeySetAddress(f"{stub.url}/Patient/keys"))) == {"keys": []}


def test_key_server_is_asked_by_name_past_caches_and_once_more() -> None:
    with running_key_server(OLD_KEYS) as server:
        server.status, server.headers = 503, {"Retry-After": "0"}
        with pytest.raises(KeySetError, match="status 503"):
            download(KeySetAddress(server.url))

    assert len(server.requests) == 2
    assert {request["User-Agent"] for request in server.requests} == {"sii-cds"}
    assert {request["Cache-Control"] for request in server.requests} == {"no-cache"}
