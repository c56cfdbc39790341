"""A record stays below a megabyte whatever a caller sends, and says what it leaves out."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cds_service.audit.bounding import MOST_BYTES, MOST_LISTED, encode_bounded
from cds_service.audit.building import build_hook_record
from cds_service.clinical.models import Analyte, ExcludedResult
from cds_service.clinical.reasons import Reason
from tests.unit.audit.samples import (
    CANCER,
    FACTS,
    PROCEDURE,
    REFUSED,
    assessed,
    audit_log,
    context,
    draw,
    feedback_record,
    files_of,
    hook_record,
    verified,
)
from tests.unit.audit.samples import NOW as MOMENT

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.audit.building import DecisionFacts

DAY = MOMENT.date()
ODD = "\u0001" * 400_000


def recorded(facts: DecisionFacts, **changes: Any) -> dict[str, Any]:
    record = build_hook_record(
        context(**changes), assessed(draw(DAY)), facts, card=None, presentation="none", timings_ms={}
    )
    line = encode_bounded(record)
    assert len(line) <= MOST_BYTES
    members: dict[str, Any] = json.loads(line)
    return members


def test_record_counts_all_exclusions_and_lists_five_hundred() -> None:
    """10 MB of `{}` in a Bundle are millions of entries."""
    malformed = ExcludedResult(None, Reason.MALFORMED, "", "", None)
    record = recorded(replace(FACTS, excluded=(*[malformed] * 60_000, REFUSED)))

    assert record["exclusions"] == {"malformed": 60_000, "unit-unknown": 1}
    assert len(record["excluded"]) == MOST_LISTED
    assert record["left_out"] == {"excluded": 60_001 - MOST_LISTED}


def test_record_lists_each_kind_of_exclusion_however_many_came_before_it() -> None:
    late = [REFUSED._replace(analyte=analyte) for analyte in Analyte]
    record = recorded(replace(FACTS, excluded=(*[REFUSED] * 5_000, *late)))

    assert {entry["analyte"] for entry in record["excluded"]} == set(Analyte)


def test_record_of_few_exclusions_leaves_nothing_out() -> None:
    record = recorded(FACTS)

    assert (len(record["excluded"]), record["exclusions"]) == (1, {"unit-unknown": 1})
    assert "left_out" not in record


@pytest.mark.parametrize(
    ("facts", "changes", "left_out", "reason"),
    [
        (FACTS, {"user": "x" * 9_000_000}, {"texts": 1}, "a user of nine megabytes"),
        (FACTS, {"hook_instance": ODD}, {"texts": 1}, "characters that JSON spells with six bytes"),
        (
            replace(FACTS, conditions=(CANCER,) * 40_000, procedures=(PROCEDURE,) * 40_000),
            {},
            {"conditions": 39_500, "procedures": 39_500},
            "thousands of diagnoses and procedures",
        ),
        (
            replace(FACTS, excluded=(REFUSED._replace(reference=ODD, version=ODD),) * 600),
            {},
            {"excluded": 500, "texts": 200},
            "ids of half a megabyte, hundreds of them",
        ),
        (replace(FACTS, chart=msgspec.Raw(b'"' + b"x" * 800_000 + b'"')), {}, None, "a chart goes whole or not at all"),
    ],
)
def test_record_stays_below_a_megabyte_and_says_what_it_leaves_out(
    facts: DecisionFacts, changes: dict[str, Any], left_out: dict[str, int] | None, reason: str
) -> None:
    record = recorded(facts, **changes)

    assert record.get("left_out") == left_out, reason
    assert record.get("chart_too_large", False) == (left_out is None), reason
    assert record["outcome"] == "above-cutoff"


def test_feedback_record_stays_below_a_megabyte_too() -> None:
    record = feedback_record(card="c" * 2_000_000, accepted_suggestions=("s" * 90_000,) * 100)

    assert len(encode_bounded(record)) <= MOST_BYTES


def test_line_of_the_largest_record_and_the_line_that_seals_it_stay_below_a_megabyte(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record(user="\u0001" * 3_000_000, hook_instance="x" * 110_000))
    (file,) = files_of(tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]) + lines[-1].ljust(MOST_BYTES, b"x")[:MOST_BYTES])
    audit_log(tmp_path).append(hook_record())

    assert max(map(len, file.read_bytes().splitlines())) < 1_000_000
    assert verified(tmp_path).counts["sealed"] == 1


def test_batch_of_feedback_is_written_with_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, real, syncs = audit_log(tmp_path), os.fdatasync, list[int]()

    def counted(descriptor: int) -> None:
        syncs.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    log.append_batch(feedback_record(card=f"card-{number}") for number in range(1_000))

    assert len(syncs) == 1
    assert verified(tmp_path).counts["feedback"] == 1_000
