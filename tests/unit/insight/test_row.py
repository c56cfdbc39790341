"""A decision counts the same whether it comes from a chart or from the audit log, and its row holds no text."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds_service.audit.reading import read_records
from cds_service.audit.records import ExcludedEntry, HookRecord, ResultEntry, ViewRecord
from cds_service.insight.row import (
    Asked,
    DecisionRow,
    Exclusion,
    UsedResult,
    Version,
    row_of_answer,
    row_of_decision,
    row_of_record,
    row_of_unavailable,
)
from tests.support.charts import (
    ALBUMIN,
    NOW,
    PATIENT_ID,
    PLATELETS,
    Json,
    bundle,
    condition,
    days_ago,
    draw,
    hook_request,
    observation,
    patient,
    procedure,
)
from tests.support.recorded import Hook, record
from tests.unit.audit.samples import feedback_record
from tests.unit.decision.asking import EXACT_JSON, SITE, decision
from tests.unit.insight.monitor.samples import hook

if TYPE_CHECKING:
    from pathlib import Path

ZONE = SITE.policy.timezone
SEGMENTED, BANDS = "26505-8", "26508-2"
ASKED = Asked(
    SITE.service.id,
    "test",
    NOW,
    NOW.astimezone(ZONE).date(),
    PATIENT_ID,
    Version(SITE.service.rule_version, SITE.mappings.version, SITE.configuration_hash),
)

CHARTS: list[tuple[Json, str]] = [
    (hook_request(*draw(platelets=500)), "above the cut-off"),
    (hook_request(*draw(platelets=60), albumin=bundle(observation(ALBUMIN, 38, "g/L"))), "not above, with albumin"),
    (hook_request(*draw(when=days_ago(120)), *draw()[:2]), "indeterminate, newer results are no draw"),
    (hook_request(*draw(), observation(PLATELETS, 220, oid="odd", unit="10*12/L")), "a result that is not used"),
    (hook_request(*draw(lymphocytes=0)), "indeterminate, its draw is known"),
    (hook_request(), "indeterminate, nothing there"),
    (hook_request(*draw(), patient=patient(birthDate="2020-01-01")), "not eligible"),
    (hook_request(*draw(), conditions=bundle(condition("C50.9"))), "not eligible, another cancer"),
    (hook_request(*draw(when=days_ago(40)), procedures=bundle(procedure(when=days_ago(3)))), "before the procedure"),
]


@pytest.mark.parametrize(("body", "reason"), CHARTS)
def test_row_chart_and_record_of_one_decision_are_alike(tmp_path: Path, body: Json, reason: str) -> None:
    record(tmp_path, [Hook("r", EXACT_JSON.encode(body), NOW, SITE)])
    (recorded,) = (found for found in read_records(tmp_path) if isinstance(found, HookRecord))

    told = row_of_record(recorded, ZONE)

    asked_by_hook: dict[str, Any] = {"kind": "hook", "mode": "active", "user": told.user, "ms": told.ms}
    assert row_of_decision(decision(body), ASKED)._replace(**asked_by_hook) == told, reason


def test_row_unavailable_chart_and_record_are_alike(tmp_path: Path) -> None:
    body = hook_request(*draw(), without=("conditions",))
    record(tmp_path, [Hook("r", EXACT_JSON.encode(body), NOW, SITE)])
    (recorded,) = (found for found in read_records(tmp_path) if isinstance(found, HookRecord))

    told = row_of_record(recorded, ZONE)

    asked_by_hook: dict[str, Any] = {"kind": "hook", "mode": "active", "user": told.user, "ms": told.ms}
    assert row_of_unavailable(ASKED, ("conditions",))._replace(**asked_by_hook) == told


def test_row_charts_cover_every_outcome() -> None:
    outcomes = {row_of_decision(decision(body), ASKED).outcome for body, _ in CHARTS}

    assert outcomes == {"above-cutoff", "not-above-cutoff", "indeterminate", "not-eligible"}


def test_row_decided_chart_tells_value_codes_and_place() -> None:
    row = row_of_decision(decision(hook_request(*draw(platelets=500))), ASKED)

    assert row.is_decided
    assert row.value is not None
    assert row.value > Decimal("405.08")
    assert row.cutoff == Decimal("405.08")
    assert [used.analyte for used in row.codes] == ["platelets", "neutrophils", "lymphocytes", "albumin"]
    assert (row.basis, row.relation, row.is_shown) == ("absolute", "after", False)


def test_row_day_is_the_day_of_the_zone() -> None:
    late = hook(time=NOW.replace(hour=20))

    assert row_of_record(late, ZoneInfo("Asia/Tokyo")).day == NOW.date() + timedelta(days=1)


def test_row_exclusions_are_counted_by_reason_and_named_by_kind() -> None:
    refused = ExcludedEntry(reference="Observation/1", analyte="platelets", reason="unit-unknown")

    row = row_of_record(hook(excluded=(refused, refused)), ZONE)

    assert row.exclusions == {"unit-unknown": 2}
    assert row.excluded == (Exclusion("unit-unknown", "platelets"),)


@pytest.mark.parametrize(
    ("members", "name", "reason"),
    [
        ({"sii": "?"}, "value", "a log of somebody else"),
        ({"sample_time": "yesterday"}, "sampled", "no day"),
        ({"sii": None}, "value", "values are not kept"),
    ],
)
def test_row_member_that_cannot_be_read_is_none(members: dict[str, Any], name: str, reason: str) -> None:
    assert getattr(row_of_record(hook(**members), ZONE), name) is None, reason


def test_row_shares_and_counts_are_told_apart() -> None:
    results = tuple(
        ResultEntry(analyte="neutrophils", code="c", basis="b", effective="e", reference="", value=value, unit=unit)
        for value, unit in ((Decimal("3.0"), "10*9/L"), (Decimal("0.6"), "1"))
    )

    codes = row_of_record(hook(used=results), ZONE).codes

    assert codes == (
        UsedResult("neutrophils", "c", Decimal("3.0")),
        UsedResult("neutrophils", "c", Decimal("0.6"), is_share=True),
    )


def test_row_of_a_view_is_no_hook() -> None:
    members = msgspec.structs.asdict(hook())
    for name in ("hook_instance", "mode", "presentation"):
        del members[name]

    row = row_of_record(ViewRecord(**members | {"shown": False}), ZONE)

    assert (row.kind, row.presentation, row.is_shown) == ("view", "refused", False)


# Members of records that somebody wrote, or that say where a single result is to be found.
_TEXTS = ("comment", "encounter", "request_id", "reference", "specimen", "chart")


def test_row_holds_no_text_of_a_record() -> None:
    mark = "Canary"
    entry = ResultEntry(
        analyte="platelets", code="777-3", basis="absolute", effective="e", reference=mark, specimen=mark
    )
    refused = ExcludedEntry(reference=mark, analyte="platelets", reason="unit-unknown", effective="e")
    row = row_of_record(hook(request_id=mark, encounter=mark, used=(entry,), excluded=(refused,)), ZONE)
    answer = row_of_answer(feedback_record(comment=mark, request_id=mark), ZONE)

    assert mark not in repr((row, answer))
    assert not set(DecisionRow._fields) & set(_TEXTS)


def test_row_of_an_answer_has_its_day() -> None:
    answer = row_of_answer(feedback_record(), ZONE)

    assert (answer.outcome, answer.reason) == ("overridden", "residual-disease")
    assert answer.day == date(2026, 3, 9)
