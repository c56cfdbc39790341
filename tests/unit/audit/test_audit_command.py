"""sii-cds audit verify and search: exit codes, sentences, and which log they are about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.state.chain_heads import HeadKeeper
from tests.unit.audit.samples import KEY, OTHER_KEY, Clock, audit_log, feedback_record, files_of, hook_record

if TYPE_CHECKING:
    from click.testing import Result

SITE = """
service: {timezone: Asia/Tokyo}
authentication: {required: false}
audit: {directory: log, hmac_key_file: key, pseudonymize_patient: true}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration with a log of two patients beside it."""
    (tmp_path / "sii-cds.yaml").write_text(SITE)
    (tmp_path / "key").write_bytes(KEY)
    keeper = HeadKeeper(f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "log")
    log = audit_log(tmp_path / "log", clock=Clock(), on_head=keeper.keep, head_seconds=60)
    for patient in ("p1", "p2"):
        log.append(hook_record(patient=patient, request_id=patient, pseudonym_key=KEY))
    log.append(feedback_record())
    log.close()
    return tmp_path


def audit(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


def configured(site: Path, *arguments: str) -> Result:
    return audit(*arguments[:1], "--config", site / "sii-cds.yaml", *arguments[1:])


def cut_last_line(site: Path) -> None:
    path = files_of(site / "log")[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def test_verify_whole_log_exit_0_with_counts_and_head(site: Path) -> None:
    result = configured(site, "verify")

    assert result.exit_code == 0
    assert "4 records in 1 file are whole (1 feedback, 2 hook, 1 opened)" in result.stdout
    assert "chain head 4:" in result.stdout
    assert "note" not in result.stdout


def test_verify_configuration_from_the_environment(site: Path) -> None:
    result = CliRunner().invoke(main, ["audit", "verify"], env={"SII_CDS_CONFIG": str(site / "sii-cds.yaml")})

    assert result.exit_code == 0


def test_verify_changed_record_exit_1_and_named(site: Path) -> None:
    path = files_of(site / "log")[0]
    path.write_bytes(path.read_bytes().replace(b'"request_id":"p2"', b'"request_id":"p3"'))
    result = configured(site, "verify")

    assert result.exit_code == 1
    assert f"{path}:3: record 3 was changed" in result.stderr


def test_verify_newest_record_removed_exit_1_by_the_head_in_the_state_store(site: Path) -> None:
    cut_last_line(site)
    result = configured(site, "verify")

    assert result.exit_code == 1
    assert "record 4 is missing" in result.stderr


def test_verify_directory_needs_no_configuration_but_the_key(site: Path) -> None:
    arguments = ("verify", "--directory", site / "log", "--key-file", site / "key")

    assert audit(*arguments).exit_code == 0
    assert "no chain head is kept" in audit(*arguments).stdout
    assert "key that is not at hand" in audit(*arguments[:3]).stderr


def test_verify_head_of_the_operational_log_is_taken(site: Path) -> None:
    head = configured(site, "verify").stdout.partition("chain head ")[2].partition(" ")[0]
    arguments = ("verify", "--directory", site / "log", "--key-file", site / "key", "--head", head)
    assert audit(*arguments).exit_code == 0
    cut_last_line(site)

    assert audit(*arguments).exit_code == 1


def test_verify_log_without_key_says_what_that_proves(tmp_path: Path) -> None:
    audit_log(tmp_path, key=None)

    assert "note: chained without a key" in audit("verify", "--directory", tmp_path).stdout


def test_verify_keyed_log_without_its_key_does_not_say_that_it_has_none(site: Path) -> None:
    result = audit("verify", "--directory", site / "log")

    assert result.exit_code == 1
    assert "chained without a key" not in result.output
    assert "key that is not at hand" in result.stderr


def test_verify_directory_takes_keys_in_any_order(site: Path) -> None:
    """Without a configuration no key is the site's: the first one given may be the oldest."""
    (site / "new").write_bytes(OTHER_KEY)
    audit_log(site / "log", key=OTHER_KEY).append(hook_record())
    keys = ("--key-file", site / "key", "--key-file", site / "new")

    assert audit("verify", "--directory", site / "log", *keys).exit_code == 0
    result = configured(site, "verify", "--key-file", str(site / "new"))
    assert result.exit_code == 1, "the site's key is the one of its configuration"
    assert "not chained with the site's key" in result.stderr


