"""A second CDS Service runs through everything that knows services, with words, limits and rates of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from cds_service.app import create_app
from cds_service.cli.main import main
from cds_service.insight.monitor.days import tally_logs
from cds_service.settings import settings_from_dict
from tests.conformance.invariants import broken_invariants
from tests.support.charts import NOW, draw, hook_request
from tests.support.second_service import offered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.charts import Json

ROOT = Path(__file__).resolve().parents[2]
SII, NLR = "sii-recurrence-risk", "nlr-risk"
ASSESSMENT = "org.sii-cds.assessment"
# Platelets, neutrophils and lymphocytes; SII and NLR by hand, against 405.08 and 5.
CHARTS = (
    ((210, "6.1", "1.8"), "711.667", "3.389"),
    ((150, "9.0", "1.5"), "900", "6"),
    ((20, "9.0", "1.5"), "120", "6"),
    ((300, "8.0", "1.6"), "1500", "5"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two-services")


@pytest.fixture(scope="module", autouse=True)
def http(folder: Path) -> Iterator[FlaskClient]:
    """A site that offers both; every chart was opened at both."""
    sections: dict[str, object] = {"authentication": {"required": False}, "cards": {"show_not_above_cutoff": True}}
    with offered():
        client = create_app(settings_from_dict(sections, folder), now=lambda: NOW).test_client()
        for service in (SII, NLR):
            for counts, *_ in CHARTS:
                assert ask(client, service, counts)
        yield client


def ask(http: FlaskClient, service: str, counts: tuple[Any, ...]) -> Json:
    answer = http.post(f"/cds-services/{service}", json=hook_request(*draw(*counts)))
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(main, [*arguments], env={"SII_CDS_CONFIG": None}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1] if "replay" in arguments else result.stdout)


@pytest.mark.parametrize(("counts", "sii", "nlr"), CHARTS)
def test_each_service_decides_by_its_own_index_and_cutoff(
    http: FlaskClient, counts: tuple[Any, ...], sii: str, nlr: str
) -> None:
    for service, value, cutoff, version in ((SII, sii, 405.08, "2.0.0"), (NLR, nlr, 5, "0.3.0")):
        told = ask(http, service, counts)["extension"][ASSESSMENT]
        assert (float(told["sii"]), float(told["cutoff"])) == (float(value), cutoff)
        assert told["outcome"] == ("above-cutoff" if float(value) > cutoff else "not-above-cutoff")
        assert told["ruleVersion"] == version


def test_card_of_the_second_service_speaks_of_its_own_index_alone(http: FlaskClient) -> None:
    (card,) = ask(http, NLR, (150, "9.0", "1.5"))["cards"]

    assert card["summary"].startswith("NLR 6 ")
    assert "SII" not in card["summary"] + card["detail"]
    assert "405" not in card["summary"] + card["detail"]
    assert (card["source"]["topic"]["code"], card["source"]["url"]) == ("nlrRisk", "https://example.org/nlr")


def test_discovery_names_both(http: FlaskClient) -> None:
    services = http.get("/cds-services").get_json()["services"]

    assert [one["id"] for one in services] == [SII, NLR]
    assert "above 5" in services[1]["description"]
    assert services[0]["prefetch"] == services[1]["prefetch"]


def test_openapi_describes_both_and_the_answers_keep_to_it(http: FlaskClient) -> None:
    document = http.get("/openapi.json").get_json()
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []

    for service in (SII, NLR):
        assert f"/cds-services/{service}/feedback" in document["paths"]
        response = document["paths"][f"/cds-services/{service}"]["post"]["responses"]["200"]
        schema = response["content"]["application/json"]["schema"] | {"components": document["components"]}
        answer = ask(http, service, (150, "9.0", "1.5"))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(answer)] == []


def test_answers_of_the_second_service_keep_the_invariants_of_hl7(http: FlaskClient) -> None:
    for counts, *_ in CHARTS:
        assert broken_invariants("response", ask(http, NLR, counts)) == []


def test_records_name_service_version_and_limits(folder: Path, http: FlaskClient) -> None:
    lines = [line for path in sorted((folder / "audit").glob("*.jsonl")) for line in path.read_text().splitlines()]
    records = [json.loads(line) for line in lines]

    hooks = {record["service"]: record for record in records if record["kind"] == "hook"}
    limits = {record["service"]: record for record in records if record["kind"] == "configuration"}
    assert (hooks[NLR]["cutoff"], hooks[NLR]["rule_version"]) == ("5", "0.3.0")
    assert (limits[SII]["policy"]["cutoff"], limits[NLR]["policy"]["cutoff"]) == ("405.08", "5")
    assert limits[SII]["configuration"] == limits[NLR]["configuration"]


def test_report_counts_each_service_by_itself(folder: Path) -> None:
    told = {
        service: run("audit", "report", "--directory", str(folder / "audit"), "--service", service, "--json", "-")
        for service in (SII, NLR)
    }

    shares = {
        service: told[service]["total"]["outcomes"]["above-cutoff"] / told[service]["total"]["hooks"]
        for service in told
    }
    assert shares[SII] > shares[NLR] > 0
    assert told[SII]["other_services"] == {NLR: told[NLR]["total"]["hooks"]}


def test_report_counts_values_of_each_service_between_its_own_edges_and_within_its_own_width(folder: Path) -> None:
    told = run("audit", "report", "--directory", str(folder / "audit"), "--service", NLR, "--json", "-")

    assert [span["from"] for span in told["sii"]] == [1, 2, 3, 5, 8, 13]
    values = {(span["from"], span["to"]) for span in told["sii"] if span["hooks"]}
    assert values == {(3, 5), (5, 8)}
    # Exactly 5 is within 0.5 of the cut-off; 3.389 and 6 are not.
    assert 0 < told["near_cutoff"] < told["total"]["hooks"] / 2


def test_report_page_of_the_second_service_speaks_of_its_own_index(folder: Path) -> None:
    page = str(folder / "nlr.html")
    arguments = ["audit", "report", "--directory", str(folder / "audit"), "--service", NLR, "--html", page]
    result = CliRunner().invoke(main, arguments, env={"SII_CDS_CONFIG": None}, catch_exceptions=False)

    text = (folder / "nlr.html").read_text(encoding="utf-8")
    assert result.exit_code == 0
    assert "NLR of decided hook calls" in text
    assert "SII" not in text


def printed(*arguments: str) -> str:
    return CliRunner().invoke(main, [*arguments], env={"SII_CDS_CONFIG": None}, catch_exceptions=False).stdout


def test_show_of_the_second_service_speaks_of_its_own_index(folder: Path) -> None:
    log = ("--directory", str(folder / "audit"))
    records = map(json.loads, printed("audit", "search", *log, "--json", "--outcome", "above-cutoff").splitlines())
    record = next(one for one in records if one["service"] == NLR)
    told = printed("audit", "show", *log, str(record["sequence"]))

    assert re.search(rf"^ +NLR +{re.escape(record['sii'])}$", told, re.MULTILINE)
    assert "SII" not in told


def test_replay_recomputes_each_service_by_its_own_rule(folder: Path) -> None:
    summary = run("audit", "replay", "--directory", str(folder / "audit"), "--json")["summary"]

    assert summary["recomputed"] >= 2 * len(CHARTS)
    assert (summary["different"], summary["notRecomputed"]) == (0, {})


def test_monitor_and_metrics_tell_services_apart(folder: Path, http: FlaskClient) -> None:
    tallies = {
        service: tally_logs([folder / "audit"], UTC, None, service).of("anonymous", NOW.date())
        for service in (SII, NLR)
    }
    metrics = http.get("/metrics").get_data(as_text=True)

    above = {service: tally.outcomes["above-cutoff"] / tally.hooks for service, tally in tallies.items()}
    assert above[SII] > above[NLR] > 0
    assert {one.version.rule for one in tallies[NLR].in_force} == {"0.3.0"}
    for service in (SII, NLR):
        assert f'outcome="above-cutoff",service="{service}"' in metrics


def test_feedback_on_a_card_of_the_second_service_is_recorded_under_it(folder: Path, http: FlaskClient) -> None:
    (card,) = ask(http, NLR, (150, "9.0", "1.5"))["cards"]
    item = {"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": "2026-11-23T10:01:00Z"}
    answer = http.post(f"/cds-services/{NLR}/feedback", json={"feedback": [item]})

    last = max((folder / "audit").glob("*.jsonl")).read_text().splitlines()[-1]
    assert (answer.status_code, json.loads(last)["service"]) == (200, NLR)


def test_conformance_suite_holds_for_the_second_service_too() -> None:
    """All of it that goes to one service: description, study and addresses of tokens are those of the first."""
    left_out = ("test_openapi.py", "test_openapi_vocabulary.py", "test_tokens.py", "test_coverage.py")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/conformance"),
            *(f"--ignore=tests/conformance/{name}" for name in left_out),
            *("-k", "not source_is_the_study"),
        ],
        cwd=ROOT,
        env={**without_xdist(), "SERVICE_UNDER_TEST": NLR},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-4_000:]
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) > 500


def without_xdist() -> dict[str, str]:
    """Return the environment of a run of its own: not one of several processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SII_CDS_TESTS_"))}
