"""`sii-cds cohort assess` on what is met in the field: incomplete exports, bad use, full disks, killed runs."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import stat
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.audit.keys import pseudonym
from cds_service.cli.main import main
from cds_service.insight.cohort import part_rows
from tests.support.cohort.assessed import ENVIRONMENT, read_rows
from tests.support.cohort.exports import encode, lines_of, write_export
from tests.support.cohort.stories import (
    RARE,
    cohort,
    died_without_a_date,
    ordinary,
    recurred_without_a_date,
    status_of_today,
)
from tests.support.cohort.synthetic_resources import PLATELETS
from tests.support.serve_command import COMMAND

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.support.cohort.histories import History

HISTORIES = cohort(len(RARE) + 30, seed=41)


def run(*arguments: object, **environment: str) -> Result:
    words = ["cohort", "assess", *map(str, arguments)]
    return CliRunner().invoke(main, words, env={**ENVIRONMENT, **environment})


def command_of(*arguments: object) -> list[str]:
    return [str(COMMAND), "cohort", "assess", *map(str, arguments)]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(tmp_path / "export", lines_of(HISTORIES))


def of(story: str) -> History:
    return next(history for history in HISTORIES if history.story == story)


def row_of(folder: Path, patient: str, design: str) -> dict[str, str]:
    (row,) = [row for row in read_rows(folder) if (row["patient"], row["design"]) == (patient, design)]
    return row


def left_beside(out: Path) -> list[str]:
    """What there is of a folder that should not be there, hidden or not."""
    return [path.name for path in out.parent.iterdir() if out.name in path.name]


BAD_USE = [
    ({"Procedure": []}, 1, "nothing begins follow-up", "no procedures"),
    ({"Patient": [], "Condition": [], "Procedure": [], "Observation": [b"[]"]}, 1, "no line of the export", "nobody"),
]


@pytest.mark.parametrize(("lines", "code", "sentence", "reason"), BAD_USE)
def test_assess_export_without_what_it_takes_is_told_in_a_sentence(
    tmp_path: Path, lines: dict[str, list[bytes]], code: int, sentence: str, reason: str
) -> None:
    write_export(tmp_path / "export", {**lines_of(HISTORIES), **lines})
    result = run(tmp_path / "export", "--out", tmp_path / "out")

    assert result.exit_code == code, reason
    assert sentence in result.output
    assert left_beside(tmp_path / "out") in ([], ["out"])


@pytest.mark.parametrize(
    ("arguments", "sentence", "reason"),
    [
        (["--design", "landmark:0"], "'landmark:0' is no design", "a landmark on the day itself"),
        (["--design", "weekly"], "'weekly' is no design", "an unknown design"),
        (["--outcomes", "{export}/Patient.ndjson"], "needs the columns patient, event, date", "no CSV of outcomes"),
        (["--audit", "{export}"], "there is no audit log in this directory", "another folder"),
        (["--follow-up", "0"], "--follow-up", "no follow-up"),
    ],
)
def test_assess_bad_option_is_a_usage_error(
    tmp_path: Path, export: Path, arguments: list[str], sentence: str, reason: str
) -> None:
    result = run(export, "--out", tmp_path / "out", *(word.format(export=export) for word in arguments))

    assert result.exit_code == 2, reason
    assert sentence in result.output
    assert left_beside(tmp_path / "out") == []


def test_assess_folder_that_is_there_is_left_alone(tmp_path: Path, export: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    result = run(export, "--out", out)

    assert result.exit_code == 2
    assert "is there already" in result.output
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_assess_folder_without_files_names_the_endings(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / "empty", "--out", tmp_path / "out")

    assert (result.exit_code, left_beside(tmp_path / "out")) == (2, [])
    assert "no NDJSON file (.ndjson" in result.output


def test_assess_one_patient_alone(tmp_path: Path) -> None:
    write_export(tmp_path / "export", lines_of([of("died_after_recurrence")]))
    result = run(tmp_path / "export", "--out", tmp_path / "out", "--identifiers", "plain")

    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 patient read")
    assert len(read_rows(tmp_path / "out")) == 3


def test_assess_torn_gzip_costs_the_rest_of_that_file_and_is_named(tmp_path: Path) -> None:
    lines = lines_of(HISTORIES)
    write_export(tmp_path / "whole", lines, zipped=True)
    torn = tmp_path / "torn"
    write_export(torn, lines, zipped=True)
    content = (torn / "Observation.ndjson.gz").read_bytes()
    (torn / "Observation.ndjson.gz").write_bytes(content[: len(content) // 2])
    result = run(torn, "--out", tmp_path / "out", "--identifiers", "plain")
    run_json = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))

    assert result.exit_code == 1
    assert "Observation.ndjson.gz could not be read to its end" in result.output
    assert (tmp_path / "out/problems.jsonl").read_text(encoding="utf-8") == "", "they hold bad lines only"
    (told,) = [file for file in run_json["input"] if file["name"] == "Observation.ndjson.gz"]
    assert 0 < told["lines"] < len(lines["Observation"])
    assert read_rows(tmp_path / "out")


def test_assess_manifest_tells_of_missing_and_short_files_and_caps_follow_up(tmp_path: Path) -> None:
    history = of("died_after_recurrence")
    export = write_export(tmp_path / "export", lines_of([history]))
    base = "https://ehr.hospital.example/files"
    manifest = {
        "transactionTime": f"{history.day(300).isoformat()}T12:00:00Z",
        "output": [
            {"type": "Patient", "url": f"{base}/Patient.ndjson", "count": 1},
            {"type": "Condition", "url": f"{base}/Condition.ndjson", "count": 99},
            {"type": "Observation", "url": f"{base}/Observation.ndjson"},
            {"type": "Procedure", "url": f"{base}/Procedure.ndjson"},
            {"type": "Encounter", "url": f"{base}/Encounter.ndjson?x=1"},
        ],
    }
    (export / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for number, given in enumerate((export, export / "manifest.json")):
        out = tmp_path / f"out{number}"
        result = run(given, "--out", out, "--identifiers", "plain")
        row = row_of(out, history.patient, "baseline")

        assert result.exit_code == 1
        assert "Encounter.ndjson is missing" in result.output
        assert "Condition.ndjson holds 2 lines, and the manifest says 99" in result.output
        assert row["event"] == "0", "the recurrence of day 400 is not known to the export"
        assert int(row["time"]) <= 300


def test_assess_data_cutoff_hides_what_is_later(tmp_path: Path, export: Path) -> None:
    history = of("died_after_recurrence")
    options = ["--out", tmp_path / "out", "--identifiers", "plain", "--data-cutoff", history.day(399).isoformat()]
    assert run(export, *options).exit_code == 0
    row = row_of(tmp_path / "out", history.patient, "baseline")

    assert (row["event"], row["entered"]) == ("0", "1")
    assert int(row["time"]) <= 399


def test_assess_adjudicated_outcomes_stand_in_the_place_of_codes(tmp_path: Path, export: Path) -> None:
    recurred, dead, undated, plain = (
        of(story.__name__) for story in (recurred_without_a_date, died_without_a_date, status_of_today, ordinary)
    )
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text(
        "patient,event,date,comment\n"
        f"{recurred.patient},recurrence,{recurred.day(200)},\n"
        f"Patient/{dead.patient},death,{dead.day(150)},by letter\n"
        f"{undated.patient},none,{undated.day(250)},\n"
        f"{plain.patient},metastasis,{plain.day(95)},\n",
        encoding="utf-8",
    )
    result = run(export, "--out", tmp_path / "out", "--identifiers", "plain", "--outcomes", outcomes)
    found = {h.story: row_of(tmp_path / "out", h.patient, "landmark:90") for h in (recurred, dead, undated, plain)}

    assert result.exit_code == 0, result.output
    told = {story: (row["entered"], row["time"], row["event"]) for story, row in found.items()}
    assert told[recurred.story] == ("1", "110", "1")
    assert told[dead.story][:1] == ("1",)
    assert told[undated.story] == ("1", "160", "0"), "followed to that day, and no longer"
    assert told[plain.story] == ("1", "5", "1")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("patient,event,date\np1,cured,2020-01-01\n", "line 2: event is none of metastasis, recurrence, death, none"),
        ("patient,event,date\np1,death,soon\n", "line 2: date is no day such as 2024-03-01"),
        ("patient,event,date\n,death,2020-01-01\n", "line 2: names no patient"),
    ],
)
def test_assess_outcomes_that_cannot_be_read_name_the_line(
    tmp_path: Path, export: Path, text: str, sentence: str
) -> None:
    (tmp_path / "events.csv").write_text(text, encoding="utf-8")
    result = run(export, "--out", tmp_path / "out", "--outcomes", tmp_path / "events.csv")

    assert (result.exit_code, left_beside(tmp_path / "out")) == (2, [])
    assert sentence in result.output


def test_assess_identifiers_are_pseudonyms_of_a_key_that_is_kept_beside_them(tmp_path: Path, export: Path) -> None:
    old = os.umask(0)
    try:
        assert run(export, "--out", tmp_path / "out").exit_code == 0
    finally:
        os.umask(old)
    key = (tmp_path / "out/pseudonym.key").read_bytes().removesuffix(b"\n")
    named = {row["patient"] for row in read_rows(tmp_path / "out")}

    assert named == {pseudonym(key, history.patient) for history in HISTORIES if history.has_index}
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    for file in (tmp_path / "out").iterdir():
        assert b"p000001" not in file.read_bytes(), file.name


def test_assess_identifiers_follow_the_key_of_the_site(tmp_path: Path, export: Path) -> None:
    (tmp_path / "audit.key").write_bytes(b"0" * 32)
    result = run(export, "--out", tmp_path / "out", SII_CDS__AUDIT__HMAC_KEY_FILE=str(tmp_path / "audit.key"))

    assert result.exit_code == 0, result.output
    assert pseudonym(b"0" * 32, HISTORIES[0].patient) in {row["patient"] for row in read_rows(tmp_path / "out")}
    assert not (tmp_path / "out/pseudonym.key").exists()


def test_assess_every_procedure_begins_follow_up_unless_of_one_course(tmp_path: Path, export: Path) -> None:
    history = of("treated_again")
    days = {}
    for name, options in (("all", []), ("course", ["--course-days", "60"])):
        arguments = ["--out", tmp_path / name, "--identifiers", "plain", "--index", "all", *options]
        assert run(export, *arguments, "--design", "baseline").exit_code == 0
        rows = [row for row in read_rows(tmp_path / name) if row["patient"] == history.patient]
        days[name] = [row["decision"] for row in rows]

    assert days == {"all": [str(history.index), str(history.day(60))], "course": [str(history.index)]}


def test_assess_versions_that_nothing_tells_apart_are_named(tmp_path: Path) -> None:
    lines = lines_of([of("died_after_recurrence")])
    (line,) = [line for line in lines["Observation"] if PLATELETS.encode() in line][:1]
    other = json.loads(line)
    other["valueQuantity"]["value"] = 1
    write_export(tmp_path / "export", {**lines, "Observation": [*lines["Observation"], encode(other)]})
    result = run(tmp_path / "export", "--out", tmp_path / "out")

    assert result.exit_code == 0
    assert "1 resource came in several versions" in result.output


def no_larger_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_assess_full_disk_is_told_and_leaves_nothing(tmp_path: Path, export: Path, workers: str) -> None:
    command = command_of(export, "--out", tmp_path / "out", "--workers", workers)
    ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=no_larger_files, check=False)

    assert ended.returncode == 1, ended.stderr
    assert "cannot be written: File too large; nothing was left behind" in ended.stderr
    assert left_beside(tmp_path / "out") == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_assess_patient_past_the_memory_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Path, workers: str
) -> None:
    def refused(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(part_rows, "assess_patient", refused)
    result = run(export, "--out", tmp_path / "out", "--workers", workers)

    assert result.exit_code == 1
    assert "too little memory to finish the run; nothing was left behind" in result.output
    assert left_beside(tmp_path / "out") == []


def nobody_works_for(folder: Path) -> bool:
    """Tell whether, within ten seconds, no process is left that was started for a folder."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = subprocess.run(["pgrep", "-f", "--", f"--out {folder} "], capture_output=True, check=False)
        if found.returncode == 1:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_assess_killed_run_leaves_no_folder_and_the_next_one_clears_up(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "export").mkdir()
    os.mkfifo(tmp_path / "export/Observation.ndjson")
    command = command_of(tmp_path / "export/Observation.ndjson", "--out", tmp_path / "out", "--workers", 2)
    # A shell that runs the tests in the background lets its children ignore SIGINT.
    command = ["env", "--default-signal=INT", *command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = lines_of(HISTORIES)["Observation"]
    with (tmp_path / "export/Observation.ndjson").open("wb") as writer:
        writer.write(b"\n".join(lines) + b"\n")
        writer.flush()
        assert left_beside(tmp_path / "out") == [f".out.{process.pid}.unfinished"]
        process.send_signal(how)
        if how is signal.SIGKILL:
            process.wait(20)
    process.wait(20)

    assert not (tmp_path / "out").exists()
    assert process.returncode != 0
    assert nobody_works_for(tmp_path / "out")
    if how is not signal.SIGKILL:
        assert left_beside(tmp_path / "out") == []
    export = write_export(tmp_path / "good", lines_of(HISTORIES[:3]))
    assert run(export, "--out", tmp_path / "out").exit_code == 0
    assert left_beside(tmp_path / "out") == ["out"]


def test_assess_progress_is_shown_to_who_can_see_it(tmp_path: Path, export: Path) -> None:
    master, slave = os.openpty()
    command = command_of(export, "--out", tmp_path / "out")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            block = os.read(master, 4096)
        except OSError:
            break
        if not block:
            break
        shown += block
    os.close(master)

    assert process.wait(20) == 0
    assert b"Reading [" in shown
    assert b"Assessing [" in shown
    assert f"{len(HISTORIES)} patients".encode() in shown


def test_assess_gzip_is_known_by_its_bytes_not_by_its_name(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", lines_of(HISTORIES[:5]))
    for file in export.iterdir():
        file.write_bytes(gzip.compress(file.read_bytes()))
    result = run(export, "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert result.output.startswith("5 patients read")
