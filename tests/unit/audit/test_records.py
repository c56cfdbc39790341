"""What a record holds: all that replay and an auditor need, and nothing that has no place in it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cds_service.audit.building import (
    build_configuration_record,
    build_feedback_record,
    build_hook_record,
    build_unavailable_record,
)
from cds_service.audit.entries import incomplete_draw
from cds_service.audit.keys import pseudonym
from cds_service.audit.records import AuditRecord, ConfigurationRecord, FeedbackRecord, HookRecord, ViewRecord
from cds_service.clinical.assessment import refuse_ineligible
from cds_service.clinical.models import Analyte, BloodCounts
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.clinical.reasons import Reason
from cds_service.hooks.feedback import FeedbackItem, parse_feedback
from tests.unit.audit.samples import CARD, FACTS, KEY, NOW, POLICY, assessed, context, draw, hook_record, result

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.clinical.outcomes import Assessment

AFTER = date(2026, 2, 20)
IN_WINDOW = date(2026, 1, 20)


def test_hook_record_of_decided_outcome_holds_the_whole_calculation() -> None:
    record = hook_record()

    assert (record.outcome, record.sii, record.cutoff, record.basis) == (
        "above-cutoff",
        "501.816",
        "405.08",
        "absolute",
    )
    assert (record.relation, record.days_from_procedure, record.latest_procedure) == ("after", 46, "2026-01-05")
    assert record.sample_time == "2026-02-20T07:15:00+09:00"
    assert [(r.analyte, r.reference, r.version, r.code, r.value) for r in record.used] == [
        ("platelets", "Observation/platelets-2026-02-20", "3", "777-3", Decimal("179.22")),
        ("neutrophils", "Observation/neutrophils-2026-02-20", "3", "751-8", Decimal("0.70")),
        ("lymphocytes", "Observation/lymphocytes-2026-02-20", "3", "731-0", Decimal("0.25")),
        ("albumin", "Observation/albumin-2026-02-20", "3", "1751-7", Decimal("38.4")),
    ]
    assert [(e.reference, e.reason) for e in record.excluded] == [("Observation/odd", "unit-unknown")]
    assert [p.performed for p in record.procedures] == ["2026-01-05"]
    assert [c.category for c in record.conditions] == ["primary"]
    assert (record.card, record.shown, record.timings_ms) == (CARD, True, {"total": 12.346})


def test_hook_record_time_is_utc() -> None:
    encoded = msgspec.json.encode(hook_record())

    assert b'"time":"2026-03-09T15:30:00Z"' in encoded


def test_hook_record_with_baseline_names_the_earlier_sii() -> None:
    record = hook_record(assessed(draw(AFTER), draw(date(2025, 12, 20), platelets="100")))

    assert [(e.sii, e.baseline) for e in record.earlier] == [("280.000", True)]
    assert [(result.reference, result.version) for result in record.earlier[0].results] == [
        ("Observation/platelets-2025-12-20", "3"),
        ("Observation/neutrophils-2025-12-20", "3"),
        ("Observation/lymphocytes-2025-12-20", "3"),
    ]


@pytest.mark.parametrize(
    ("assessment", "outcome", "reasons", "refusal", "newest", "reason"),
    [
        (
            assessed(draw(IN_WINDOW)),
            "indeterminate",
            ("post-procedure-window",),
            "post-procedure-window",
            3,
            "the draw that could not be used is kept, so that replay can judge it again",
        ),
        (
            assessed(draw(AFTER, problems=(Reason.CONFLICTING_RESULTS,))),
            "indeterminate",
            ("conflicting-results",),
            None,
            3,
            "its time was fine, its results were not",
        ),
        (
            refuse_ineligible(Reason.NO_PRIMARY_LIVER_CANCER, (Reason.TRUNCATED,), POLICY),
            "not-eligible",
            ("no-primary-liver-cancer", "truncated"),
            None,
            0,
            "blood counts were not looked at",
        ),
    ],
)
def test_hook_record_without_sii_says_why(
    assessment: Assessment, outcome: str, reasons: tuple[str, ...], refusal: str | None, newest: int, reason: str
) -> None:
    record = hook_record(assessment, card=None)

    assert (record.outcome, record.reasons, record.refusal) == (outcome, reasons, refusal), reason
    assert (record.sii, len(record.newest_draw), record.used) == (None, newest, ()), reason
    assert (record.card, record.shown) == (None, False)


def test_hook_record_of_silent_mode_has_the_card_and_says_it_was_not_shown() -> None:
    record = build_hook_record(
        context(mode="silent"), assessed(draw(AFTER)), FACTS, card=CARD, presentation="silent", timings_ms={}
    )

    assert (record.mode, record.card, record.shown) == ("silent", CARD, False)
    assert record.how_presented == "silent"


def test_values_off_keeps_no_result_value_anywhere() -> None:
    kept = msgspec.json.encode(hook_record())
    bare = msgspec.json.encode(hook_record(keep_values=False))
    numbers = (b"179.22", b'"0.70"', b'"0.25"', b"38.4", b"10*9/L", b"g/L")

    assert all(number in kept for number in numbers)
    assert not any(number in bare for number in numbers)
    assert b'"sii":"501.816"' in bare


def test_pseudonym_key_replaces_the_patient_id() -> None:
    record = hook_record(pseudonym_key=KEY, patient="mrn-77001")

    assert record.patient == pseudonym(KEY, "mrn-77001")
    assert b"77001" not in msgspec.json.encode(record)
    assert pseudonym(KEY, "mrn-77002") != record.patient
    assert pseudonym(b"another key of the site", "mrn-77001") != record.patient


def unavailable_record(**changes: Any) -> HookRecord:
    return build_unavailable_record(context(**changes), (), timings_ms={})


@pytest.mark.parametrize("build", [hook_record, unavailable_record])
def test_pseudonym_key_replaces_the_patient_who_asks(build: Callable[..., HookRecord]) -> None:
    record = build(pseudonym_key=KEY, patient="mrn-77001", user="Patient/mrn-77001")

    assert record.user == f"Patient/{record.patient}"
    assert b"77001" not in msgspec.json.encode(record)
    assert build(patient="mrn-77001", user="Patient/mrn-77001").user == "Patient/mrn-77001", "no pseudonyms, no change"


def test_unavailable_record_names_the_missing_keys() -> None:
    record = build_unavailable_record(context(), ("conditions", "procedures"), timings_ms={"total": 1.0})

    assert (record.outcome, record.missing) == ("data-unavailable", ("conditions", "procedures"))


def test_feedback_record_holds_the_whole_item() -> None:
    body = b"""{"feedback": [{"card": "c-1", "outcome": "overridden", "outcomeTimestamp": "2026-03-09T23:00:00+09:00",
        "overrideReason": {"reason": {"code": "known", "system": "urn:reasons"}, "userComment": "imaging due"}}]}"""
    record = build_feedback_record(
        parse_feedback(body).items[0],
        service="sii-recurrence-risk",
        request_id="r",
        client="main-ehr",
        user="Practitioner/p",
        now=NOW,
        keep_comment=True,
    )

    assert (record.card, record.outcome, record.reason_code, record.reason_system, record.comment) == (
        "c-1", "overridden", "known", "urn:reasons", "imaging due",
    )  # fmt: skip
    assert record.outcome_time == datetime(2026, 3, 9, 14, 0, tzinfo=UTC)
    assert (record.user, record.time) == ("Practitioner/p", NOW.astimezone(UTC))


@pytest.mark.parametrize(
    ("comment", "keep", "kept"),
    [
        ("imaging due", False, None),
        (None, True, None),
        ("x" * 5000, True, "x" * 4000),
    ],
)
def test_feedback_record_comment_is_kept_by_choice_and_bounded(
    comment: str | None, keep: bool, kept: str | None
) -> None:
    item = FeedbackItem("c-1", "overridden", NOW, user_comment=comment)

    record = build_feedback_record(item, service="s", request_id="r", client="c", user=None, now=NOW, keep_comment=keep)

    assert record.comment == kept


def test_configuration_record_holds_every_limit_of_the_policy() -> None:
    record = build_configuration_record(
        POLICY, service="s", configuration="0123456789ab", mode="active", rule_version="1", mapping_version="2", now=NOW
    )

    limits = msgspec.json.decode(bytes(record.policy))
    assert limits.keys() == {member.name for member in fields(ClinicalPolicy)}
    assert (limits["timezone"], limits["cutoff"], limits["same_draw"]) == ("Asia/Tokyo", "405.08", "PT3600S")
    assert limits["accepted_statuses"] == ["amended", "corrected", "final"]


@pytest.mark.parametrize(
    "record",
    [
        hook_record(),
        hook_record(assessed(draw(IN_WINDOW)), card=None),
        hook_record(user='Practitioner/ü\u2028\n"}', client=""),
    ],
    ids=["decided", "indeterminate", "awkward text"],
)
def test_record_written_and_read_is_the_same(record: HookRecord) -> None:
    assert msgspec.json.decode(msgspec.json.encode(record), type=AuditRecord) == record


def test_records_have_no_place_for_names_tokens_and_bodies() -> None:
    members = {
        member.name
        for kind in (HookRecord, ViewRecord, FeedbackRecord, ConfigurationRecord)
        for member in msgspec.structs.fields(kind)
    }

    assert not members & {"token", "authorization", "body", "prefetch", "name", "birth_date", "summary", "detail"}
    with pytest.raises(TypeError, match="access_token"):
        msgspec.structs.replace(hook_record(), access_token="canary")


@pytest.mark.parametrize(
    ("drawn", "single", "named", "reason"),
    [
        (AFTER, date(2026, 2, 25), ("platelets",), "a newer result alone: another draw lacks the differential"),
        (AFTER, date(2026, 2, 1), (), "an older result says nothing about the draw that decides"),
        (None, date(2026, 2, 25), ("platelets",), "no complete draw at all"),
    ],
)
def test_incomplete_draw_names_what_is_newer(
    drawn: date | None, single: date, named: tuple[str, ...], reason: str
) -> None:
    alone = result(Analyte.PLATELETS, "150", day=single)
    counts = BloodCounts(draws=(draw(drawn),) if drawn is not None else (), unpaired=(alone,))

    assert incomplete_draw(counts) == named, reason


# A line as it was written before records held charts, and versions of all resources; what was written stays readable.
FIRST_FORM = b"""{"kind":"hook","time":"2026-03-09T15:30:00Z","request_id":"r","hook_instance":"h","client":"main-ehr",
"user":"Practitioner/p","patient":"p1","outcome":"above-cutoff","sii":"501.816","cutoff":"405.08","basis":"absolute",
"used":[{"analyte":"platelets","reference":"Observation/1","code":"777-3","basis":"absolute","effective":"2026-02-20",
"value":"179.22","unit":"10*9/L"}],"earlier":[{"sii":"280.000","sample_time":"2025-12-20","baseline":true}],
"excluded":[{"reference":"Observation/odd","reason":"unit-unknown"}],"conditions":[{"reference":"Condition/hcc",
"category":"primary","code":"C22.0"}],"procedures":[{"reference":"Procedure/abl","therapy":"ablation",
"code":"609232008"}],"card":"c","shown":true,"mode":"active","rule_version":"1","mapping_version":"m",
"configuration":"0123456789ab","timezone":"UTC","timings_ms":{"decide":1.5}}"""


def test_record_of_the_first_form_is_read() -> None:
    record = msgspec.json.decode(FIRST_FORM, type=HookRecord)

    assert (record.sii, record.how_presented, bytes(record.chart)) == ("501.816", "shown", b"")
    assert record.used[0].value == Decimal("179.22")
    assert (record.earlier[0].sii, record.earlier[0].results) == ("280.000", ())
    assert [entry.version for entry in (record.excluded[0], record.conditions[0], record.procedures[0])] == [""] * 3
