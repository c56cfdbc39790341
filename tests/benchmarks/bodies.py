"""Hook requests of a given size, for an eligible patient and for one who is not."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

# LOINC code, display, value on the first day, how much more each day, and UCUM unit. Values differ from day to day, as
# those of a patient do. SII of the first day = 210 x 6.1 / 0.9 = 1423.3, above the cut-off.
ANALYTES = (
    ("751-8", "Neutrophils [#/volume] in Blood by Automated count", "6.1", "0.07", "10*3/uL"),
    ("731-0", "Lymphocytes [#/volume] in Blood by Automated count", "0.9", "0.01", "10*3/uL"),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "210", "1", "10*3/uL"),
    ("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "3.9", "0.01", "g/dL"),
)
ALBUMIN = "1751-7"
PATIENT = "bench-1"
# Values rise so many days, then begin anew: none leaves its plausible range.
SEASON = 90
# One draw a day from yesterday back; with 125 of them the oldest is still after the procedure.
PROCEDURE_DAYS_AGO = 200


def patient_view_body(
    observations: int, *, eligible: bool, now: datetime | None = None, patient: str = PATIENT
) -> bytes:
    """Build a patient-view request with so many Observations, the same number of each analyte.

    Without a primary liver cancer the patient is not eligible; all else is the same.
    """
    now = now or datetime.now(UTC)
    draws, rest = divmod(observations, len(ANALYTES))
    if rest:
        raise ValueError(f"{observations} is not a multiple of {len(ANALYTES)}")
    results = [_observation(analyte, day, now) for day in range(1, draws + 1) for analyte in ANALYTES]
    is_albumin = [result["code"]["coding"][0]["code"] == ALBUMIN for result in results]
    request = {
        "hook": "patient-view",
        "hookInstance": "5d2c9a3e-6b1f-4f6a-9a52-0f6d6c1f8f01",
        "context": {"userId": "Practitioner/bench", "patientId": PATIENT},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": PATIENT, "birthDate": "1960-05-04", "gender": "male"},
            "bloodCounts": _bundle([result for result, no in zip(results, is_albumin, strict=True) if not no]),
            "albumin": _bundle([result for result, yes in zip(results, is_albumin, strict=True) if yes]),
            "conditions": _bundle([_condition(eligible)]),
            "procedures": _bundle([_procedure(now)]),
        },
    }
    return json.dumps(request, separators=(",", ":")).replace(PATIENT, patient).encode()


def _observation(analyte: tuple[str, str, str, str, str], days_ago: int, now: datetime) -> Json:
    code, display, first, step, unit = analyte
    exact = Decimal(first) + (days_ago - 1) % SEASON * Decimal(step)
    value = int(exact) if exact == int(exact) else float(exact)
    drawn = (now - timedelta(days=days_ago)).replace(microsecond=0)
    return {
        "resourceType": "Observation",
        "id": f"{code}-{days_ago}",
        "meta": {"versionId": "1", "lastUpdated": drawn.isoformat()},
        "status": "final",
        "category": [{"coding": [_coding("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")]}],
        "code": {"coding": [{**_coding("http://loinc.org", code), "display": display}], "text": display},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "encounter": {"reference": f"Encounter/{days_ago}"},
        "effectiveDateTime": drawn.isoformat(),
        "issued": (drawn + timedelta(hours=1)).isoformat(),
        "performer": [{"reference": "Organization/laboratory", "display": "Central laboratory"}],
        "specimen": {"reference": f"Specimen/{days_ago}"},
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def _condition(eligible: bool) -> Json:
    code = "C22.0" if eligible else "E11.9"
    return {
        "resourceType": "Condition",
        "id": "cancer-or-not",
        "clinicalStatus": {"coding": [_coding("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")]},
        "verificationStatus": {
            "coding": [_coding("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed")]
        },
        "code": {"coding": [_coding("http://hl7.org/fhir/sid/icd-10-cm", code)]},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }


def _procedure(now: datetime) -> Json:
    return {
        "resourceType": "Procedure",
        "id": "ablation",
        "status": "completed",
        "code": {"coding": [_coding("http://snomed.info/sct", "609232008")]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "performedDateTime": (now - timedelta(days=PROCEDURE_DAYS_AGO)).replace(microsecond=0).isoformat(),
    }


def _coding(system: str, code: str) -> Json:
    return {"system": system, "code": code}


def _bundle(resources: list[Json]) -> Json:
    entries = [
        {
            "fullUrl": f"https://ehr.example/fhir/r4/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
