"""What the commands print and write for programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.golden.kept import compare
from tests.golden.site import NOW, STORIES, GoldenSite, answered
from tests.support import charts
from tests.support.hospital import hospital, measured, of_code, recoded
from tests.support.hospital_log.judging import simulated_day
from tests.support.hospital_log.malfunctions import MALFUNCTIONS
from tests.support.hospital_log.simulation import Hospital
from tests.support.hospital_log.writing import write_log
from tests.support.hospital_server import running_hospital

if TYPE_CHECKING:
    from pathlib import Path

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
DURATION = r'("(?:p50|p95|max)": )[0-9.]+'
PORT = r"http://127\.0\.0\.1:[0-9]+"
BROKEN = next(one for one in MALFUNCTIONS if one.name == "search of conditions fails for 1 in 20")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration, and the log of a site that answered everything."""
    folder = tmp_path_factory.mktemp("recorded")
    answered(GoldenSite(folder))
    return folder


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of ten weeks whose last six days are not sound."""
    directory = tmp_path_factory.mktemp("made-up") / "broken"
    write_log(directory, [Hospital(120, 2, BROKEN, 64)], 70)
    return directory


def run(*arguments: object) -> str:
    """Run a command; what it said on standard output, and its exit code."""
    result = CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False, env={"SII_CDS_CONFIG": None})
    return f"{result.stdout}exit {result.exit_code}\n"


AUDIT = {
    "verify.txt": ("verify",),
    "search.jsonl": ("search", "--json"),
    "search-overridden.jsonl": ("search", "--json", "--outcome", "overridden"),
    "report.json": ("report", "--json", "-"),
    "export.ndjson": ("export", "--fhir"),
    "replay.jsonl": ("replay", "--json"),
}


@pytest.mark.parametrize("name", AUDIT)
def test_audit_of_a_recorded_site_is_as_kept(recorded: Path, name: str) -> None:
    command, *options = AUDIT[name]
    output = run("audit", command, "--directory", recorded / "audit", *options)

    compare(f"audit-{name}", output, {re.escape(str(recorded)): "FOLDER"})


@pytest.mark.parametrize("log", ["audit", "audit_rule_1"])
def test_replay_of_an_earlier_log_is_as_kept(log: str) -> None:
    directory = f"tests/fixtures/{log}"

    compare(f"replay-{log}.jsonl", run("audit", "replay", "--directory", directory, "--json", "--limits", "current"))
    compare(f"export-{log}.ndjson", run("audit", "export", "--directory", directory, "--fhir"))


def test_audit_report_of_ten_weeks_is_as_kept(broken: Path) -> None:
    output = run("audit", "report", "--directory", broken, "--json", "-")

    compare("audit-report-ten-weeks.json", output, {re.escape(str(broken)): "FOLDER"})


def test_monitor_is_as_kept(broken: Path, tmp_path: Path) -> None:
    metrics = tmp_path / "sii_cds.prom"
    output = run("monitor", "--directory", broken, "--until", simulated_day(69), "--json", "--metrics", metrics)

    compare("monitor.json", output)
    compare("monitor.prom", metrics.read_text(encoding="utf-8"), {r"(?m)^(\w+_timestamp_seconds) .*$": r"\1 NOW"})


def test_doctor_of_an_export_is_as_kept(tmp_path: Path) -> None:
    plan = hospital().change(of_code(charts.PLATELETS, change=measured("10*9/L", times=1000, ucum=True)), every=2)
    plan.change(of_code(charts.ALBUMIN, change=recoded("http://lab.example", "ALB", "Albumin")))
    output = run("doctor", "--at", charts.NOW.isoformat(), plan.export(tmp_path / "broken"), "--json", "-")

    compare("doctor-export.json", output, {re.escape(str(tmp_path)): "FOLDER"})


def test_doctor_of_a_server_is_as_kept() -> None:
    with running_hospital(hospital(6), wrong=frozenset({"code"})) as server:
        output = run("doctor", "--fhir-server", server.url, "--at", charts.NOW.isoformat(), "--json", "-")

    compare("doctor-server.json", output, {DURATION: r"\1 0", PORT: "http://SERVER"})


def test_explanations_are_as_kept(recorded: Path, tmp_path: Path) -> None:
    told = []
    for name, body in STORIES.items():
        (tmp_path / name).write_text(json.dumps(body), encoding="utf-8")
        config = ("--config", recorded / "sii-cds.yaml")
        told.append(run("explain", "--json", *config, "--at", NOW.isoformat(), tmp_path / name))

    compare("explain.json", "".join(told), {UUID: "UUID"})


def test_configuration_is_shown_as_kept(recorded: Path) -> None:
    output = run("config", "show", "--json", "--config", recorded / "sii-cds.yaml")

    compare("config-show.json", output, {re.escape(str(recorded)): "FOLDER"})


def test_schema_of_the_configuration_is_as_kept() -> None:
    compare("config-schema.json", run("config", "schema"))
