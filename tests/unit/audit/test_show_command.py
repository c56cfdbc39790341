"""sii-cds audit show: one decision whole, found by any of its names; wrong names; a log that is not whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from cds_service.audit.log import AuditLog
from cds_service.cards.builder import CardBuilder
from cds_service.cards.options import CardOptions
from cds_service.cli.main import main
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.flow import decide
from cds_service.decision.recording import Moment, Recorder
from cds_service.decision.site import Site
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from cds_service.web.metrics import Metrics
from fhir_mappings import load_mappings
from tests.support.charts import NOW, draw, hook_request
from tests.support.recorded import CLIENT, VALUES_KEPT
from tests.unit.audit.samples import CARD, feedback_record, files_of

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SITE = Site(
    ClinicalPolicy(ZoneInfo("Asia/Tokyo")),
    load_mappings(),
    CardOptions("https://x.example/model-card"),
    "active",
    "hash",
    SII,
)
CONFIGURATION = "service: {timezone: Asia/Tokyo}\nauthentication: {required: false}\naudit: {directory: log}\n"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
OTHER_INSTANCE = "0b7f2a52-0d6f-4f1c-8b0e-2b9d2f6f8a11"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A log of a card that was shown and overridden (record 3), and of a patient who is not eligible (record 4)."""
    (tmp_path / "sii-cds.yaml").write_text(CONFIGURATION)
    log = AuditLog(tmp_path / "log", key=None, rotate_bytes=1 << 30)
    recorder = Recorder(log, SITE, VALUES_KEPT, Metrics().audit)
    recorder.begin(NOW)
    cards = CardBuilder(SII.voice, SITE.cards, SITE.policy, SITE.mappings.version)
    calls = (("first", hook_request(*draw())), ("nobody", hook_request(*draw(), conditions=None)))
    for name, body in calls:
        instance = INSTANCE if name == "first" else OTHER_INSTANCE
        request = parse_cds_request(json.dumps(body | {"hookInstance": instance}).encode())
        decision = decide(request, CLIENT, SITE, NOW)
        made = cards.build(decision.assessment, lambda: CARD, decision.gaps)
        moment = Moment(name, NOW, {})
        recorder.record_decision(request, CLIENT, decision, made, "shown" if made else "none", moment)
    log.append(feedback_record(request_id="answer", client="test", user="Practitioner/q", reason_code="data-wrong"))
    log.close()
    return tmp_path


def show(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", "show", *arguments, "--config", str(site / "sii-cds.yaml")])


def shown_record(site: Path, name: str) -> int:
    result = show(site, name, "--json")
    assert result.exit_code == 0, result.output
    return int(json.loads(result.stdout)["decision"]["sequence"])


@pytest.mark.parametrize(
    ("name", "sequence", "reason"),
    [
        ("first", 3, "request id"),
        (INSTANCE, 3, "hook instance"),
        (CARD, 3, "card"),
        ("answer", 3, "request id of feedback: the decision of its card"),
        ("3", 3, "number of the record"),
        ("nobody", 4, "a decision without card"),
        (OTHER_INSTANCE, 4, "hook instance of the other call"),
    ],
)
def test_show_finds_a_decision_by_each_of_its_names(site: Path, name: str, sequence: int, reason: str) -> None:
    assert shown_record(site, name) == sequence, reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("2026-11-23 19:00:00+09:00", "when, in service.timezone"),
        ("Practitioner/dr-1", "who"),
        ("Patient        p1", "whom"),
        ("SII          711.667", "the value as recorded"),
        ("Cut-off      405.08", "what it was compared with"),
        ("50 days after the latest procedure, 2026-08-25", "where the draw lies"),
        ("platelets      210  10*9/L", "what was read"),
        ("Observation/o-777-3-210-None", "from which result"),
        ("2026-10-14 19:00:00+09:00", "taken when"),
        ("C22.0", "which diagnosis"),
        ("ablation/microwave", "which procedure"),
        ("SII 712 (blood drawn 2026-10-14) is above the cut-off 405.08", "what the card said"),
        ("the log keeps no card text", "and that these words are made anew"),
        ("overridden", "what followed"),
        ("data-wrong: The data shown are wrong or incomplete", "why it was overridden, with words"),
        ("Rule version", "by which rule"),
        ("post procedure exclusion days  27", "under which limits"),
        ("same draw                      1 hour", "a time as people say it, not as the log writes it"),
        ("eligibility required           yes", "not a word of the programming language"),
        ("Verified: all 5 records of the log are whole", "state of the chain"),
    ],
)
def test_show_tells_a_person(site: Path, told: str, reason: str) -> None:
    result = show(site, "first")

    assert result.exit_code == 0, result.output
    assert told.lower() in result.stdout.lower(), reason


