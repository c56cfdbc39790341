"""Doctor against FHIR servers: one that does what it should, and one for each thing a server does wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli.main import main
from tests.support.charts import LYMPHOCYTES, NOW, PLATELETS, days_ago, draw
from tests.support.hospital import Hospital, hospital, measured, named, of_code, of_type, recoded
from tests.support.hospital_server import TOKEN, remark, running_hospital

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.support.charts import Json

LABORATORY = [{"coding": [{"code": "laboratory"}]}]
PATIENTS = 6


def two_draws() -> Hospital:
    """A clean hospital whose patients have two draws, the older one filed first."""

    def older(patient_id: str) -> Iterable[Json]:
        subject = {"reference": f"Patient/{patient_id}"}
        return [named(result) for result in draw(170, "4.3", "1.6", when=days_ago(75), subject=subject)]

    plan = hospital(PATIENTS).add(older)
    for patient_id, resources in plan.patients.items():
        resources.reverse()
        for number, resource in enumerate(resources):
            if resource["resourceType"] != "Patient":
                resource["id"] = f"{patient_id}-{number}"
    return plan.change(of_type("Observation", category=LABORATORY))


def ask(url: str, *arguments: str | Path, **environment: str) -> Result:
    command = ["doctor", "--fhir-server", url, "--at", NOW.isoformat(), "--json", "-", *map(str, arguments)]
    return CliRunner().invoke(main, command, env={"SII_CDS_CONFIG": None, **environment})


def told(result: Result) -> Json:
    report: Json = json.loads(result.stdout)
    return report


def found(report: Json) -> set[tuple[str, str]]:
    return {(finding["severity"], finding["id"]) for finding in report["findings"]}


def test_server_that_does_what_it_should_gives_no_finding() -> None:
    with running_hospital(two_draws()) as server:
        result = ask(server.url)

    report = told(result)
    assert (result.exit_code, found(report)) == (0, set())
    assert report["sample"] == {"patients": PATIENTS, "withQualifyingDiagnosis": PATIENTS}
    assert report["draws"]["withCompleteDraw"] == PATIENTS
    (hook,) = (row for row in report["searches"] if row["search"] == "whole hook, 2 s allowed")
    assert (hook["sent"], hook["failed"]) == (PATIENTS, 0)
    assert 0 < hook["milliseconds"]["p50"] <= hook["milliseconds"]["max"] < 2000
    # Two draws of three results and one albumin for each of six patients.
    assert sum(row["results"] for row in report["laboratoryCodes"]) == 7 * PATIENTS


PLANTED: list[tuple[str, dict[str, Any], set[tuple[str, str]]]] = [
    ("patient is ignored", {"wrong": {"patient"}}, {("blocks", "search-patient-ignored")}),
    ("code is ignored", {"wrong": {"code"}}, {("warning", "search-code-ignored")}),
    (
        "of several codes only the first is looked for",
        {"wrong": {"several-codes"}},
        {("blocks", "search-code-incomplete"), ("blocks", "few-complete-draws")},
    ),
    ("_sort is refused", {"wrong": {"sort-refused"}}, {("warning", "search-sort-refused")}),
    ("_sort is ignored", {"wrong": {"_sort"}}, {("warning", "search-sort-ignored")}),
    ("_count is ignored", {"wrong": {"_count"}}, {("note", "search-count-ignored")}),
    ("there is no next page", {"wrong": {"next"}}, {("blocks", "paging-missing")}),
    ("the next page is on another server", {"wrong": {"next-elsewhere"}}, {("blocks", "paging-failed")}),
    ("the next page is the first again", {"wrong": {"whole-page"}}, {("blocks", "paging-failed")}),
    ("the next page loses the patient", {"wrong": {"next-loses-patient"}}, {("blocks", "paging-loses-patient")}),
    ("date is ignored", {"wrong": {"date"}}, {("note", "search-date-ignored")}),
    ("date loses results", {"wrong": {"days-lost"}}, {("warning", "search-date-incomplete")}),
    ("category is not known", {"wrong": {"category"}}, set()),
    ("total tells of more than comes", {"wrong": {"total"}}, {("warning", "search-total-unmet")}),
    ("remarks beside the answers", {"remark": remark("not-supported")}, {("note", "search-remarks")}),
    ("another FHIR version", {"fhir_version": "3.0.2"}, {("blocks", "fhir-version")}),
    (
        "no access to Observations",
        {"status": {"Observation": 403}},
        {("blocks", "server-refuses"), ("warning", "server-refuses")},
    ),
    (
        "no access to procedures",
        {"status": {"Procedure": 403}},
        {("blocks", "server-refuses")},
    ),
    (
        "procedures fail",
        {"status": {"Procedure": 500}},
        {("blocks", "search-failed")},
    ),
]


@pytest.mark.parametrize(("behaviour", "expected"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_planted_problem_of_the_server_is_found_and_none_other(
    behaviour: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    with running_hospital(two_draws(), **behaviour) as server:
        result = ask(server.url)

    report = told(result)
    assert found(report) == expected, report["findings"]
    assert result.exit_code == any(severity == "blocks" for severity, _ in expected)
    assert "canary" not in result.output


def test_slow_server_misses_the_deadline_of_hooks() -> None:
    """Two stages of 0.15 s are more than the 0.2 s that a hook has."""
    with running_hospital(two_draws(), latency=0.15) as server:
        result = ask(server.url, "--patients", "2", SII_CDS__SERVER__HOOK_DEADLINE_SECONDS="0.2")

    report = told(result)
    assert ("blocks", "hook-deadline") in found(report)
    assert report["outcomes"]["counts"] == {"unavailable": "<5"}


def test_wrong_token_is_told_once_and_asking_stops(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("canary-wrong\n")
    (tmp_path / "patients").write_text("\n".join(f"p{number:03}" for number in range(PATIENTS)))
    with running_hospital(two_draws(), token=TOKEN) as server:
        result = ask(server.url, "--token-file", tmp_path / "token", "--patient-file", tmp_path / "patients")
        asked = len(server.targets)

    report = told(result)
    refused = [finding for finding in report["findings"] if finding["id"] == "server-refuses"]
    assert result.exit_code == 1
    assert {finding["about"] for finding in refused} == {
        "Condition",
        "Procedure",
        "blood counts",
        "albumin",
        "all results",
    }
    assert all("401" in finding["what"] for finding in refused)
    # Three patients of ten requests at most, and the first look.
    assert asked <= 31
    assert "canary" not in result.output


def test_token_of_the_file_is_sent_with_every_request_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with running_hospital(two_draws(), token=TOKEN) as server:
        result = ask(server.url, "--token-file", tmp_path / "token", "--html", tmp_path / "page.html")
        tokens = set(server.tokens)

    assert (result.exit_code, found(told(result))) == (0, set())
    assert tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in result.output + (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("status", "word", "reason"), [(403, "status 403", "searches are not allowed"), (404, "status 404", "a wrong path")]
)
def test_server_that_names_no_patient_asks_for_a_list(status: int, word: str, reason: str) -> None:
    with running_hospital(two_draws(), status={"Condition": status, "Patient": status}) as server:
        report = told(ask(server.url))

    (said,) = report["findings"]
    assert said["id"] == "no-patients", reason
    assert word in said["what"], reason
    assert "--patient-file" in said["action"]


def test_server_without_patients_has_none() -> None:
    with running_hospital(Hospital()) as server:
        report = told(ask(server.url))

    assert [finding["what"] for finding in report["findings"]] == ["There is no patient to examine."]


def test_unreachable_server_is_one_finding(hospital_port: str) -> None:
    report = told(ask(hospital_port))

    assert found(report) == {("blocks", "server-unreachable")}


@pytest.fixture
def hospital_port() -> str:
    """The address of a server that has gone."""
    with running_hospital(hospital(1)) as server:
        return server.url


def test_planted_data_problems_are_found_on_a_server_too() -> None:
    local = "https://laboratory.hospital.example/tests"
    plan = (
        two_draws()
        .change(of_code(LYMPHOCYTES, change=recoded(local, "4712", "Lymphozyten")))
        .change(of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True)))
    )
    with running_hospital(plan) as server:
        report = told(ask(server.url))

    assert found(report) == {
        ("blocks", "analyte-missing"),
        ("blocks", "local-code"),
        ("blocks", "unit-scale"),
        ("blocks", "few-complete-draws"),
    }
    assert 'code: "4712"' in report["overlay"]


def test_since_is_asked_of_the_server_and_checked() -> None:
    with running_hospital(two_draws(), wrong={"date"}) as server:
        report = told(ask(server.url, "--since", days_ago(50)[:10]))
        dated = [target for target in server.targets if "category" in target]

    assert all("date=ge2026-10-04" in target for target in dated)
    # One of two draws, and albumin.
    assert sum(row["results"] for row in report["laboratoryCodes"]) == 4 * PATIENTS


@pytest.mark.parametrize(
    ("arguments", "said", "reason"),
    [
        (("--fhir-server", "http://ehr.hospital.example/fhir"), "use https", "tokens in the open"),
        (("--fhir-server", "ehr.hospital.example"), "absolute address", "no scheme"),
        (("--fhir-server", "https://a:b@ehr.example"), "secrets never", "a password"),
        (("--fhir-server", "https://ehr.example", "."), "either the files", "two sources"),
        (("--fhir-server", "https://ehr.example", "--client-id", "me"), "needs both", "half of the credentials"),
        (
            ("--fhir-server", "https://ehr.example", "--token-file", "key", "--client-id", "me"),
            "either --token-file",
            "two kinds of access",
        ),
        (
            ("--fhir-server", "https://ehr.example", "--client-id", "me", "--key-file", "key"),
            "no RSA or EC key",
            "not a key",
        ),
        (
            ("--fhir-server", "https://ehr.example", "--token-url", "http://ehr.example/token"),
            "use https",
            "assertions in the open",
        ),
    ],
)
def test_wrong_options_are_one_sentence_and_exit_2(
    arguments: tuple[str, ...], said: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("canary: no key")

    result = CliRunner().invoke(main, ["doctor", *arguments])

    assert result.exit_code == 2, reason
    assert said in result.stderr, reason
    assert "canary" not in result.output


def test_authorities_that_are_none_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("canary: no certificate")
    (tmp_path / "site.yaml").write_text("authentication: {required: false}\nacquisition: {ca_file: ca.pem}\n")

    result = CliRunner().invoke(
        main, ["doctor", "--fhir-server", "https://ehr.example", "--config", str(tmp_path / "site.yaml")]
    )

    assert result.exit_code == 2
    assert "acquisition.ca_file" in result.stderr
    assert "canary" not in result.output


def test_examination_asks_gently() -> None:
    """Eleven requests for each patient at most, the hook's five among them."""
    with running_hospital(two_draws()) as server:
        ask(server.url)
        requests = server.targets

    assert len(requests) <= 11 * PATIENTS + 6
