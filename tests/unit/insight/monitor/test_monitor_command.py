"""The command: exit codes, what it prints, what it writes, and what it says about wrong input."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from cds_service.cli.main import main
from tests.support.hospital_log.judging import simulated_day
from tests.support.hospital_log.malfunctions import MALFUNCTIONS
from tests.support.hospital_log.simulation import Hospital
from tests.support.hospital_log.writing import write_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BROKEN = next(one for one in MALFUNCTIONS if one.name == "search of conditions fails for 1 in 20")
UNTIL = ("--until", str(simulated_day(69)))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of ten sound weeks."""
    directory = tmp_path_factory.mktemp("sound")
    write_log(directory, [Hospital(60, 2)], 70)
    return directory


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log whose last six days are not sound."""
    directory = tmp_path_factory.mktemp("broken")
    write_log(directory, [Hospital(300, 2, BROKEN, 64)], 70)
    return directory


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["monitor", *map(str, arguments)], catch_exceptions=False)


def test_monitor_sound_log_exits_0_and_says_so(sound: Path) -> None:
    result = run("--directory", sound, *UNTIL)

    assert result.exit_code == 0
    assert "No finding: all is as usual." in result.output
    assert re.search(r"^  usual +\d", result.output, re.MULTILINE)
    assert re.search(r"a probability below 0\.0000\d;", result.output)


def test_monitor_open_finding_exits_1_with_cause_and_numbers(broken: Path) -> None:
    result = run("--directory", broken, *UNTIL)

    assert result.exit_code == 1
    assert "OPEN     data-unavailable conditions" in result.output
    assert f"since {simulated_day(64)}" in result.output
    for part in ("Likely:", "Look at:", "usually 0"):
        assert part in result.output


def test_monitor_json_holds_findings_and_every_day(broken: Path) -> None:
    result = run("--directory", broken, *UNTIL, "--json")
    told = json.loads(result.output)

    found = next(one for one in told["findings"] if one["id"] == "data-unavailable")
    assert (found["first_day"], found["days_to_detection"]) == (str(simulated_day(64)), 0)
    assert found["evidence"][0]["count"] > found["evidence"][0]["baseline_count"]
    days = told["clients"][0]["days"]
    assert days[-1]["day"] == str(simulated_day(69))
    assert {"hooks", "eligible_rate", "firing_rate", "medians", "latency_ms", "override_reasons"} <= days[-1].keys()


def test_monitor_several_directories_are_one_log(sound: Path, broken: Path) -> None:
    numbers = [
        json.loads(run(*arguments, *UNTIL, "--json").output)["records"] for arguments in _directories(sound, broken)
    ]

    assert numbers[2] == numbers[0] + numbers[1]


def _directories(one: Path, other: Path) -> Sequence[tuple[str | Path, ...]]:
    return (("--directory", one), ("--directory", other), ("--directory", one, "--directory", other))


def test_monitor_metrics_are_readable_and_name_no_patient(broken: Path, tmp_path: Path) -> None:
    target = tmp_path / "sii_cds_monitor.prom"
    run("--directory", broken, *UNTIL, "--metrics", target)
    text = target.read_text()
    families = {family.name: family for family in text_string_to_metric_families(text)}

    found = {
        tuple(sample.labels.values()): sample.value for sample in families["sii_cds_monitor_open_findings"].samples
    }
    assert found["main-ehr", "data-unavailable"] == 1 or found["data-unavailable", "main-ehr"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert "Practitioner" not in text


def test_monitor_html_report_stands_alone(broken: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    result = run("--directory", broken, *UNTIL, "--html", target)
    page = target.read_text()

    assert result.exit_code == 1
    assert page.count("<svg") >= 4
    assert "Required data cannot be had" in page
    assert "Practitioner" not in page


def test_monitor_young_log_is_said_to_have_no_baseline(sound: Path) -> None:
    result = run("--directory", sound, "--until", simulated_day(10).isoformat())

    assert result.exit_code == 0
    assert "main-ehr is not judged: it has a baseline of 9 complete days, and 21 are needed." in result.output


def test_monitor_names_of_clients_forge_no_line(tmp_path: Path) -> None:
    write_log(tmp_path, [Hospital(60, 2, client="a\x1b[2J\nNo finding: all is as usual.")], 12)
    result = run("--directory", tmp_path, "--until", simulated_day(10))

    assert result.output.replace("\n", "").isprintable()
    assert "No finding: all is as usual." not in result.output.splitlines()


def test_monitor_timezone_moves_records_to_its_days(sound: Path) -> None:
    # The made-up hospital writes at noon in UTC: that is the next day thirteen hours to the east.
    outputs = [run("--directory", sound, *UNTIL, "--timezone", zone, "--json").output for zone in ("UTC", "Etc/GMT-13")]
    days = [[day["hooks"] for day in json.loads(output)["clients"][0]["days"]] for output in outputs]

    assert days[1][1:] == days[0][:-1]


def test_monitor_unreadable_line_exits_1(sound: Path, tmp_path: Path) -> None:
    for path in sound.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    newest = max(tmp_path.glob("*.jsonl"))
    newest.write_bytes(newest.read_bytes() + b"no record\n")

    result = run("--directory", tmp_path, *UNTIL)

    assert result.exit_code == 1
    assert "Lines that cannot be read: 1; run sii-cds audit verify." in result.output


@pytest.mark.parametrize(
    ("arguments", "said", "reason"),
    [
        (("--directory", "nowhere"), "nowhere: the audit log cannot be read: No such file or directory", "no log"),
        (("--since", "yesterday"), "'yesterday' is not a day such as 2026-01-31", "no day"),
        (("--since", "2024-03-01", "--until", "2024-02-01"), "no complete day to judge", "the wrong way round"),
        (("--since", "0001-01-01"), "no log reaches to the days asked for", "the first day of the calendar"),
        (("--until", "0001-01-01"), "no log reaches to the days asked for", "nor this"),
        (("--baseline-since", "0001-01-01"), "no log reaches to the days asked for", "nor this"),
        (("--baseline-until", "9999-12-31"), "no log reaches to the days asked for", "the last one"),
        (
            ("--since", "2024-03-10", "--until", "2024-03-10", "--leave-out", "2024-03-10"),
            "all days from 2024-03-10 to 2024-03-10 are left out",
            "nothing remains to judge",
        ),
        (("--false-alarms", "0"), "--false-alarms", "a limit that never signals"),
        (("--timezone", "Europe/Bremen"), "is not a time zone", "no zone"),
        (
            ("--timezone", "CEST"),
            "is no time zone but an abbreviation",
            "the nearest name is far away",
        ),
        (("--timezone", "../etc"), "is not a time zone", "no path either"),
        (("--baseline-days", "7"), "--baseline-days", "too short to tell what is usual"),
        (("--config", "nowhere.yaml"), "nowhere.yaml", "no configuration"),
    ],
)
def test_monitor_wrong_input_exits_2_with_a_sentence(
    arguments: tuple[str, ...], said: str, reason: str, sound: Path
) -> None:
    named = () if {"--directory", "--config"} & {*arguments} else ("--directory", sound)
    result = run(*named, *arguments)

    assert result.exit_code == 2, reason
    assert said in result.output
    assert "Traceback" not in result.output


def test_monitor_empty_directory_exits_2(tmp_path: Path) -> None:
    result = run("--directory", tmp_path)

    assert result.exit_code == 2
    assert f"{tmp_path}: there is no record since" in result.output


def test_monitor_log_without_hooks_exits_1(tmp_path: Path) -> None:
    write_log(tmp_path, [], 60)
    result = run("--directory", tmp_path, "--until", simulated_day(59).isoformat())

    assert result.exit_code == 1
    assert "nobody calls this service" in result.output


def test_monitor_log_that_ended_is_found_to_have_stopped(sound: Path) -> None:
    result = run("--directory", sound, "--until", simulated_day(76).isoformat())

    assert result.exit_code == 1
    assert f"OPEN     hooks-stopped\n  No hooks arrive at main-ehr since {simulated_day(70)}" in result.output


def test_monitor_client_left_out_is_ignored(broken: Path) -> None:
    result = run("--directory", broken, *UNTIL, "--leave-out-client", "main-ehr")

    assert "data-unavailable" not in result.output


def test_monitor_baseline_with_a_change_in_it_is_said_not_to_be_steady(broken: Path) -> None:
    days = ("--baseline-since", simulated_day(22), "--baseline-until", simulated_day(68), "--since", simulated_day(69))
    result = run("--directory", broken, *UNTIL, *days)

    assert "The baseline is not steady: Required data cannot be had (conditions) at main-ehr" in result.output


def test_monitor_one_client_alone_is_judged(sound: Path, tmp_path: Path) -> None:
    write_log(tmp_path, [Hospital(60, 2), Hospital(60, 3, client="other-ehr")], 70)
    clients = json.loads(run("--directory", tmp_path, *UNTIL, "--client", "other-ehr", "--json").output)["clients"]

    assert [one["client"] for one in clients] == ["other-ehr"]


@pytest.mark.parametrize("option", ["--client", "--leave-out-client"])
def test_monitor_client_that_nobody_knows_is_refused_with_the_known_ones(option: str, sound: Path) -> None:
    result = run("--directory", sound, *UNTIL, option, "main-her")

    assert result.exit_code == 2
    assert f"{option}: there is no client 'main-her'; known are: main-ehr" in result.output


def test_monitor_client_of_the_configuration_without_hooks_is_known(sound: Path, tmp_path: Path) -> None:
    file = tmp_path / "sii-cds.yaml"
    file.write_text(f"""\
