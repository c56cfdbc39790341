"""sii-cds audit report: what is counted where, by hand-made logs; the command's outputs and its errors."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from cds_service.cards.builder import OVERRIDE_REASON_SYSTEM
from cds_service.cli.main import main
from cds_service.insight.sources.audit_log import LogRows
from cds_service.insight.usage.report_figures import all_weeks, as_data, rates
from cds_service.insight.usage.report_page import report_page
from cds_service.insight.usage.statistics import NO_REASON, count
from cds_service.reports.content import Figures, Table
from cds_service.reports.plots import Histogram, StackedBars
from cds_service.reports.printable import printable
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from tests.unit.audit.samples import audit_log, feedback_record, hook_record

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from cds_service.audit.records import FeedbackRecord, HookRecord
    from cds_service.insight.usage.statistics import Statistics
    from cds_service.reports.content import Block

BERLIN = ZoneInfo("Europe/Berlin")
# Sunday evening in UTC, Monday of the next ISO week in Berlin (summer time).
SUNDAY = datetime(2026, 6, 7, 22, 30, tzinfo=UTC)
_HOOK = hook_record()


def hook(card: str | None = None, *, time: datetime = SUNDAY, **changes: Any) -> HookRecord:
    """A hook as recorded; shown with its card unless told otherwise."""
    members = {"card": card, "shown": card is not None, "time": time, "presentation": ""}
    return msgspec.structs.replace(_HOOK, **{**members, **changes})


def counted(*records: HookRecord | FeedbackRecord, **period: datetime | None) -> Statistics:
    return count(LogRows(records, BERLIN), period.get("since"), period.get("until"), SII_RECURRENCE_RISK)


def test_report_week_is_the_iso_week_at_the_site() -> None:
    told = counted(hook(time=SUNDAY), hook(time=SUNDAY - timedelta(hours=1)))

    assert {name: week.hooks for name, week in told.weeks.items()} == {"2026-W24": 1, "2026-W23": 1}


def test_report_week_without_hooks_stands_between_the_others() -> None:
    told = counted(hook(time=SUNDAY), hook(time=SUNDAY + timedelta(days=14)))

    assert {name: week.hooks for name, week in all_weeks(told).items()} == {"2026-W24": 1, "2026-W25": 0, "2026-W26": 1}


def test_report_weeks_pass_the_turn_of_a_year_with_53_weeks() -> None:
    told = counted(hook(time=datetime(2026, 12, 27, tzinfo=UTC)), hook(time=datetime(2027, 1, 6, tzinfo=UTC)))

    assert list(all_weeks(told)) == ["2026-W52", "2026-W53", "2027-W01"]


def test_report_feedback_counts_in_the_week_of_its_card() -> None:
    late = SUNDAY + timedelta(days=30)
    told = counted(hook("a"), hook("b", client="other"), feedback_record("a", time=late))

    assert told.weeks["2026-W24"].answers["overridden"] == 1
    assert told.clients["main-ehr"].answers["overridden"] == 1
    assert (told.clients["other"].answers["overridden"], told.clients["other"].unanswered) == (0, 1)
    assert told.total.override_reasons == {"residual-disease": 1}


@pytest.mark.parametrize(
    ("feedback", "answered", "told", "reason"),
    [
        ([("a", "accepted")], (1, 0), {"feedback_items": 1}, "one answer"),
        ([("a", "accepted"), ("a", "overridden")], (0, 1), {"feedback_repeated": 1}, "the last one counts"),
        ([("a", "overridden"), ("a", "overridden")], (0, 1), {"feedback_repeated": 1}, "a repeat is no second card"),
        ([("123456", "overridden")], (0, 0), {"feedback_unknown": 1}, "a card nobody knows"),
        ([("quiet", "overridden")], (0, 0), {"feedback_not_shown": 1}, "a card of silent mode"),
        ([("old", "overridden")], (0, 0), {"feedback_items": 0}, "a card of the time before"),
    ],
)
def test_report_feedback_is_joined(
    feedback: list[tuple[str, str]], answered: tuple[int, int], told: dict[str, int], reason: str
) -> None:
    hooks = [hook("old", time=SUNDAY - timedelta(days=1)), hook("a"), hook("quiet", shown=False)]
    answers = [feedback_record(card, outcome=outcome, time=SUNDAY) for card, outcome in feedback]
    found = counted(*hooks, *answers, since=SUNDAY)

    assert (found.total.answers["accepted"], found.total.answers["overridden"]) == answered, reason
    assert {name: getattr(found, name) for name in told} == told, reason


def test_report_override_without_a_reason_is_counted_as_such() -> None:
    assert counted(hook("a"), feedback_record("a", reason_code=None)).total.override_reasons == {NO_REASON: 1}


def test_report_presentation_of_old_and_new_records() -> None:
    told = counted(
        hook("a"),
        hook("b", shown=False),
        hook("c", shown=False, presentation="snoozed"),
        hook("d", shown=False, presentation="silent"),
        hook(),
    )

    assert tuple(told.total.presentations[how] for how in ("shown", "silent", "snoozed")) == (1, 2, 1)


def test_report_rates_have_the_whole_they_belong_to() -> None:
    outcomes = [
        "above-cutoff",
        "not-above-cutoff",
        "indeterminate",
        "indeterminate",
        "not-eligible",
        "data-unavailable",
    ]
    told = counted(*(hook(outcome=outcome) for outcome in outcomes), hook("a", outcome="above-cutoff"))

    assert [(rate.part, rate.whole) for rate in rates(told.total)] == [(1, 7), (2, 5), (2, 3), (0, 1), (0, 1), (1, 1)]


def test_report_override_reason_of_another_list_is_told_with_its_system() -> None:
    told = counted(
        hook("a"),
        hook("b"),
        feedback_record("a", reason_code="3", reason_system="urn:ehr"),
        feedback_record("b", reason_code="already-known", reason_system=OVERRIDE_REASON_SYSTEM),
    )

    assert told.total.override_reasons == {"3 (urn:ehr)": 1, "already-known": 1}


@pytest.mark.parametrize(
    ("sii", "near"), [("405.08", 1), ("490.08", 1), ("490.09", 0), ("320.08", 1), ("320.07", 0), (None, 0)]
)
def test_report_near_the_cutoff_is_within_85(sii: str | None, near: int) -> None:
    assert counted(hook(sii=sii)).near_cutoff == near


@pytest.mark.parametrize("sii", ["0.001", "10", "399.9", "99999999"])
def test_report_each_sii_falls_into_one_span(sii: str) -> None:
    assert sum(counted(hook(sii=sii)).index) == 1


def test_report_data_without_any_hook() -> None:
    data = as_data(counted())

    assert (data["first_hook"], data["weeks"], data["total"]["hooks"], data["decide_ms"]) == (None, {}, 0, None)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "log"
    writer = audit_log(directory, key=None)
    for card in ("a", "b"):
        writer.append(hook("\x1b[31m" + card, client="\x1b[31mehr", time=SUNDAY))
    writer.append(feedback_record("\x1b[31ma", time=SUNDAY, reason_code="<b>bold</b>"))
    return directory


def report(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", "report", *map(str, arguments)])


def test_report_summary_on_the_terminal(log: Path) -> None:
    result = report("--directory", log)

    assert result.exit_code == 0
    assert "2 hook calls" in result.stdout
    assert ["Cards", "overridden,", "of", "shown", "50.0", "%", "1", "2"] in map(str.split, result.stdout.splitlines())
    assert "\x1b" not in result.stdout, "control characters do not reach the terminal"


def test_report_page_and_json(log: Path, tmp_path: Path) -> None:
    result = report("--directory", log, "--html", tmp_path / "r.html", "--json", tmp_path / "r.json")

    assert result.exit_code == 0, result.output
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold</b>" not in page
    assert page.count("<svg ") == 6
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["total"]["cards"] == {
        "shown": 2,
        "accepted": 0,
        "overridden": 1,
        "not_answered": 1,
        "silent": 0,
        "snoozed": 0,
    }
    assert data["reasons"]["overridden"] == {"<b>bold</b>": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "r.html", "r.json"], "no half file is left"


@pytest.mark.parametrize("code", ["a\x1bb", "a\x00b", "a\ufffeb", "\u202eb", "x  1\n\nCards\n  accepted  99"])
def test_report_reason_code_with_control_characters_forges_nothing(code: str, log: Path, tmp_path: Path) -> None:
    audit_log(log, key=None).append(feedback_record("\x1b[31mb", time=SUNDAY, reason_code=code))
    result = report("--directory", log, "--html", tmp_path / "r.html", "--json", tmp_path / "r.json")

    assert result.exit_code == 0, result.output
    assert result.stdout.replace("\n", "").isprintable()
    assert "Cards" not in result.stdout.splitlines(), "no figure stands there that was not counted"
    assert printable(code) in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert code in json.loads((tmp_path / "r.json").read_text())["reasons"]["overridden"], "as it was sent"


def test_report_csv_and_json_without_file_go_where_they_were_asked_for(log: Path, tmp_path: Path) -> None:
    as_csv, as_json = report("--directory", log, "--csv", tmp_path / "r.csv"), report("--directory", log, "--json")

    rows = list(csv.reader((tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert any({"Cards overridden, of shown", "50.0 %"} <= set(row) for row in rows)
    assert "Summary" in as_csv.stdout, "the summary is printed beside a file"
    assert json.loads(as_json.stdout)["total"]["hooks"] == 2


def test_report_page_tells_one_of_something_without_a_plural_and_thousands_apart() -> None:
    told = counted(*(hook("a"),) * 1_234)
    (figures,) = (block for block in told_by(told, "summary") if isinstance(block, Figures))
    notes = {figure.label: (figure.value, figure.note) for figure in figures.items}

    assert notes["Hook calls"] == ("1,234", "1 user")
    assert notes["Cards shown"] == ("1,234", "for 1 patient, at most 1,234 for one")


def test_report_page_draws_eligible_patients_by_themselves() -> None:
    told = counted(*(hook(outcome="not-eligible"),) * 900, hook(outcome="above-cutoff"), hook(outcome="indeterminate"))
    plots = {block.id: block for block in told_by(told, "weeks") if isinstance(block, StackedBars)}

    assert {one.name: sum(one.values) for one in plots["eligible-by-week"].series} == {
        "above-cutoff": 1,
        "not-above-cutoff": 0,
        "indeterminate": 1,
    }
    assert {one.name: sum(one.values) for one in plots["hooks-by-week"].series} == {"eligible": 2, "not-eligible": 900}
    assert [one.name for one in plots["answers-by-week"].series if one.neutral] == ["not answered"]


def test_report_page_times_are_those_of_the_site_with_their_offset() -> None:
    (_, versions, _) = told_by(counted(hook(time=SUNDAY)), "basis")

    assert isinstance(versions, Table)
    assert versions.rows[0][3] == "2026-06-08 00:30+02:00"


def test_report_page_values_that_the_log_does_not_hold_are_no_values_far_from_the_cutoff() -> None:
    (plot,) = told_by(
        counted(hook(outcome="above-cutoff", sii=None), hook(outcome="above-cutoff", sii="410")), "values"
    )

    assert isinstance(plot, Histogram)
    assert plot.description.startswith("1 of 1 lies within 85 of the cut-off")


def told_by(told: Statistics, section: str) -> tuple[Block, ...]:
    (found,) = (one for one in report_page(told, "log", BERLIN, "1.0.0").sections if one.id == section)
    return found.blocks


def test_report_json_to_standard_output_is_json_alone(log: Path) -> None:
    assert json.loads(report("--directory", log, "--json", "-").stdout)["total"]["hooks"] == 2


def test_report_without_matplotlib_keeps_the_other_outputs(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = report("--directory", log, "--html", tmp_path / "r.html", "--json", tmp_path / "r.json")

    assert result.exit_code == 1
    assert "pip install --require-hashes -r requirements.lock" in result.stderr
    assert "2 hook calls" in result.stdout
    assert (tmp_path / "r.json").exists()
    assert not (tmp_path / "r.html").exists()


@pytest.fixture
def two_clients(tmp_path: Path) -> Path:
    """A log of two calls of one client and one of another, each card overridden."""
    writer = audit_log(tmp_path / "two")
    for card, client in (("a", "main-ehr"), ("b", "main-ehr"), ("c", "other-ehr")):
        writer.append(hook(card, client=client, time=SUNDAY))
        writer.append(feedback_record(card, client=client, time=SUNDAY))
    writer.close()
    return tmp_path / "two"


@pytest.mark.parametrize(("client", "hooks"), [("main-ehr", 2), ("other-ehr", 1)])
def test_report_client_alone_counts_its_hooks_and_feedback(two_clients: Path, client: str, hooks: int) -> None:
    whole = json.loads(report("--directory", two_clients, "--json").stdout)
    alone = json.loads(report("--directory", two_clients, "--client", client, "--json").stdout)

    assert list(alone["clients"]) == [client]
    assert alone["total"] == whole["clients"][client]
    assert (alone["total"]["hooks"], alone["feedback"]["items"], alone["feedback"]["unknown_cards"]) == (
        hooks,
        hooks,
        0,
    )
    assert f"client {client} alone" in " ".join(report("--directory", two_clients, "--client", client).stdout.split())


@pytest.mark.parametrize(("name", "reason"), [("nobody", "no client of the log"), ("", "an unset variable")])
def test_report_unknown_client_exit_2_and_the_known_ones_are_named(two_clients: Path, name: str, reason: str) -> None:
    result = report("--directory", two_clients, "--client", name)

    assert result.exit_code == 2, reason
    assert "known are: main-ehr, other-ehr" in " ".join(result.stderr.split()), reason


def test_report_of_an_empty_period_says_so(log: Path, tmp_path: Path) -> None:
    result = report("--directory", log, "--since", "2030-01-01", "--html", tmp_path / "r.html")

    assert result.exit_code == 0
    assert "No hook call in this period." in result.stdout
    assert "No hook call in this period." in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_report_unreadable_line_exit_1_and_told_on_the_page(log: Path, tmp_path: Path) -> None:
    file = next(log.glob("*.jsonl"))
    file.write_bytes(file.read_bytes() + b"garbage\n")
    result = report("--directory", log, "--html", tmp_path / "r.html")

    assert result.exit_code == 1
    assert "lines that cannot be read: 1" in result.stderr
    assert "cannot be read and are not counted: 1." in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--directory", "nowhere"), 1, "the audit log cannot be read: No such file or directory"),
        (("--directory", "log", "--json", "nowhere/r.json"), 1, "nowhere/r.json: cannot be written: No such file"),
        (("--directory", "log", "--since", "2026-13-01"), 2, "is not an ISO 8601 date"),
        (
            ("--directory", "log", "--service", "sii"),
            2,
            "--service: there is no CDS Service 'sii'; known are: sii-recurrence-risk",
        ),
    ],
)
def test_report_wrong_input_one_sentence(
    arguments: tuple[str, ...], code: int, text: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(log.parent)
    result = report(*arguments)

    assert result.exit_code == code
    assert text in result.stderr
    assert "Traceback" not in result.output
