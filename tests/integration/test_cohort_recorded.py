"""A year in silent mode, then an export with outcomes: would the recorded decisions have been right?"""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cds_service.audit.keys import pseudonym
from cds_service.audit.reading import read_entries
from cds_service.audit.records import HookRecord
from cds_service.cli.main import main
from cds_service.errors import CohortInputError
from cds_service.insight.cohort.designs import parse_design
from tests.support.cohort.assessed import assess, read_rows
from tests.support.cohort.exports import write_export
from tests.support.cohort.recorded_year import (
    CORRECTED,
    KEY,
    PATIENTS,
    RECODED,
    VISITS,
    assess_recorded,
    histories,
    later_export,
    recorded_year,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_year(tmp_path_factory.mktemp("year"))


def hook_records(folder: Path) -> Iterator[tuple[int, HookRecord]]:
    for entry in read_entries(folder / "audit"):
        if isinstance(entry.record, HookRecord):
            yield entry.sequence, entry.record


def test_recorded_rows_are_the_decisions_of_the_log_one_for_one(year: Path, tmp_path: Path) -> None:
    assess_recorded(year, tmp_path / "out", workers=2)
    rows = {int(row["record"]): row for row in read_rows(tmp_path / "out")}
    records = dict(hook_records(year))

    assert len(records) == len(histories()) * len(VISITS)
    assert rows.keys() == records.keys()
    for number, record in records.items():
        row = rows[number]
        assert (row["design"], row["patient"], row["outcome"]) == ("recorded", record.patient, record.outcome)
        assert row["reason"] == ",".join(record.reasons)
        assert row["sii"] == (record.sii or "")
        assert row["decision"] == (record.time + timedelta(hours=8)).date().isoformat()
    assert {record.outcome for record in records.values()} >= {
        *("above-cutoff", "not-above-cutoff", "indeterminate", "not-eligible")
    }


def test_recorded_only_the_first_decided_of_a_patient_enters_with_the_outcome_of_the_export(
    year: Path, tmp_path: Path
) -> None:
    assess_recorded(year, tmp_path / "out")
    by_patient: dict[str, list[dict[str, str]]] = {}
    for row in sorted(read_rows(tmp_path / "out"), key=lambda row: int(row["record"])):
        by_patient.setdefault(row["patient"], []).append(row)
    entered = 0
    for history in histories():
        rows = by_patient[pseudonym(KEY, history.patient)]
        decided = [row for row in rows if row["outcome"].endswith("above-cutoff")]
        expected = decided[0] if decided and not history.undatable and history.has_index else None
        if expected is not None and history.event is not None:
            day = (datetime.fromisoformat(expected["decision"]).date() - history.index).days
            expected = expected if history.event[0] > day else None
        assert [row for row in rows if row["entered"] == "1"] == ([expected] if expected else []), history
        if expected is None:
            continue
        entered += 1
        day = (datetime.fromisoformat(expected["decision"]).date() - history.index).days
        event = history.event if history.event is not None and history.event[0] <= day + 1826 else None
        end = event[0] if event else min(day + 1826, max(history.last_contact, day))
        assert (expected["time"], expected["event"]) == (str(end - day), str(event[1] if event else 0)), history
    assert entered > PATIENTS / 3


def test_recorded_disagreements_are_explained_one_by_one(year: Path, tmp_path: Path) -> None:
    assess_recorded(year, tmp_path / "out")
    with (tmp_path / "out/disagreements.csv").open(encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream))
    about = {row["patient"] for row in found}
    explanations = {(row["patient"], row["explanation"]) for row in found}

    assert about == {pseudonym(KEY, CORRECTED), pseudonym(KEY, RECODED)}, found
    assert (pseudonym(KEY, CORRECTED), "changed-results") in explanations
    assert {why for patient, why in explanations if patient == pseudonym(KEY, RECODED)} == {"other-diagnoses"}
    assert all(row["recorded_outcome"] and row["recomputed_outcome"] for row in found)


def test_recorded_decisions_end_in_figures_and_disagreements_in_counts(year: Path, tmp_path: Path) -> None:
    assess_recorded(year, tmp_path / "out")
    command = ["cohort", "validate", str(tmp_path / "out"), "--min-cell", "1", "--bootstrap", "20", "--json"]
    done = CliRunner().invoke(main, command)
    rows = read_rows(tmp_path / "out")
    with (tmp_path / "out/disagreements.csv").open(encoding="utf-8", newline="") as stream:
        explanations = Counter(row["explanation"] for row in csv.DictReader(stream))
    data = json.loads(done.stdout)
    found = data["designs"]["recorded"]

    assert done.exit_code == 0
    assert found["n"] == sum(row["entered"] == "1" for row in rows)
    again = [row for row in rows if row["outcome"] == "above-cutoff" and row["entered"] == "0"]
    assert found["flow"]["rows"] == len(rows)
    assert found["flow"]["left_out"]["above-cutoff, not entered"] == len(again) > 0
    assert data["disagreements"] == explanations
    assert data["recommendation"]["design"] == "recorded"


def test_recorded_patient_whom_the_export_lacks_keeps_the_rows_and_does_not_enter(year: Path, tmp_path: Path) -> None:
    lines = {name: [x for x in found if b"p000005" not in x] for name, found in later_export().items()}
    write_export(tmp_path / "export", lines)
    environment = {"SII_CDS__AUDIT__HMAC_KEY_FILE": str(year / "audit.key")}
    options: dict[str, Any] = {"audit": (year / "audit",), "designs": (parse_design("baseline"),), "plain": False}
    assess(tmp_path / "export", tmp_path / "out", environment=environment, **options)
    rows = [row for row in read_rows(tmp_path / "out") if row["patient"] == pseudonym(KEY, "p000005")]
    with (tmp_path / "out/disagreements.csv").open(encoding="utf-8", newline="") as stream:
        why = {row["explanation"] for row in csv.DictReader(stream) if row["patient"] == pseudonym(KEY, "p000005")}
    flow = json.loads((tmp_path / "out/flow.json").read_text(encoding="utf-8"))

    assert [row["design"] for row in rows] == ["recorded"] * len(VISITS)
    assert {row["entered"] for row in rows} == {"0"}
    assert why == {"patient-not-in-export"}
    assert sorted(flow) == ["baseline", "recorded"]


def test_recorded_log_with_pseudonyms_without_their_key_is_refused(year: Path, tmp_path: Path) -> None:
    with pytest.raises(CohortInputError, match=r"name their key with audit\.hmac_key_file"):
        assess(year / "export", tmp_path / "out", audit=(year / "audit",), designs=())

    assert list(tmp_path.iterdir()) == []