@pytest.mark.parametrize(
    ("name", "sentence", "reason"),
    [
        ("nowhere", "the audit log cannot be read: No such file or directory", "missing directory"),
        (".", "there is no audit log in this directory", "a directory, but no log"),
        ("key", "cannot be read: Not a directory", "a file"),
    ],
)
def test_verify_no_log_exit_1_with_a_sentence(site: Path, name: str, sentence: str, reason: str) -> None:
    result = audit("verify", "--directory", site / name)

    assert result.exit_code == 1, reason
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "reason"),
    [
        (["verify", "--head", "17"], 2, "no link"),
        (["verify", "--head", "17:" + "g" * 64], 2, "no hexadecimal digits"),
        (["verify", "--head", "0:" + "0" * 64], 2, "records are counted from 1"),
        (["verify", "--head", "\u0661:" + "0" * 64], 2, "a digit, but none of ours"),
        (["verify", "--head", "9" * 5000 + ":" + "0" * 64], 2, "more digits than any number of a record has"),
        (["search", "--since", "yesterday"], 2, "no ISO 8601"),
        (["search", "--since", "2026-02-30"], 2, "no date of the calendar"),
        (["search", "--until", "9999-W52"], 2, "a week that ends outside the calendar"),
        (["search", "--since", "2026-11"], 2, "a month is no date: which of its days is meant?"),
        (["verify", "--key-file", "nowhere"], 1, "the key cannot be read"),
        (["replace"], 2, "unknown subcommand"),
    ],
)
def test_wrong_arguments_exit_code(site: Path, arguments: list[str], exit_code: int, reason: str) -> None:
    result = audit(arguments[0], "--directory", site / "log", *arguments[1:])

    assert result.exit_code == exit_code, reason
    assert "Traceback" not in result.output


@pytest.mark.parametrize("patient", ["p1", "Patient/p1"])
def test_search_patient_by_plain_id_finds_pseudonymized_records(site: Path, patient: str) -> None:
    result = configured(site, "search", "--patient", patient, "--json")

    assert result.exit_code == 0
    assert [json.loads(line)["request_id"] for line in result.stdout.splitlines()] == ["p1"]


@pytest.mark.parametrize(
    ("arguments", "found", "reason"),
    [
        (["--since", "2026-03-10"], 3, "a date begins in service.timezone: 15:00 UTC of the day before"),
        (["--until", "2026-03-09"], 0, "and ends there"),
        (["--until", "2026-03-10"], 3, "the whole day is included"),
        (["--since", "2026-03-10T00:30:01"], 0, "a time without zone is in service.timezone"),
        (["--since", "2026-03-09T15:30:00Z"], 3, "a time with zone is taken as it is"),
        (["--user", "Practitioner/p", "--outcome", "above-cutoff"], 2, "conditions hold together"),
        (["--outcome", "not-eligible"], 0, "nothing found is fine"),
    ],
)
def test_search_conditions_of_the_command_line(site: Path, arguments: list[str], found: int, reason: str) -> None:
    result = configured(site, "search", "--json", *arguments)

    assert (result.exit_code, len(result.stdout.splitlines())) == (0, found), reason


@pytest.mark.parametrize(
    ("since", "until", "found", "reason"),
    [
        ("20260310", "20260310", 3, "ISO 8601, basic format of a day"),
        ("20260311", None, 0, "the day after"),
        ("2026-W11-2", "2026W112", 3, "a day of a week"),
        ("2026-W11", "2026W11", 3, "a week means its first or last moment"),
        (None, "2026-W10", 0, "the week before"),
        ("2026-W12", None, 0, "the week after"),
        ("20260310T003000", "20260310T003000+0900", 3, "basic format of a date-time"),
        ("0001-01-01", "9999-12-31", 3, "the ends of the calendar"),
    ],
)
def test_search_dates_in_every_form_of_iso_8601(
    site: Path, since: str | None, until: str | None, found: int, reason: str
) -> None:
    ends = [*(("--since", since) if since else ()), *(("--until", until) if until else ())]
    result = configured(site, "search", "--json", *ends)

    assert (result.exit_code, len(result.stdout.splitlines())) == (0, found), reason


def test_search_table_has_one_heading(site: Path) -> None:
    lines = configured(site, "search").stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["TIME"] + ["2026-03-10T00:30:00+09:00"] * 3


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_search_totals_stand_on_standard_error_and_nowhere_else(site: Path, form: list[str]) -> None:
    result = configured(site, "search", *form)
    totals = "3 records match: 2 hook calls, 1 feedback item (2 above-cutoff, 1 overridden)."

    assert result.stderr.splitlines()[-1] == totals
    assert totals not in result.stdout


def test_search_json_is_json_lines_and_nothing_else(site: Path) -> None:
    lines = configured(site, "search", "--json").stdout.splitlines()

    assert [json.loads(line)["kind"] for line in lines] == ["hook", "hook", "feedback"]


