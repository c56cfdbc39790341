"""Whatever a chart holds, its record says enough: the decision recomputed from it is the one that was made."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from cds_service.audit.chart_entries import ChartEntry
from cds_service.audit.chart_keeping import ChartKeeper
from cds_service.audit.chart_restoring import PATIENT_ID, RecordedChart
from cds_service.audit.entries import verdict_members
from cds_service.decision.flow import decide_chart
from cds_service.errors import ServiceError
from tests.support import charts
from tests.support.strategies import damaged_requests, json_text
from tests.unit.normalization.reading import decided
from tests.unit.normalization.reading import site as berlin_site


def chart_of(body: str) -> tuple[object, object]:
    """Decide on a body, and on what its record would keep, once through JSON."""
    decision = decided(body)
    site = berlin_site()
    today = charts.NOW.astimezone(site.policy.timezone).date()
    laboratory = decision.laboratory.chart if decision.laboratory is not None else None
    kept = ChartKeeper(site.mappings).keep(charts.PATIENT_ID, decision.chart, decision.facts.patient, laboratory, today)
    members = verdict_members(decision.assessment, keep_values=False)
    if kept is None:
        return None, None
    entry = msgspec.json.decode(kept, type=ChartEntry)
    again = decide_chart(RecordedChart(entry, today), PATIENT_ID, site, charts.NOW)
    return _without_references(members), _without_references(verdict_members(again.assessment, keep_values=False))


# The platelets of the draw, once more.
TAKEN_BACK = {"resourceType": "Observation", "id": charts.draw()[0]["id"], "status": "entered-in-error"}


NO_CANCER = {
    "resourceType": "Condition",
    "id": "c-C22.0",
    "verificationStatus": charts.status("condition-ver-status", "entered-in-error"),
}
NO_PROCEDURE = {"resourceType": "Procedure", "id": "pr", "status": "entered-in-error"}


def _without_references(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in ("used", "newest_draw")}


@given(damaged_requests())
def test_any_chart_is_recomputed_from_its_record(request: dict[str, Any]) -> None:
    try:
        then, now = chart_of(json_text(request))
    except ServiceError:
        return
    assert then == now


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"valueQuantity": {"value": "about 200", "unit": "10*9/L"}}, "a text where a number belongs"),
        ({"valueQuantity": {"value": 200, "comparator": "<", "unit": "10*9/L"}}, "a comparator"),
        ({"valueQuantity": {"unit": "10*9/L"}}, "a unit alone"),
        ({"valueQuantity": {"value": int("9" * 25), "unit": "10*9/L"}}, "more than any machine's integer"),
        ({"valueQuantity": {"value": int("9" * 40), "unit": "10*9/L"}}, "more digits than any laboratory reports"),
        ({"valueQuantity": None, "valueString": "see note"}, "a text instead of a number"),
        ({"valueQuantity": None, "dataAbsentReason": {"text": "hemolysed"}}, "a reason for no value"),
        ({"valueQuantity": None}, "nothing at all"),
        ({"subject": None}, "no subject"),
        ({"subject": {"reference": "Patient/another"}}, "another patient"),
        ({"status": "preliminary"}, "not a finished result"),
        (
            {"effectiveDateTime": None, "effectivePeriod": {"start": charts.days_ago(41), "end": charts.days_ago(40)}},
            "period",
        ),
        ({"effectiveDateTime": None, "effectiveInstant": charts.days_ago(40)}, "an instant"),
        ({"code": {"coding": [{"code": "777-3"}]}}, "a code without a system is not ours"),
        ({"component": 7}, "malformed"),
        ({"focus": [{"reference": "Patient/donor"}]}, "a donor's blood"),
        ({"focus": [{"reference": "Patient/p1"}]}, "the patient's own"),
        ({"modifierExtension": [{"url": "https://x.example/not"}]}, "a meaning that nobody here understands"),
        ({"specimen": {"reference": "Specimen/blood"}}, "a specimen"),
        ({"status": "corrected", "effectiveDateTime": charts.days_ago(40)[:10]}, "a correction that tells the day"),
        ({"status": 5, "code": {"coding": [{"system": charts.LOINC, "code": "99999-9"}]}}, "malformed, another test"),
        ({"status": 5, "code": {"text": "?"}}, "malformed, and its code says nothing"),
        (
            {"status": 5, "code": {"coding": [{"system": charts.LOINC, "code": "99999-9"}]}, "component": [{}]},
            "malformed, another test, and ours may stand in its components",
        ),
    ],
)
def test_a_result_of_any_kind_is_recomputed_from_its_record(changes: dict[str, Any], reason: str) -> None:
    odd = charts.observation(charts.PLATELETS, 200, oid="odd", **changes)
    then, now = chart_of(json_text(charts.hook_request(*charts.draw(), odd)))

    assert then == now, reason
    assert then is not None


def test_versions_of_one_result_are_told_apart_in_the_record() -> None:
    """Both searches brought a share that may be a fraction, and it was corrected between them."""
    shares = [charts.observation(charts.NEUTROPHILS_SHARE, 60, "%"), charts.observation(charts.PLATELETS, 150)]
    before, after = (
        charts.observation(charts.LYMPHOCYTES_SHARE, 0.2, "%", oid="l", meta={"versionId": version})
        for version in ("1", "2")
    )
    then, now = chart_of(json_text(charts.hook_request(*shares, before, albumin=charts.bundle(after))))

    assert then == now
    assert then is not None


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"patient": charts.patient(birthDate="2009-03-04")}, "under age"),
        ({"patient": charts.patient(birthDate="2008")}, "a partial date"),
        ({"patient": charts.patient(birthDate="1901-02-28")}, "older than a record tells"),
        ({"patient": charts.patient(deceasedDateTime="2026-01")}, "deceased"),
        ({"patient": None}, "no Patient"),
        ({"conditions": charts.bundle(charts.condition(verificationStatus=None))}, "no verification status"),
        ({"conditions": charts.bundle(charts.condition(verificationStatus={"text": "?"}))}, "a status without a code"),
        ({"conditions": charts.bundle(charts.condition(), charts.condition("C78.7"))}, "metastasis"),
        ({"conditions": charts.bundle(charts.condition(), {"resourceType": "Condition", "code": 7})}, "malformed"),
        ({"conditions": charts.bundle(charts.condition("F20.0", onsetDateTime=5))}, "malformed, another diagnosis"),
        ({"procedures": charts.bundle(charts.procedure("12345", performedDateTime=7))}, "malformed, another procedure"),
        ({"procedures": charts.bundle(charts.procedure(performedDateTime=None))}, "undated"),
        ({"procedures": charts.bundle(charts.procedure(when="2026"))}, "a year"),
        ({"procedures": charts.bundle(charts.procedure(when="2027-01-01"))}, "in the future"),
        ({"procedures": charts.bundle(charts.procedure(), link=[{"relation": "next", "url": "x"}])}, "a page missing"),
        ({"procedures": charts.bundle(charts.procedure(), total=900)}, "matches missing"),
        ({"conditions": charts.bundle(total=5)}, "all of them missing"),
        ({"bloodCounts": charts.bundle(*charts.draw(), total=900)}, "blood counts missing"),
        ({"albumin": charts.bundle(total=1)}, "albumin missing"),
        ({"procedures": charts.bundle({"id": "odd", "status": "completed"} | {"resourceType": ""})}, "no type"),
        ({"conditions": charts.bundle(charts.condition(modifierExtension=[{"url": "x"}]))}, "modified"),
        ({"bloodCounts": charts.bundle(*charts.draw(), TAKEN_BACK)}, "taken back by a version without a code"),
        ({"albumin": charts.bundle(TAKEN_BACK)}, "and by one that came with another search"),
        ({"conditions": charts.bundle(charts.condition(), NO_CANCER)}, "a diagnosis taken back"),
        ({"procedures": charts.bundle(charts.procedure(id="pr"), NO_PROCEDURE)}, "a procedure taken back"),
    ],
)
def test_eligibility_of_any_kind_is_recomputed_from_its_record(keys: dict[str, Any], reason: str) -> None:
    then, now = chart_of(json_text(charts.hook_request(**keys)))

    assert then == now, reason
    assert then is not None
