"""Every resource that a decision rests on, or that it left out, is named in its record and event with its version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.events.building import Observer, audit_event
from cds_service.audit.reading import read_entries
from cds_service.audit.records import HookRecord
from cds_service.audit.search import Found
from tests.support.charts import (
    ALBUMIN,
    NOW,
    PLATELETS,
    Json,
    bundle,
    condition,
    days_ago,
    draw,
    hook_request,
    observation,
    procedure,
)
from tests.support.recorded import VALUES_KEPT, Hook, record
from tests.unit.decision.asking import ASSUMING, SITE

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.decision.site import Site


def versioned(version: str, *resources: Json) -> list[Json]:
    return [resource | {"meta": {"versionId": version}} for resource in resources]


def chart() -> Json:
    """A chart of two draws, an albumin, and results left out for three kinds of reason; all but one has a version."""
    return hook_request(
        *versioned("3", *draw()),
        *versioned("4", *draw(platelets=150, when=days_ago(60))),
        *versioned("5", observation(PLATELETS, 220, oid="withdrawn", status="entered-in-error")),
        *versioned("6", observation(PLATELETS, 220, oid="unreadable", status=5)),
        observation(PLATELETS, 220, oid="plain", unit="10*12/L"),
        albumin=bundle(*versioned("2", observation(ALBUMIN, 38, "g/L", oid="albumin"))),
        conditions=bundle(*versioned("7", condition())),
        procedures=bundle(*versioned("8", procedure(id="ablation"))),
    )


def recorded(directory: Path, body: Json, *, keep_values: bool = False, site: Site = SITE) -> HookRecord:
    """Record one decision, and read what the log says of it."""
    choices = replace(VALUES_KEPT, keep_values=keep_values)
    record(directory, [Hook("r", json.dumps(body).encode(), NOW, site)], choices)
    (found,) = (entry.record for entry in read_entries(directory) if isinstance(entry.record, HookRecord))
    return found


@pytest.mark.parametrize("keep_values", [True, False])
def test_record_names_every_resource_with_its_version(tmp_path: Path, keep_values: bool) -> None:
    found = recorded(tmp_path, chart(), keep_values=keep_values)

    assert [used.version for used in found.used] == ["3", "3", "3", "2"]
    assert {(excluded.reference, excluded.version) for excluded in found.excluded} == {
        ("Observation/withdrawn", "5"),
        ("Observation/unreadable", "6"),
        ("Observation/plain", ""),
    }
    assert [(fact.reference, fact.version) for fact in found.conditions] == [("Condition/c-C22.0", "7")]
    assert [(fact.reference, fact.version) for fact in found.procedures] == [("Procedure/ablation", "8")]


@pytest.mark.parametrize("keep_values", [True, False])
def test_record_names_the_results_of_an_earlier_sii(tmp_path: Path, keep_values: bool) -> None:
    (earlier,) = recorded(tmp_path, chart(), keep_values=keep_values).earlier

    ids = [result["id"] for result in draw(platelets=150, when=days_ago(60))]
    assert [(result.reference, result.version) for result in earlier.results] == [
        (f"Observation/{oid}", "4") for oid in ids
    ], "platelets, neutrophils, lymphocytes"


def test_event_names_every_resource_of_the_record_with_its_version(tmp_path: Path) -> None:
    event = audit_event(Found(1, recorded(tmp_path, chart()), None), Observer())
    named = [entity["what"]["reference"] for entity in event["entity"] if "reference" in entity.get("what", {})]

    ids = [result["id"] for result in (*draw(), *draw(platelets=150, when=days_ago(60)))]
    versions = [f"Observation/{oid}/_history/{version}" for oid, version in zip(ids, "333444", strict=True)]
    assert sorted(named) == sorted(
        [
            "Patient/p1",
            *versions,
            "Observation/albumin/_history/2",
            "Observation/withdrawn/_history/5",
            "Observation/unreadable/_history/6",
            "Observation/plain",
            "Condition/c-C22.0/_history/7",
            "Procedure/ablation/_history/8",
        ]
    )


def test_version_that_is_no_text_costs_no_diagnosis_and_no_procedure(tmp_path: Path) -> None:
    body = chart()
    for key in ("conditions", "procedures"):
        (entry,) = body["prefetch"][key]["entry"]
        entry["resource"]["meta"] = {"versionId": 7}
    found = recorded(tmp_path, body)

    assert (found.outcome, found.conditions[0].version, found.procedures[0].version) == ("above-cutoff", "", "")


@pytest.mark.parametrize(
    ("without", "site", "expected", "reason"),
    [
        ((), SITE, (), "everything was delivered"),
        (("patient", "albumin"), SITE, ("patient", "albumin"), "optional data"),
        (("conditions", "procedures"), ASSUMING, ("conditions", "procedures"), "not required by this site"),
    ],
)
def test_record_names_what_the_decision_did_without(
    tmp_path: Path, without: tuple[str, ...], site: Site, expected: tuple[str, ...], reason: str
) -> None:
    found = recorded(tmp_path, hook_request(without=without), site=site)

    assert (found.outcome, found.not_delivered) == ("above-cutoff", expected), reason


@pytest.mark.parametrize(
    ("members", "expected", "reason"),
    [
        ({"performedDateTime": "2026-08"}, "2026-08", "known to the month"),
        (
            {"performedDateTime": None, "performedPeriod": {"start": "2026-08-01", "end": "2026-08-25"}},
            "2026-08-01/2026-08-25",
            "a Period",
        ),
    ],
)
def test_record_tells_the_date_of_a_procedure_as_recorded(
    tmp_path: Path, members: Json, expected: str, reason: str
) -> None:
    found = recorded(tmp_path, hook_request(procedures=bundle(procedure(**members))))

    assert (found.latest_procedure, found.procedures[0].performed) == (expected, expected), reason
