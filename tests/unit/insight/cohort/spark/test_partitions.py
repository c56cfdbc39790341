"""A partition after the shuffle: a patient in two pieces stops the run; retried pieces and cuts change nothing."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.decision.reading_memory import ReadingMemory
from cds_service.decision.site import site_from_settings
from cds_service.errors import CohortRunError
from cds_service.insight.cohort.assessing import Plan
from cds_service.insight.cohort.designs import parse_design
from cds_service.insight.cohort.export_heads import HeadReader
from cds_service.insight.cohort.identifiers import NamingKeys
from cds_service.insight.cohort.reading import ExportFile
from cds_service.insight.cohort.rooms import Rooms, joined_problems, merged_rows
from cds_service.insight.cohort.spark import partitions
from cds_service.insight.cohort.spark.partitions import Partition, PartitionResult
from cds_service.insight.cohort.spark.reading import Record, partition_of, read_split
from cds_service.insight.cohort.spark.shipping import RunParts
from cds_service.insight.cohort.spark.splits import split_up
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.settings import load_settings
from tests.support.cohort.assessed import ENVIRONMENT
from tests.support.cohort.exports import write_dirty_export
from tests.support.cohort.stories import cohort

NOW = datetime(2026, 1, 1, tzinfo=UTC).date()


def run_parts() -> RunParts:
    site = site_from_settings(load_settings(None, ENVIRONMENT), SII_RECURRENCE_RISK)
    plan = Plan(site=site, designs=(parse_design("baseline"),), name=str, memory=ReadingMemory(site), until=NOW)
    return RunParts(plan, HeadReader(site.mappings), NamingKeys(None, None, True, False).identifiers().key_of)


def shuffled(records: Iterable[Record], of: int) -> list[list[Record]]:
    """What Spark is asked for: every record in the partition of its key, sorted by key alone."""
    found: list[list[Record]] = [[] for _ in range(of)]
    for record in records:
        found[partition_of(record[0], of)].append(record)
    return [sorted(partition, key=lambda record: record[0]) for partition in found]


def assessed(folder: Path, files: list[ExportFile], of: int, size: int) -> tuple[Rooms, list[PartitionResult]]:
    folder.mkdir()
    rooms, parts = Rooms.make(folder), run_parts()
    records = [record for split in split_up(files, size) for record in read_split(split, parts)]
    names = [file.name for file in files]
    return rooms, [
        Partition(number, of, 0).assess(partition, parts, rooms, names)
        for number, partition in enumerate(shuffled(records, of))
    ]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[ExportFile], Any]:
    folder, bad = write_dirty_export(tmp_path_factory.mktemp("one") / "export", cohort(40, seed=4), seed=2)
    return [ExportFile(path, path.name) for path in sorted(folder.iterdir())], bad


@pytest.mark.parametrize(
    ("of", "size", "rows_at_once", "reason"),
    [
        (1, 10**9, 20_000, "files as they are, one partition"),
        (1, 700, 7, "many pieces, many files of rows"),
        (8, 4_000, 1, "partitions, each row a file"),
        (64, 100, 20_000, "more pieces than lines, more partitions than patients"),
    ],
)
def test_partitions_however_cut_give_the_same_rows_and_problems(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    export: tuple[list[ExportFile], Any],
    of: int,
    size: int,
    rows_at_once: int,
    reason: str,
) -> None:
    files, bad = export
    plain, results = assessed(tmp_path / "plain", files, 1, 10**9)
    expected = list(merged_rows(plain))
    monkeypatch.setattr(partitions, "_ROWS_AT_ONCE", rows_at_once)
    rooms, others = assessed(tmp_path / "cut", files, of, size)

    assert len(expected) > 20
    assert list(merged_rows(rooms)) == expected, reason
    assert sum(result.tally.patients for result in others) == results[0].tally.patients == 40
    problems = [json.loads(line) for line in joined_problems(rooms)]
    assert [(problem["file"], problem["line"]) for problem in problems] == bad, reason
    assert list(joined_problems(rooms)) == list(joined_problems(plain))
    told = [reading for result in others for reading in result.readings]
    assert sum(reading.lines for reading in told) == sum(reading.lines for reading in results[0].readings)
    assert {reading.sha256 for reading in told} - {""} == {reading.sha256 for reading in results[0].readings}


@pytest.mark.parametrize(
    ("arrival", "number", "reason"),
    [
        ([0, 1, 0], 0, "comes back after another patient"),
        ([1, 0], 0, "not sorted: what follows may come back"),
        ([0], 1, "in a partition that is not the patient's"),
    ],
)
def test_partition_patient_in_two_pieces_stops_the_run(
    tmp_path: Path, export: tuple[list[ExportFile], Any], arrival: list[int], number: int, reason: str
) -> None:
    files, _ = export
    records = [record for split in split_up(files) for record in read_split(split, run_parts())]
    of = 1 + (number > 0)
    keys = sorted({key for key, _ in records if key[0] and partition_of(key, of) == 0})
    found = [record for place in arrival for record in records if record[0] == keys[place]]

    with pytest.raises(CohortRunError, match="a patient in two pieces"):
        Partition(number, of, 0).assess(found, run_parts(), Rooms.make(tmp_path), [])
    assert not list((tmp_path / "rows").iterdir()), reason