def test_show_says_why_there_is_no_card_in_words(site: Path) -> None:
    printed = show(site, "nobody").stdout

    assert "no-primary-liver-cancer: No confirmed diagnosis of primary liver cancer is in the data." in printed
    assert "no card was made" in printed
    assert "No feedback came, no page opened." in printed


def test_show_does_not_make_a_card_anew_that_would_be_another_one(site: Path) -> None:
    path = files_of(site / "log")[0]
    path.write_bytes(path.read_bytes().replace(b'"sii":"711.667"', b'"sii":"611.667"'))
    result = show(site, "first")

    assert result.exit_code == 1, "the log is not whole"
    assert "it cannot be made anew: this version decides otherwise" in " ".join(result.stdout.split())
    assert "record 3 was changed" in " ".join(result.stdout.split())


def test_show_card_of_a_log_without_values_says_that_they_are_not_kept(site: Path) -> None:
    log = AuditLog(site / "log", key=None, rotate_bytes=1 << 30)
    recorder = Recorder(log, SITE, replace(VALUES_KEPT, keep_values=False), Metrics().audit)
    recorder.begin(NOW)
    request = parse_cds_request(json.dumps(hook_request(*draw())).encode())
    decision = decide(request, CLIENT, SITE, NOW)
    cards = CardBuilder(SII.voice, SITE.cards, SITE.policy, SITE.mappings.version)
    made = cards.build(decision.assessment, lambda: "other-card", decision.gaps)
    recorder.record_decision(request, CLIENT, decision, made, "shown", Moment("valueless", NOW, {}))
    log.close()
    printed = " ".join(show(site, "valueless").stdout.split())

    assert "it cannot be made anew: values are not kept" in printed
    assert "platelets not kept" in printed


def test_show_every_form_tells_the_same(site: Path) -> None:
    files = {form: site / f"one.{form}" for form in ("json", "csv", "html")}
    result = show(site, "first", *(part for form, file in files.items() for part in (f"--{form}", str(file))))

    assert result.exit_code == 0, result.output
    for form, file in files.items():
        text = file.read_text(encoding="utf-8")
        assert "711.667" in text, form
        assert "Observation/o-777-3-210-None" in text, form


def test_show_json_holds_the_record_what_followed_limits_card_and_chain(site: Path) -> None:
    printed = json.loads(show(site, "first", "--json").stdout)

    assert printed["decision"]["request_id"] == "first"
    assert [one["request_id"] for one in printed["followed"]] == ["answer"]
    assert printed["limits"]["cutoff"] == "405.08"
    assert printed["card"]["summary"].startswith("SII 712 (blood drawn 2026-10-14) is above")
    assert (printed["chain"]["whole"], printed["chain"]["records"]) == (True, 5)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told", "reason"),
    [
        (["nothing"], 1, "there is no decision with", "nothing of this name"),
        (["99"], 1, "there is no decision with", "no record of this number"),
        (["2"], 1, "there is no decision with", "a record of the log about itself"),
        ([], 2, "name the decision", "no name at all"),
        ([""], 2, "name the decision", "an unset variable of a shell"),
        (["--json"], 2, "name the decision", "a form, but of what?"),
        (["p1"], 1, "there is no decision with", "a patient is no decision"),
    ],
)
def test_show_wrong_name_exit_code(site: Path, arguments: list[str], exit_code: int, told: str, reason: str) -> None:
    result = show(site, *arguments)

    assert result.exit_code == exit_code, reason
    assert told in " ".join(result.stderr.split()), reason


def test_show_json_before_the_id_takes_no_file(site: Path) -> None:
    result = CliRunner().invoke(main, ["audit", "show", "--config", str(site / "sii-cds.yaml"), "--json", "first"])

    assert json.loads(result.stdout)["decision"]["sequence"] == 3


def test_show_name_of_several_decisions_exit_2_and_lists_them(site: Path) -> None:
    path = files_of(site / "log")[0]
    path.write_bytes(path.read_bytes().replace(b'"request_id":"nobody"', b'"request_id":"first"'))
    result = show(site, "first")

    assert result.exit_code == 2
    lines = result.stderr.splitlines()[-3:]
    assert [line.split()[0] for line in lines] == ["RECORD", "3", "4"]
    assert result.stdout == ""
