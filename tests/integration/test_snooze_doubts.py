"""An overridden card comes back when a doubt arrives of which the clinician who overrode it knew nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.charts import Json, bundle, days_ago, draw, observation, procedure
from tests.support.snooze_site import HOURS, Hospital, ask, override, shown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path, cards={"snooze_hours": HOURS}, eligibility={"mode": "assume"})


FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
UNDATED = procedure(id="undated", performedDateTime=None)
PLATELETS_ALONE = draw(250, None, None, when=days_ago(2))


@pytest.mark.parametrize(
    ("counts", "keys", "is_shown", "reason"),
    [
        ((), {}, False, "nothing new"),
        (draw(when=days_ago(39)), {}, False, "another draw that says the same"),
        ((), {"procedures": FAILED}, True, "the procedures fail"),
        ((), {"procedures": bundle(procedure(), total=9)}, True, "a part of them comes"),
        ((), {"conditions": FAILED}, True, "the diagnoses fail"),
        ((), {"patient": None}, True, "the age is not known any more"),
        ((), {"procedures": bundle(procedure(), UNDATED)}, True, "an undated procedure"),
        ((), {"procedures": bundle(procedure(), UNDATED | {"status": 5})}, True, "one that cannot be read"),
        ((*draw(), *PLATELETS_ALONE), {}, True, "newer blood that is not used"),
        ((*draw(), observation("777-3", 250, effectiveDateTime=None)), {}, True, "blood that may be newer"),
        ((), {"bloodCounts": bundle(*draw(), total=9)}, True, "more blood counts than were delivered"),
    ],
)
def test_snooze_ends_when_a_doubt_arrives(
    hospital: Hospital, counts: list[Json], keys: Json, is_shown: bool, reason: str
) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"])

    assert shown(worker, *counts, **keys) == is_shown, reason


def test_snooze_of_a_card_with_doubts_holds_for_these_kinds_of_doubt(hospital: Hospital) -> None:
    worker = hospital.worker()
    doubtful = {"procedures": bundle(procedure(), UNDATED)}
    override(worker, ask(worker, *draw(), *PLATELETS_ALONE, **doubtful)["cards"][0]["uuid"])

    assert not shown(worker, *draw(), *PLATELETS_ALONE, **doubtful), "the same doubts"
    more = {"procedures": bundle(procedure(), UNDATED, UNDATED | {"id": "another"})}
    assert not shown(worker, *draw(), *PLATELETS_ALONE, **more), "two of a kind"
    unfit = observation("731-0", 1, "furlong", when=days_ago(2))
    assert shown(worker, *draw(), *PLATELETS_ALONE, unfit, **doubtful), "newer blood, of no use for another reason"
