"""Lines by patient on the disk."""

from pathlib import Path

import pytest

from cds_service.insight.cohort import spill
from cds_service.insight.cohort.export_heads import RECORDED_DECISION, RESULT, Head
from cds_service.insight.cohort.spill import Part, SpillWriter, number_of_parts, parts_of


def written(folder: Path, parts: int, heads: list[Head]) -> list[Part]:
    for writer in ("first", "second"):
        spilled = SpillWriter(folder, writer, parts)
        for head in heads[writer == "second" :: 2]:
            spilled.add(head, head.patient)
        spilled.flush()
    return parts_of(folder)


def heads_of(patients: int, size: int) -> list[Head]:
    content = [b"%06d" % number + b"x" * size for number in range(3)]
    return [Head(f"p{number}", RESULT, one) for one in content for number in range(patients)]


@pytest.mark.parametrize(("parts", "reason"), [(1, "one"), (7, "some"), (256, "more than patients")])
def test_spill_patient_comes_once_with_all_lines(tmp_path: Path, parts: int, reason: str) -> None:
    found = [pair for part in written(tmp_path, parts, heads_of(40, 5)) for pair in part.patients(str)]

    assert sorted(patient for patient, _ in found) == sorted(f"p{number}" for number in range(40)), reason
    assert all(len(lines) == 3 for _, lines in found)
    assert list(tmp_path.iterdir()) == [], "what was read is removed"


def test_spill_part_that_is_too_large_is_split_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "_PART_BYTES", 2_000)
    (part,) = written(tmp_path, 1, heads_of(40, 200))
    seen = []
    for patient, lines in part.patients(str):
        seen.append(patient)
        assert len(lines) == 3
    assert sorted(seen) == sorted(f"p{number}" for number in range(40))
    assert list(tmp_path.iterdir()) == []


def test_spill_is_read_only_by_its_owner(tmp_path: Path) -> None:
    written(tmp_path, 2, heads_of(3, 5))

    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_spill_records_go_by_the_name_that_the_export_has(tmp_path: Path) -> None:
    def key_of(patient: str) -> str:
        return patient.removeprefix("Patient-").removeprefix("hmac:")

    writer = SpillWriter(tmp_path, "all", 4)
    known, unknown = Head("hmac:1", RECORDED_DECISION, b"r"), Head("hmac:2", RECORDED_DECISION, b"s")
    for head in (known, unknown, Head("Patient-1", RESULT, b"o")):
        writer.add(head, key_of(head.patient))
    writer.flush()
    found = {name: sorted(lines) for part in parts_of(tmp_path) for name, lines in part.patients(key_of)}

    assert found == {"Patient-1": [(RESULT, b"o"), (RECORDED_DECISION, b"r")], "2": [(RECORDED_DECISION, b"s")]}


@pytest.mark.parametrize(("size", "parts"), [(0, 1), (12 * 2**20, 1), (12 * 2**20 + 1, 2), (2**40, 256)])
def test_number_of_parts_grows_with_the_export(size: int, parts: int) -> None:
    assert number_of_parts(size) == parts
