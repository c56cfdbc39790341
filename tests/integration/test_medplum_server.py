"""The FHIR server that the Medplum tests rely on: what is put in comes out, by search and page, to the right token."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.charts import condition, days_ago, observation, patient
from tests.support.medplum import FOLDER, OLDEST_NODE, PAGE_SIZE, Medplum, missing_tool, require_node, running_medplum

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json

RESULTS = [observation("777-3", 100 + n, when=days_ago(n), oid=f"platelets-{n}") for n in (3, 1, 5, 2, 4, 7, 6)]
OTHER = observation("718-7", 13, "g/dL", oid="hemoglobin")
THEIRS = observation("777-3", 300, oid="theirs", subject={"reference": "Patient/p2"})


@pytest.fixture(scope="module")
def server() -> Iterator[Medplum]:
    with running_medplum() as running:
        running.load(patient(), patient(id="p2"), condition(), *RESULTS, OTHER, THEIRS)
        yield running


def search(server: Medplum, query: str) -> Json:
    answer = server.ask("GET", f"/{query}")
    assert answer.status_code == 200, answer.text
    bundle: Json = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    return bundle


def ids(bundle: Json) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle["entry"]]


def next_link(bundle: Json) -> str | None:
    return next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def test_resource_is_read_as_it_was_put_in(server: Medplum) -> None:
    read = server.ask("GET", "/Patient/p1").json()

    assert {name: read[name] for name in patient()} == patient()
    assert read["meta"]["versionId"]


@pytest.mark.parametrize("reference", ["p1", "Patient/p1"])
def test_search_finds_the_patients_own(server: Medplum, reference: str) -> None:
    assert ids(search(server, f"Condition?patient={reference}")) == ["c-C22.0"]
    assert ids(search(server, "Condition?patient=p2")) == []


def test_search_by_codes_sorts_and_pages_to_the_end(server: Medplum) -> None:
    bundle = search(server, "Observation?patient=p1&code=http://loinc.org|777-3,http://loinc.org|26515-7&_sort=-date")
    found, sizes = ids(bundle), [len(bundle["entry"])]
    while link := next_link(bundle):
        assert link.startswith(f"{server.url}/Observation?")
        bundle = search(server, link.removeprefix(f"{server.url}/"))
        found += ids(bundle)
        sizes.append(len(bundle["entry"]))

    assert found == [f"platelets-{n}" for n in range(1, 8)]
    assert sizes == [PAGE_SIZE, len(RESULTS) - PAGE_SIZE]


def test_search_by_date_reads_a_day_as_its_first_moment(server: Medplum) -> None:
    """FHIR means the whole day. The service asks for a day more on each side."""
    first, last = days_ago(6)[:10], days_ago(4)[:10]

    assert ids(search(server, f"Observation?patient=p1&date=ge{first}&date=le{last}&_sort=date")) == [
        "platelets-6",
        "platelets-5",
    ]


def test_full_url_is_the_address_of_the_resource(server: Medplum) -> None:
    (entry,) = search(server, "Condition?patient=p1")["entry"]

    assert server.ask("GET", entry["fullUrl"].removeprefix(server.url)).json()["id"] == "c-C22.0"


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "/Patient/p1", "another", 401),
        ("GET", "/Patient/nobody", None, 404),
        ("GET", "/../admin", None, 400),
    ],
)
def test_refusal_is_an_operation_outcome(
    server: Medplum, method: str, path: str, token: str | None, status: int
) -> None:
    answer = server.ask(method, path, token=token) if token else server.ask(method, path)

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_broken_transaction_is_refused(server: Medplum) -> None:
    assert server.ask("POST", "", json={"resourceType": "Bundle", "type": "transaction"}).status_code == 400


def test_server_listens_on_loopback_alone(server: Medplum) -> None:
    assert urlsplit(server.url).hostname == "127.0.0.1"


def test_lock_file_names_no_registry() -> None:
    lock = (FOLDER / "package-lock.json").read_text()

    assert '"integrity": "sha512-' in lock
    assert '"resolved"' not in lock
    assert "://" not in lock


@pytest.mark.parametrize(
    ("node", "npm", "expected"),
    [
        (None, None, "no node on the PATH"),
        (f"v{OLDEST_NODE}.0.0", None, "no npm on the PATH"),
        (f"v{OLDEST_NODE - 1}.9.9", "", f"Node v{OLDEST_NODE - 1}.9.9 is older than {OLDEST_NODE}"),
        ("", "", f"Node of no version is older than {OLDEST_NODE}"),
        (f"v{OLDEST_NODE}.0.0", "", ""),
        ("v100.1.0", "", ""),
    ],
)
def test_missing_tool_is_named(tmp_path: Path, node: str | None, npm: str | None, expected: str) -> None:
    for name, version in (("node", node), ("npm", npm)):
        if version is not None:
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\necho {version}\n")
            program.chmod(stat.S_IRWXU)

    assert missing_tool(str(tmp_path)) == expected


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_tests_without_node_are_skipped_but_required_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match="no node on the PATH"):
        require_node()


def test_cleared_server_holds_nothing() -> None:
    with running_medplum() as own:
        own.load(patient())
        own.clear()

        assert own.ask("GET", "/Patient/p1").status_code == 404
