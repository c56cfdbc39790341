"""AuditEvents: what they say of a record, and what they leave out."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from cds_service.audit.building import build_unavailable_record
from cds_service.audit.events import codes
from cds_service.audit.events.building import Observer, audit_event
from cds_service.audit.events.references import References
from cds_service.audit.search import CardOf, Found
from tests.unit.audit.samples import (
    CARD,
    KEY,
    assessed,
    context,
    draw,
    feedback_record,
    hook_record,
)

if TYPE_CHECKING:
    from cds_service.audit.records import FeedbackRecord, HookRecord

OBSERVER = Observer("https://cds.hospital.example")
DOCUMENT = Path(__file__).parents[3] / "docs" / "audit.md"


def event_of(record: HookRecord | FeedbackRecord, card_of: CardOf | None = None, sequence: int = 7) -> dict[str, Any]:
    event = audit_event(Found(sequence, record, card_of), OBSERVER)
    assert AuditEvent.model_validate(event)
    return event


def agents(event: dict[str, Any]) -> list[tuple[str, Any, bool]]:
    return [
        (
            agent["type"]["coding"][0]["code"],
            agent["who"].get("reference") or agent["who"]["display"],
            agent["requestor"],
        )
        for agent in event["agent"]
    ]


def details(event: dict[str, Any]) -> dict[str, str]:
    (report,) = (entity for entity in event["entity"] if "detail" in entity)
    return {detail["type"]: detail["valueString"] for detail in report["detail"]}


def references(event: dict[str, Any]) -> list[str]:
    role = codes.DOMAIN_RESOURCE.coding()
    return [entity["what"]["reference"] for entity in event["entity"] if entity.get("role") == role]


def test_event_of_a_hook_says_who_asked_about_whom_and_what_was_looked_at() -> None:
    event = event_of(hook_record())

    assert [coding["code"] for coding in event["subtype"]] == ["operation", "cds-advice"]
    assert (event["action"], event["outcome"], event["recorded"]) == ("E", "0", "2026-03-09T15:30:00Z")
    # IHE BALP, PatientQuery: the client is the source, the server the destination (clinical facts, 6d).
    assert agents(event) == [
        ("110153", "main-ehr", False),
        ("110152", "sii-cds", False),
        ("IRCP", "Practitioner/p", True),
    ]
    assert event["entity"][0]["what"] == {"reference": "Patient/p1"}
    assert event["entity"][1]["what"]["identifier"]["value"] == "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    assert references(event) == [
        "Observation/platelets-2026-02-20/_history/3",
        "Observation/neutrophils-2026-02-20/_history/3",
        "Observation/lymphocytes-2026-02-20/_history/3",
        "Observation/albumin-2026-02-20/_history/3",
        "Observation/odd/_history/5",
        "Condition/hcc/_history/7",
        "Procedure/abl/_history/8",
    ]
    assert event["entity"][-1]["what"]["identifier"]["value"] == f"urn:uuid:{CARD}"
    assert details(event) == {
        "outcome": "above-cutoff",
        "presentation": "shown",
        "service": "sii-recurrence-risk",
        "mode": "active",
        "rule-version": "1.2.3",
        "mapping-version": "2026-01",
        "configuration": "0123456789ab",
    }


def test_event_holds_no_value_of_any_result() -> None:
    text = json.dumps(event_of(hook_record()))

    # Platelets, neutrophils, lymphocytes, albumin, SII of the record.
    assert not re.search(r"179\.22|\b0\.70\b|\b0\.25\b|38\.4|501\.8", text)


def test_event_of_feedback_is_an_event_of_its_own_with_the_patient_of_its_card() -> None:
    feedback = feedback_record(comment="seen by Dr. Canary", reason_system="https://x.example/reasons")
    event = event_of(feedback, CardOf("p1", "Practitioner/p"))

    assert [coding["code"] for coding in event["subtype"]] == ["operation", "cds-feedback"]
    assert agents(event) == [("110153", "main-ehr", True), ("110152", "sii-cds", False)]
    assert event["entity"][0]["what"] == {"reference": "Patient/p1"}
    assert details(event) == {
        "outcome": "overridden",
        "outcome-time": "2026-03-10T00:30:00+09:00",
        "override-reason": "residual-disease",
        "override-reason-system": "https://x.example/reasons",
        "card-known": "yes",
    }
    assert "Canary" not in json.dumps(event), "the comment stays in the log"


@pytest.mark.parametrize(
    ("reference", "version", "what", "reason"),
    [
        ("Observation/a", "", {"reference": "Observation/a"}, "a FHIR id"),
        ("Observation/a", "2", {"reference": "Observation/a/_history/2"}, "of a version"),
        ("Observation/a b", "", {"identifier": {"value": "Observation/a b"}}, "a blank is in no FHIR id"),
        ("Observation/a", "x y", {"identifier": {"value": "Observation/a/_history/x y"}}, "nor in a version"),
        ("Observation/" + "x" * 65, "", {"identifier": {"value": "Observation/" + "x" * 65}}, "longer than 64"),
        ("Observation/\x00\n", "", {"identifier": {"value": "Observation/??"}}, "no FHIR string holds a control"),
    ],
)
def test_event_reference_is_one_of_fhir_or_an_identifier(
    reference: str, version: str, what: dict[str, Any], reason: str
) -> None:
    used = msgspec.structs.replace(hook_record().used[0], reference=reference, version=version)
    event = event_of(msgspec.structs.replace(hook_record(), used=(used,)))

    assert what in [entity.get("what") for entity in event["entity"]], reason


def test_event_texts_of_callers_hold_no_control_character() -> None:
    odd: dict[str, Any] = {
        "user": "Practitioner/\x1b",
        "hook_instance": "a\x00",
        "patient": "p\n1",
        "request_id": "\x07",
    }
    feedback = feedback_record("\x1bcard", reason_code="a\x00b", reason_system="\ufffe", accepted_suggestions=("\r",))

    for event in (event_of(hook_record(**odd)), event_of(feedback, CardOf("p\n1", "Practitioner/p"))):
        assert not re.search(r"\\u|\\[nrt]", json.dumps(event))
        assert "?" in json.dumps(event)


def test_event_of_feedback_on_an_unknown_card_has_no_patient() -> None:
    event = event_of(feedback_record("123456"))

    assert event["entity"][-1]["what"]["identifier"] == {"value": "123456"}
    assert details(event)["card-known"] == "no"
    assert codes.PATIENT.coding() not in [entity.get("role") for entity in event["entity"]]


@pytest.mark.parametrize(
    ("record", "outcome", "description"),
    [
        (hook_record(), "0", "above-cutoff"),
        (hook_record(assessed(), card=None), "0", "indeterminate: missing-neutrophils, missing-lymphocytes"),
        (build_unavailable_record(context(), ("bloodCounts",), timings_ms={}), "4", "data-unavailable: bloodCounts"),
        (feedback_record(), "0", "overridden"),
    ],
)
def test_event_outcome(record: HookRecord, outcome: str, description: str) -> None:
    event = event_of(record)

    assert event["outcome"] == outcome
    assert event["outcomeDesc"].startswith(description)


def test_event_of_an_indeterminate_hook_names_the_draw_that_could_not_be_used() -> None:
    event = event_of(hook_record(assessed(draw(date(2026, 1, 20)))))

    assert "Observation/platelets-2026-01-20/_history/3" in references(event)
    assert details(event)["reasons"]


def test_event_of_a_pseudonym_names_no_patient() -> None:
    event = event_of(hook_record(pseudonym_key=KEY))

    assert event["entity"][0]["what"]["identifier"]["value"].startswith("hmac:")
    assert "Patient/" not in json.dumps(event)


@pytest.mark.parametrize(
    ("user", "kind", "reason"),
    [
        ("Patient/p1", "Patient", "the patient asks"),
        ("RelatedPerson/p1", "RelatedPerson", "somebody asks for the patient"),
        ("p1", "Patient", "an id alone is that of the patient"),
    ],
)
def test_event_of_a_patient_as_user_names_the_pseudonym(user: str, kind: str, reason: str) -> None:
    event = event_of(hook_record(pseudonym_key=KEY, user=user))
    patient = event["entity"][0]["what"]["identifier"]

    assert event["agent"][2]["who"] == {"type": kind, "identifier": patient}, reason
    assert '"p1' not in json.dumps(event).replace("/", '"'), reason


@pytest.mark.parametrize("user", ["", "dr house", "Practitioner/ü", "https://ehr.example/Practitioner/1"])
def test_event_of_an_odd_user_is_valid(user: str) -> None:
    event = event_of(hook_record(user=user))

    assert len(event["agent"]) == (3 if user else 2)
    assert sum(agent["requestor"] for agent in event["agent"]) == 1


def test_event_id_is_made_from_the_record() -> None:
    record = hook_record()

    assert event_of(record)["id"] == event_of(record)["id"] == "8672cd85-d9f7-58eb-ad9c-7ce3d49fda82"
    others = (event_of(record, sequence=8), event_of(msgspec.structs.replace(record, request_id="x")))
    assert len({event["id"] for event in (event_of(record), *others)}) == 3


def test_every_code_stands_in_the_documentation_with_its_source() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    missing = [
        code
        for code in codes.ALL
        if not any(f"`{code.system}`" in row and f"`{code.code}`" in row and code.source in row for row in rows)
    ]
    assert len(codes.ALL) > 12
    assert missing == []


BASE = "https://ehr.hospital.example/fhir/r4"


@pytest.mark.parametrize(
    ("form", "client", "made", "reason"),
    [
        ("relative", "main-ehr", {"reference": "Observation/a/_history/2"}, "as the log has it"),
        ("absolute", "main-ehr", {"reference": f"{BASE}/Observation/a/_history/2"}, "at the client's server"),
        (
            "absolute",
            "gone",
            {"type": "Observation", "identifier": {"value": "Observation/a/_history/2"}},
            "nobody knows the server of a client that left",
        ),
        (
            "logical",
            "main-ehr",
            {
                "type": "Observation",
                "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{BASE}/Observation/a/_history/2"},
            },
            "an identifier is never looked up",
        ),
        (
            "logical",
            "gone",
            {"type": "Observation", "identifier": {"value": "Observation/a/_history/2"}},
            "of an unknown server",
        ),
    ],
)
def test_references_each_form_names_the_resource(form: Any, client: str, made: dict[str, Any], reason: str) -> None:
    references = References(form, {"main-ehr": BASE})

    assert references.make("Observation/a/_history/2", client) == made, reason
    assert references.make("no reference", client) == {"identifier": {"value": "no reference"}}


def test_audit_event_with_logical_references_holds_no_other() -> None:
    found = Found(1, hook_record(user="Practitioner/x"), None)
    event = audit_event(found, Observer("https://cds.hospital.example", References("logical")))

    assert '"reference"' not in json.dumps(event)
    assert '"Practitioner/x"' in json.dumps(event)
