"""Files of an export: which are read, what a line is, and what damaged ones leave."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from cds_service.cli.main import main
from cds_service.insight.sources.export_files import ExportError, find_files, read_lines
from tests.support.hospital import hospital
from tests.unit.insight.doctor.examining import examined, examined_folder, finding, found

if TYPE_CHECKING:
    from pathlib import Path


def lines_of(path: Path) -> list[bytes]:
    return [line.strip() for line in read_lines(path, lambda _read: None)]


def test_folder_gives_its_ndjson_files_sorted_and_files_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in ("b.ndjson", "a.ndjson.gz", "notes.txt", "deep/c.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"{}\n")
    named = tmp_path / "notes.txt"

    found_files = find_files([tmp_path, named, tmp_path / "b.ndjson"])

    assert [path.name for path in found_files] == ["a.ndjson.gz", "b.ndjson", "c.jsonl", "notes.txt"]


@pytest.mark.parametrize(
    ("content", "lines", "reason"),
    [
        (b'{"a":1}\n{"b":2}\n', 2, "one resource a line"),
        (b'{"a":1}\r\n\r\n{"b":2}', 2, "Windows line ends, an empty line, none at the end"),
        (b"", 0, "an empty file"),
        (gzip.compress(b'{"a":1}\n{"b":2}\n', mtime=0), 2, "gzip, whatever its name"),
        (b'\xef\xbb\xbf{"a":1}\n\xef\xbb\xbf{"b":2}\n', 2, "files with byte order marks put together"),
        (
            gzip.compress(b'{"a":1}\n', mtime=0) + gzip.compress(b'{"b":2}\n', mtime=0),
            2,
            "two gzip members in one file",
        ),
    ],
)
def test_lines_are_read(content: bytes, lines: int, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "Observation.ndjson"
    path.write_bytes(content)

    assert len(lines_of(path)) == lines, reason
    assert all(line.startswith(b"{") for line in lines_of(path)), reason


def test_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "Observation.ndjson"
    path.write_bytes('{"a":1}\n'.encode("utf-16"))

    with pytest.raises(ExportError, match=r"Observation\.ndjson: is UTF-16; an export is UTF-8"):
        lines_of(path)


def test_progress_adds_up_to_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n' * 5_000))
    told: list[int] = []

    assert sum(1 for _ in read_lines(path, told.append)) == 5_000
    assert sum(told) == path.stat().st_size


def test_cut_gzip_names_the_file_and_gives_what_stood_before(tmp_path: Path) -> None:
    path = tmp_path / "Observation.000.ndjson.gz"
    # Random enough that the cut lies within the data.
    path.write_bytes(gzip.compress(b"".join(b'{"id":"%d"}\n' % (n * 7919) for n in range(20_000)))[:-2_000])
    read: list[bytes] = []

    with pytest.raises(ExportError, match=r"Observation\.000\.ndjson\.gz: the compressed data"):
        read.extend(read_lines(path, lambda _read: None))

    assert read


def test_damaged_file_blocks_and_the_rest_is_examined(tmp_path: Path) -> None:
    folder = hospital().export(tmp_path / "export", zipped=True)
    damaged = folder / "Observation.000.ndjson.gz"
    damaged.write_bytes(damaged.read_bytes()[:-20])

    report = examined_folder(folder)

    assert ("blocks", "export-damaged") in found(report)
    assert report.sample["patients"] == 40


def test_zipped_export_gives_the_same_report(tmp_path: Path) -> None:
    plain = examined(hospital(), tmp_path / "a")
    zipped = examined_folder(hospital().export(tmp_path / "b", zipped=True))

    # The hash of the configuration covers the folder of the audit log.
    assert replace(plain, versions={}) == replace(zipped, versions={})


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()


def test_lines_that_are_no_resources_are_counted_and_named(tmp_path: Path) -> None:
    folder = hospital().export(tmp_path / "export")
    path = folder / "Observation.000.ndjson"
    path.write_bytes(b"not json\n[1]\n\xff\xfe\n" + path.read_bytes() + b'{"resourceType":')

    report = examined_folder(folder)

    assert found(report) == {("warning", "export-unreadable-lines")}
    assert finding(report, "export-unreadable-lines").startswith("4 lines")


def test_file_names_do_not_matter(tmp_path: Path) -> None:
    everything = "".join(json.dumps(resource) + "\n" for resource in reversed(hospital().resources()))
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "all.ndjson").write_text(everything)

    assert examined_folder(tmp_path / "export").findings == ()


def test_malformed_results_cost_only_themselves(tmp_path: Path) -> None:
    plan = hospital()
    for resources in list(plan.patients.values())[:4]:
        for resource in resources:
            if resource["resourceType"] == "Observation":
                resource["status"] = {"wrong": "type"}

    report = examined(plan, tmp_path)

    # 4 of 40 results of each analyte.
    assert found(report) == {("warning", "malformed")}
    assert report.draws["withCompleteDraw"] == 36


def test_sample_is_drawn_by_seed_and_qualifying_patients_come_first(tmp_path: Path) -> None:
    plan = hospital(60)
    for number, resources in enumerate(plan.patients.values()):
        if number % 3:
            resources[:] = [r for r in resources if r["resourceType"] != "Condition"]
    folder = plan.export(tmp_path / "export")

    reports = [examined_folder(folder, patients=15, seed=seed) for seed in (1, 1, 2)]

    # 20 of 60 qualify; a sample of 15 holds none of the others.
    assert [report.outcomes["counts"].get("not-eligible", 0) for report in reports] == [0, 0, 0]
    assert reports[0] == reports[1]
    assert reports[0].outcomes["sii"] != reports[2].outcomes["sii"]


def test_listed_patients_alone_are_examined(tmp_path: Path) -> None:
    folder = hospital().export(tmp_path / "export")

    report = examined_folder(folder, patient_ids=tuple(f"p{number:03}" for number in range(10)))

    assert report.sample == {"patients": 10, "withQualifyingDiagnosis": 10}
    assert {row.results for row in report.laboratory_codes} == {10}


def test_listed_patients_that_are_not_there_are_told(tmp_path: Path) -> None:
    folder = hospital().export(tmp_path / "export")
    listed = (*(f"p{number:03}" for number in range(20)), *(f"MRN-{number}" for number in range(6)))

    report = examined_folder(folder, patient_ids=listed)

    assert found(report) == {("warning", "patients-without-data")}
    assert "6 patients" in finding(report, "patients-without-data")


def test_results_before_the_first_day_are_not_counted(tmp_path: Path) -> None:
    from datetime import date

    folder = hospital().export(tmp_path / "export")

    # The draws are of 2026-10-14.
    assert examined_folder(folder, since=date(2026, 10, 14)).laboratory_codes
    assert not examined_folder(folder, since=date(2026, 10, 15)).laboratory_codes


@pytest.mark.parametrize(
    ("content", "said", "advice"),
    [
        (b'{"resourceType":"Bundle","entry":[]}\n', "1 line holds a Bundle", "jq"),
        (b'{\n  "resourceType": "Bundle"\n}\n', "all.ndjson is one JSON document over several lines", "jq"),
        (b'{ "resourceType": "Bundle",\n"entry": []}\n', "one JSON document over several lines", "jq"),
        ('{"resourceType":"Patient","id":"p"}\n'.encode("utf-16"), "all.ndjson is UTF-16", "iconv"),
    ],
)
def test_file_of_another_form_is_named_with_what_to_do(content: bytes, said: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / "all.ndjson").write_bytes(content)

    report = examined_folder(tmp_path)

    assert found(report) == {("blocks", "export-not-ndjson")}
    assert said in finding(report, "export-not-ndjson")
    assert advice in report.findings[0].action


def test_file_of_another_form_beside_an_export_costs_only_itself(tmp_path: Path) -> None:
    folder = hospital().export(tmp_path / "export")
    (folder / "bundle.ndjson").write_bytes(b'{\n"resourceType": "Bundle"}\n')

    report = examined_folder(folder)

    assert found(report) == {("blocks", "export-not-ndjson")}
    assert report.draws["withCompleteDraw"] == 40


def test_byte_order_mark_before_each_file_changes_nothing(tmp_path: Path) -> None:
    folder = hospital().export(tmp_path / "export")
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert examined_folder(folder).findings == ()


def test_limits_of_doctor_itself_are_no_fault_of_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 40 patients with three blood counts each two are read; a line is longer than doctor reads."""
    monkeypatch.setattr("cds_service.insight.doctor.export.passes.MOST_RESULTS", 2)
    monkeypatch.setattr("cds_service.insight.doctor.export.passes.LONGEST_LINE", 3_000)
    monkeypatch.setattr("cds_service.insight.sources.export_files.LONGEST_LINE", 3_000)
    folder = hospital().export(tmp_path / "export")
    with (folder / "Observation.000.ndjson").open("ab") as file:
        file.write(b'{"resourceType":"Observation","id":"' + b"x" * 5_000 + b'"}\n')

    report = examined_folder(folder)

    assert [f.id for f in report.findings if f.severity == "note"] == ["doctor-limit", "doctor-limit"]
    said = [f.what for f in report.findings if f.id == "doctor-limit"]
    assert said[0].startswith("1 line ")
    assert said[1].startswith("40 patients have more than")
    assert all("no fault of the export" in text for text in said)
    assert ("warning", "export-unreadable-lines") not in found(report)


def test_folder_without_ndjson_says_what_to_do_with_its_json(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text("{}")

    result = CliRunner().invoke(main, ["doctor", str(tmp_path)])

    assert result.exit_code == 2
    assert "no NDJSON file (.ndjson, .ndjson.gz, .jsonl, .jsonl.gz)" in result.stderr
    assert "jq -c" in result.stderr
