"""One page for the safety board: figures with what they are shares of, and what was changed in the period."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from cds_service.audit.policies import encode_policy
from cds_service.audit.records import ConfigurationRecord
from cds_service.cli.main import main
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.insight.sources.audit_log import LogRows
from cds_service.insight.usage.board_page import board_page
from cds_service.insight.usage.changes import changes
from cds_service.insight.usage.statistics import count
from cds_service.reports.content import Figures, Table
from cds_service.reports.plots import StackedBars
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from tests.unit.audit.samples import audit_log, feedback_record, hook_record

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.audit.records import FeedbackRecord, HookRecord
    from cds_service.insight.usage.changes import Change
    from cds_service.insight.usage.statistics import Statistics

ZONE = ZoneInfo("Asia/Tokyo")
# An evening in UTC, and the next day in Tokyo.
START = datetime(2026, 3, 1, 20, tzinfo=UTC)
FIRST_DAY = date(2026, 3, 2)
POLICY = ClinicalPolicy(timezone=ZONE)


def hook(day: int = 0, **changes_: Any) -> HookRecord:
    return msgspec.structs.replace(hook_record(), **{"time": START + timedelta(days=day), **changes_})


def configured(name: str, policy: ClinicalPolicy) -> ConfigurationRecord:
    return ConfigurationRecord(
        time=START,
        configuration=name,
        rule_version="2.0.0",
        mapping_version="m",
        mode="active",
        policy=encode_policy(policy),
    )


def counted(*records: HookRecord | FeedbackRecord | ConfigurationRecord, **period: datetime) -> Statistics:
    return count(LogRows(records, ZONE), period.get("since"), period.get("until"), SII_RECURRENCE_RISK)


def changed(*records: HookRecord | ConfigurationRecord, **period: datetime) -> list[Change]:
    return changes(counted(*records, **period), ZONE)


def test_board_has_four_figures_with_what_they_are_shares_of() -> None:
    outcomes = ("above-cutoff", "not-above-cutoff", "not-above-cutoff", "indeterminate", "data-unavailable")
    hooks = [hook(outcome=outcome, card=None, presentation="") for outcome in (*outcomes, *["not-eligible"] * 1_195)]
    shown = hook(outcome="above-cutoff", card="a", shown=True, presentation="")
    page = board_page(counted(*hooks, shown, feedback_record("a", time=START)), "log", ZONE, "1.0.0")
    ((figures,), plots, _) = (section.blocks for section in page.sections)

    assert isinstance(figures, Figures)
    assert [(one.label, one.value, one.note) for one in figures.items] == [
        ("Above the cut-off", "50.0 %", "2 of 4 hook calls with SII"),
        ("SII could not be told", "20.0 %", "1 of 5 eligible hook calls"),
        ("Data unavailable", "0.1 %", "1 of 1,201 hook calls"),
        ("Cards overridden", "100.0 %", "1 of 1 shown card"),
    ]
    assert [isinstance(plot, StackedBars) for plot in plots] == [True, True]


def test_board_of_an_empty_period_tells_no_share() -> None:
    page = board_page(counted(), "log", ZONE, "1.0.0")
    ((figures,), _, (table,)) = (section.blocks for section in page.sections)

    assert isinstance(figures, Figures)
    assert {one.value for one in figures.items} == {"–"}
    assert isinstance(table, Table)
    assert table.rows == ()


@pytest.mark.parametrize(
    ("after", "what", "reason"),
    [
        ({"rule_version": "9.0"}, "rule version 1.0.0 → 9.0", "the rule"),
        ({"mapping_version": "new"}, "mapping tables 2026-01 → new", "an overlay, or the tables of the package"),
        ({"mode": "silent"}, "cards: active → silent mode", "cards are no longer shown"),
        ({"configuration": "b"}, "configuration 0123456789ab → b: its limits are not in this log", "no record of it"),
        ({"configuration": "limits"}, "configuration 0123456789ab → limits: cutoff 405.08 → 300", "a limit"),
        (
            {"configuration": "cards"},
            "configuration 0123456789ab → cards: cards, clients or operation; no limit of the rule",
            "anything else",
        ),
        (
            {"configuration": "many", "mode": "silent"},
            "cards: active → silent mode; configuration 0123456789ab → many: albumin window days 7 → 1, "
            "baseline window days 30 → 2, eligibility required yes → no, max age days 90 → 3, and 1 further limit",
            "several at once",
        ),
    ],
)
def test_board_names_what_was_changed(after: dict[str, Any], what: str, reason: str) -> None:
    many = replace(POLICY, albumin_window_days=1, baseline_window_days=2, max_age_days=3, minimum_age=1,
                   eligibility_required=False)  # fmt: skip
    records = (
        configured("0123456789ab", POLICY),
        configured("cards", POLICY),
        configured("limits", replace(POLICY, cutoff=Decimal(300))),
        configured("many", many),
    )
    before: dict[str, Any] = {
        "rule_version": "1.0.0",
        "mapping_version": "2026-01",
        "mode": "active",
        "configuration": "0123456789ab",
    }
    (change,) = changed(*records, hook(**before), hook(1, **before | after))

    assert (change.day, change.clients, change.what) == (date(2026, 3, 3), ("main-ehr",), what), reason


def test_board_change_at_several_clients_is_one_on_its_first_day() -> None:
    hooks = [hook(day, client=name, rule_version=version) for day, name, version in
             ((0, "a", "1"), (0, "b", "1"), (0, "c", "1"), (3, "b", "2"), (5, "a", "2"), (9, "c", "2"))]  # fmt: skip
    told = changed(*hooks)
    (row,) = board_table(counted(*hooks)).rows

    assert [(one.day, one.clients) for one in told] == [(date(2026, 3, 5), ("a", "b", "c"))]
    assert row[1] == "a, b and 1 more"


def test_board_change_to_and_fro_is_told_each_time_the_newest_first() -> None:
    told = changed(*(hook(day, rule_version="12"[day % 2]) for day in range(4)))

    assert [(one.day.day, one.what[-1]) for one in told] == [(5, "2"), (4, "1"), (3, "2")]


def test_board_processes_that_take_a_configuration_up_one_by_one_are_one_change() -> None:
    told = changed(*(hook(1 if number else 0, rule_version="1122121222"[number]) for number in range(10)))

    assert len(told) == 1


@pytest.mark.parametrize(("since", "expected"), [(0, [4, 3]), (1, [4, 3]), (2, [4]), (3, [])])
def test_board_change_belongs_to_the_period_by_its_day_and_is_told_by_what_stood_before(
    since: int, expected: list[int]
) -> None:
    hooks = [hook(0, rule_version="1"), hook(1, rule_version="2"), hook(2, rule_version="3")]

    assert [one.day.day for one in changed(*hooks, since=START + timedelta(days=since))] == expected


def test_board_after_the_period_is_no_change() -> None:
    assert changed(hook(0), hook(5, rule_version="2"), until=START + timedelta(days=1)) == []


def test_board_tells_six_changes_and_how_many_were_before() -> None:
    told = counted(*(hook(day, rule_version=str(day)) for day in range(12)))
    section = board_page(told, "log", ZONE, "1.0.0").sections[-1]

    assert len(board_table(told).rows) == 6
    assert section.text == "5 earlier changes: audit report --html lists all."


def board_table(told: Statistics) -> Table:
    (table,) = board_page(told, "log", ZONE, "1.0.0").sections[-1].blocks
    assert isinstance(table, Table)
    return table


@pytest.mark.parametrize(
    "policy", ['"text"', "[]", "null", '{"cutoff": {"x": [1, {}]}}', '{"' + "a" * 9_000 + '": "\\u001b"}']
)
def test_board_limits_that_no_configuration_can_hold_are_survived(policy: str) -> None:
    odd = msgspec.structs.replace(configured("b", POLICY), policy=msgspec.Raw(policy.encode()))
    (change,) = changed(configured("a", POLICY), odd, hook(configuration="a"), hook(1, configuration="b"))

    assert len(change.what) < 500
    assert change.what.isprintable()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "log"
    writer = audit_log(directory, key=None)
    writer.append(hook(0))
    writer.append(hook(1, rule_version="9.9.9"))
    return directory


def test_board_command_writes_the_page_beside_the_summary(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "board.html"
    result = CliRunner().invoke(main, ["audit", "report", "--directory", str(log), "--board", str(file)])

    assert result.exit_code == 0, result.output
    assert "2 hook calls" in result.stdout
    assert "→ 9.9.9" in file.read_text(encoding="utf-8")


def test_board_to_standard_output_is_the_page_alone(log: Path) -> None:
    result = CliRunner().invoke(main, ["audit", "report", "--directory", str(log), "--board", "-"])

    assert result.stdout.startswith("<!doctype html>")
    assert result.stdout.count("<svg ") == 2


def test_board_holds_no_patient_and_no_user(log: Path) -> None:
    page = CliRunner().invoke(main, ["audit", "report", "--directory", str(log), "--board", "-"]).stdout
    record = json.loads(max(log.glob("*.jsonl")).read_text().splitlines()[1])

    assert record["patient"] not in page
    assert record["user"] not in page
