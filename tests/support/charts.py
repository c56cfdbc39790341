"""Charts for tests: small builders of FHIR resources and of hook bodies, with an eligible patient as the default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

PATIENT_ID = "p1"
# The frozen clock of the tests, away from midnight in every zone used.
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"

NEUTROPHILS = "751-8"
NEUTROPHILS_SHARE = "770-8"
LYMPHOCYTES = "731-0"
LYMPHOCYTES_SHARE = "736-9"
PLATELETS = "777-3"
ALBUMIN = "1751-7"
# Percutaneous microwave ablation of the liver.
ABLATION = "609232008"


def days_ago(days: float, *, now: datetime = NOW) -> str:
    """Return the moment so many days before the frozen clock as a FHIR dateTime."""
    return (now - timedelta(days=days)).isoformat()


def observation(
    code: str, /, value: Any, unit: str = "10*9/L", *, when: str | None = None, oid: str | None = None, **members: Any
) -> Json:
    """Build a final laboratory Observation; `members` replace or, when None, remove top-level members."""
    quantity = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    resource: Json = {
        "resourceType": "Observation",
        "id": oid or f"o-{code}-{value}-{when}".replace(":", "").replace("+", "Z"),
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": when or days_ago(40),
        "valueQuantity": quantity,
    }
    resource.update(members)
    return {name: member for name, member in resource.items() if member is not None}


def draw(
    platelets: Any = 210, neutrophils: Any = "6.1", lymphocytes: Any = "1.8", *, when: str | None = None, **members: Any
) -> list[Json]:
    """Build a complete draw of absolute counts; the default SII is 711.666..., above the cut-off."""
    values = ((PLATELETS, platelets), (NEUTROPHILS, neutrophils), (LYMPHOCYTES, lymphocytes))
    return [observation(code, _number(value), when=when, **members) for code, value in values if value is not None]


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def condition(code: str = "C22.0", /, system: str = ICD10CM, **members: Any) -> Json:
    """Build a confirmed, active Condition; default hepatocellular carcinoma."""
    resource: Json = {
        "resourceType": "Condition",
        "id": f"c-{code}",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "verificationStatus": status("condition-ver-status", "confirmed"),
        "clinicalStatus": status("condition-clinical", "active"),
        "onsetDateTime": days_ago(400)[:10],
    }
    resource.update(members)
    return {name: member for name, member in resource.items() if member is not None}


def status(name: str, code: str) -> Json:
    """Build the CodeableConcept of a Condition status."""
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{name}", "code": code}]}


def procedure(code: str = ABLATION, /, system: str = SNOMED, *, when: str | None = None, **members: Any) -> Json:
    """Build a completed Procedure; default percutaneous ablation 90 days ago."""
    resource: Json = {
        "resourceType": "Procedure",
        "id": f"pr-{code}-{when}".replace(":", ""),
        "status": "completed",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "performedDateTime": when or days_ago(90)[:10],
    }
    resource.update(members)
    return {name: member for name, member in resource.items() if member is not None}


def patient(**members: Any) -> Json:
    """Build an adult Patient."""
    resource: Json = {"resourceType": "Patient", "id": PATIENT_ID, "birthDate": "1958-03-04"}
    resource.update(members)
    return {name: member for name, member in resource.items() if member is not None}


def bundle(*resources: Json, **members: Any) -> Json:
    """Build a searchset Bundle."""
    entries = [
        {"fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r.get('id', 'x')}", "resource": r}
        for r in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries} | members


def prefetch(*blood_counts: Json, **keys: Any) -> Json:
    """Build a full prefetch for an eligible patient; `keys` replace or, when None, stay as null."""
    content: Json = {
        "patient": patient(),
        "bloodCounts": bundle(*(blood_counts or draw())),
        "albumin": bundle(observation(ALBUMIN, 38, "g/L")),
        "conditions": bundle(condition()),
        "procedures": bundle(procedure()),
    }
    return content | keys


def hook_request(*blood_counts: Json, without: tuple[str, ...] = (), members: Json | None = None, **keys: Any) -> Json:
    """Build a patient-view request; `without` drops prefetch keys, `members` replace members of the request."""
    body: Json = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/dr-1", "patientId": PATIENT_ID},
        "prefetch": {k: v for k, v in prefetch(*blood_counts, **keys).items() if k not in without},
    }
    return body | (members or {})