service: {{public_url: "https://cds.hospital.example", timezone: Asia/Tokyo}}
audit: {{directory: {json.dumps(str(sound))}}}
clients:
  - name: new-ehr
    issuer: https://ehr.hospital.example
    jwks_url: https://ehr.hospital.example/jwks
""")
    result = run("--config", file, *UNTIL, "--client", "new-ehr")

    assert result.exit_code == 1
    assert "nobody calls this service" in result.output


def test_monitor_times_carry_the_offset_of_the_zone(sound: Path) -> None:
    assert re.search(
        r"Made: \d{4}-\d\d-\d\d \d\d:\d\d\+09:00", run("--directory", sound, *UNTIL, "--timezone", "Asia/Tokyo").output
    )


@pytest.mark.parametrize(("columns", "lacking"), [(120, ()), (100, ("SII",)), (70, ("SII", "Cards", "Unavailable"))])
def test_monitor_days_of_a_narrow_terminal_are_one_line_each(
    columns: int, lacking: tuple[str, ...], sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run("--directory", sound, *UNTIL).output.splitlines()
    (head,) = (line for line in lines if line.startswith("  Day "))

    assert [name for name in ("SII", "Cards", "Unavailable") if name not in head] == list(lacking)
    assert sum(bool(re.match(r"  \w{3} 2024-\d\d-\d\d  ", line)) for line in lines) == 7


@pytest.mark.parametrize(("option", "begins"), [("--json", "{"), ("--csv", "section,"), ("--html", "<!doctype html>")])
def test_monitor_other_form_goes_to_standard_output_alone(sound: Path, option: str, begins: str) -> None:
    assert run("--directory", sound, *UNTIL, option, "-").output.startswith(begins)


@pytest.mark.parametrize("option", ["--html", "--json", "--csv", "--metrics"])
def test_monitor_file_that_cannot_be_written_exits_2(sound: Path, tmp_path: Path, option: str) -> None:
    target = tmp_path / "nowhere" / "report"
    result = run("--directory", sound, *UNTIL, option, target)

    assert result.exit_code == 2
    assert f"{target}: cannot be written: No such file or directory" in result.output
