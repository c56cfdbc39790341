"""sii-cds audit replay: what it counts and names, exit codes, wrong input."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from cds_service.cards.options import CardOptions
from cds_service.cli.main import main
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.site import Site
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from tests.support.charts import NOW, draw, hook_request, patient
from tests.support.recorded import VALUES_KEPT, Hook, record

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SITE = Site(
    ClinicalPolicy(ZoneInfo("UTC")),
    load_mappings(),
    CardOptions("https://x.example/"),
    "active",
    "hash",
    SII,
)
# A site that no longer reads the platelet code of its laboratory.
CHANGED = """
about: {what: Platelets come under another code, approved_by: Dr. A. Example}
removals:
  - {system: "http://loinc.org", code: 777-3, reason: The analyzer was replaced; approved by Dr. A. Example}
"""


def hook(name: str, **keys: Any) -> Hook:
    return Hook(name, json.dumps(hook_request(*draw(), **keys)).encode(), NOW, SITE)


def replay(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", "replay", *map(str, arguments)])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three decisions, one of a patient who is not eligible, and a hook whose data could not be had."""
    directory = tmp_path / "log"
    unavailable = json.dumps(hook_request(without=("bloodCounts",))).encode()
    record(
        directory,
        [hook("first"), hook("nobody", conditions=None), hook("second"), Hook("unavailable", unavailable, NOW, SITE)],
    )
    return directory


@pytest.fixture
def changed_site(tmp_path: Path) -> Path:
    (tmp_path / "codes.yaml").write_text(CHANGED)
    (tmp_path / "sii-cds.yaml").write_text("authentication: {required: false}\nmappings: {overlays: [codes.yaml]}\n")
    return tmp_path / "sii-cds.yaml"


def test_replay_same_tables_exit_0(log: Path) -> None:
    result = replay("--directory", log)

    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "3 decisions recomputed, 0 differ.\n"
        "1 could not be recomputed:\n"
        "  1: required data could not be had, so nothing was decided\n"
    )


def test_replay_changed_tables_exit_1_and_names_the_decisions(log: Path, changed_site: Path) -> None:
    result = replay("--directory", log, "--config", changed_site)

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith(
        "record 3  2026-11-23T10:00:00+00:00  above-cutoff SII 711.667 of 2026-10-14T10:00:00+00:00 -> "
    )
    assert "indeterminate [missing-platelets" in lines[0]
    assert "(request first; outcome, sii," in lines[0]
    assert lines[1].startswith("record 5  ")
    assert lines[2] == "3 decisions recomputed, 2 differ."


def test_replay_current_limits_tells_what_a_changed_limit_would_have_changed(log: Path, tmp_path: Path) -> None:
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text("authentication: {required: false}\nrule: {cutoff: 800, cutoff_source: our own study}\n")

    assert replay("--directory", log, "--config", stricter).exit_code == 0, "recorded limits"
    result = replay("--directory", log, "--config", stricter, "--limits", "current")

    assert result.exit_code == 1
    assert "above-cutoff SII 711.667 of 2026-10-14T10:00:00+00:00 -> not-above-cutoff SII 711.667" in result.stdout
    assert "3 decisions recomputed, 2 differ." in result.stdout


def test_replay_json_one_line_for_each_difference_and_the_summary(log: Path, changed_site: Path) -> None:
    result = replay("--directory", log, "--config", changed_site, "--json")

    first, second, summary = map(json.loads, result.stdout.splitlines())
    assert (first["sequence"], first["request_id"], second["sequence"]) == (3, "first", 5)
    assert first["then"] == {
        "outcome": "above-cutoff",
        "sii": "711.667",
        "sample_time": "2026-10-14T10:00:00+00:00",
        "reasons": [],
    }
    assert first["now"]["outcome"] == "indeterminate"
    assert summary["summary"]["recomputed"] == 3
    assert summary["summary"]["different"] == 2


def test_replay_without_values_exit_1_since_nothing_is_proved(tmp_path: Path) -> None:
    record(tmp_path, [hook("first")], replace(VALUES_KEPT, keep_values=False))

    result = replay("--directory", tmp_path)

    assert result.exit_code == 1
    assert "1: values are not kept" in result.stdout
    assert "none of the decisions can be recomputed" in result.stderr


@pytest.mark.parametrize(
    ("age", "recomputed", "reason"),
    [
        (98, "0 decisions", "kept as 90, which says nothing about a limit of 95"),
        (60, "1 decision", "kept as it is"),
    ],
)
def test_replay_limit_above_the_ages_that_are_kept_gives_no_false_difference(
    tmp_path: Path, age: int, recomputed: str, reason: str
) -> None:
    site = replace(SITE, policy=replace(SITE.policy, minimum_age=95))
    body = json.dumps(hook_request(*draw(), patient=patient(birthDate=f"{NOW.year - age}-01-01"))).encode()
    record(tmp_path, [Hook("aged", body, NOW, site)])

    result = replay("--directory", tmp_path)

    assert f"{recomputed} recomputed, 0 differ." in result.stdout, reason
    assert ("1: ages are kept up to 90, and the limit is above" in result.stdout) == (age > 90)


def test_replay_period_selects_decisions(log: Path) -> None:
    result = replay("--directory", log, "--since", "2026-11-24")

    assert result.exit_code == 1
    assert "there is no decision" in result.stderr


def test_replay_unreadable_line_exit_1_and_named(log: Path) -> None:
    file = next(log.glob("*.jsonl"))
    file.write_bytes(file.read_bytes() + b"garbage\n")

    result = replay("--directory", log)

    assert result.exit_code == 1
    assert f"{file.name}:7: this line cannot be read" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--directory", "nowhere"), 1, "the audit log cannot be read: No such file or directory"),
        (("--directory", "log", "--since", "yesterday"), 2, "'yesterday' is not an ISO 8601 date, week or date-time"),
        (("--directory", "log", "--since", "2026-02-02", "--until", "2026-02-01"), 2, "lies before --since"),
        (("--config", "nowhere.yaml"), 2, "nowhere.yaml: cannot be read: no such file"),
    ],
)
def test_replay_wrong_input_one_sentence(
    arguments: tuple[str, ...], code: int, text: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(log.parent)
    result = replay(*arguments)

    assert result.exit_code == code
    assert text in result.stderr
    assert "Traceback" not in result.output