def test_search_csv_goes_to_a_file_or_to_standard_output(site: Path) -> None:
    printed = configured(site, "search", "--csv", "--patient", "p1").stdout
    written = configured(site, "search", "--patient", "p1", "--csv", str(site / "found.csv"))

    assert written.stdout == ""
    assert (site / "found.csv").read_text(encoding="utf-8") == printed
    assert [line.split(",")[0] for line in printed.splitlines()] == ["record", "2"]


@pytest.mark.parametrize(
    ("arguments", "told", "reason"),
    [
        (
            ["--client", "nobody"],
            "there is no client 'nobody'; known are: main-ehr",
            "an empty answer looks like quiet",
        ),
        (["--client", ""], "there is no client ''", "an unset variable of a shell"),
        (["--patient", ""], "is empty", "the same"),
        (["--encounter", " "], "is empty", "it would match every call without encounter"),
        (["--json", "--csv"], "both go to standard output", "neither could be read"),
        (["--json", "--csv", "-"], "both go to standard output", "the same by its name"),
    ],
)
def test_search_wrong_condition_exit_2(site: Path, arguments: list[str], told: str, reason: str) -> None:
    result = configured(site, "search", *arguments)

    assert result.exit_code == 2, reason
    assert told in " ".join(result.stderr.split()), reason


def test_search_client_of_the_configuration_may_be_quiet(site: Path) -> None:
    """It is known, so that no call of it was recorded is the answer."""
    client = (
        "clients: [{name: new-ehr, issuer: 'https://e.example', jwks_url: 'https://e.example/k', algorithms: [ES384]}]"
    )
    (site / "sii-cds.yaml").write_text(SITE + client + "\n")
    result = configured(site, "search", "--client", "new-ehr")

    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert "No record matches." in result.stderr


def test_search_damaged_log_prints_what_is_there_and_exits_1(site: Path) -> None:
    path = files_of(site / "log")[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"garbage\n", *lines[2:]]))
    result = configured(site, "search", "--json")

    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert "lines that cannot be read: 1" in result.stderr


@pytest.mark.parametrize("arguments", [("search",), ("search", "--json"), ("export", "--fhir"), ("replay",)])
def test_reader_that_goes_away_is_no_fault_of_the_log(site: Path, arguments: tuple[str, ...]) -> None:
    """As in `sii-cds audit search | head -1`: the pipe is closed before anything is written."""
    read, write = os.pipe()
    os.close(read)
    program = Path(sys.executable).with_name("sii-cds")
    command: list[str | Path] = [program, "audit", *arguments, "--config", site / "sii-cds.yaml"]
    try:
        answer = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)

    assert "cannot be read" not in answer.stderr
    assert "Traceback" not in answer.stderr


def test_search_without_a_match_says_so(site: Path) -> None:
    result = configured(site, "search", "--patient", "nobody")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("\nNo record matches.\n")


@pytest.mark.parametrize("keys", [(), ("other",)])
def test_search_patient_without_the_right_key_is_no_clean_answer(site: Path, keys: tuple[str, ...]) -> None:
    (site / "other").write_bytes(OTHER_KEY)
    files = [argument for key in keys for argument in ("--key-file", site / key)]
    result = audit("search", "--directory", site / "log", "--patient", "p1", *files)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "No record matches among those that can be compared.\n"
        f"{files_of(site / 'log')[0]}: has pseudonyms of a key that is not at hand; see --key-file\n"
        "The person may be in these files, too.\n"
    )


@pytest.mark.parametrize(("key", "exit_code", "matches"), [("key", 0, 1), ("other", 1, 0)])
def test_search_user_finds_the_patient_who_asked(site: Path, key: str, exit_code: int, matches: int) -> None:
    (site / "other").write_bytes(OTHER_KEY)
    log = audit_log(site / "portal")
    log.append(hook_record(user="Patient/p1", patient="p1", pseudonym_key=KEY))
    log.append(hook_record(user="Practitioner/p1", patient="p1", pseudonym_key=KEY))
    log.close()
    result = audit("search", "--directory", site / "portal", "--user", "Patient/p1", "--json", "--key-file", site / key)

    assert (result.exit_code, len(result.stdout.splitlines())) == (exit_code, matches)
    assert ("--key-file" in result.stderr) == (exit_code == 1)


def test_search_unknown_outcome_is_a_usage_error(site: Path) -> None:
    result = configured(site, "search", "--outcome", "above")

    assert result.exit_code == 2
    assert "'above' is not one of 'above-cutoff', 'not-above-cutoff'" in result.stderr


@pytest.mark.parametrize("command", [("search",), ("report",), ("export", "--fhir"), ("replay",)])
def test_directory_without_a_log_is_no_empty_answer(command: tuple[str, ...], tmp_path: Path) -> None:
    result = audit(*command, "--directory", tmp_path)

    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path}: there is no audit log in this directory\n"
