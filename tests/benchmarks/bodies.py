"""Hook requests of a given size, for an eligible patient and for one who is not, as real servers send them.

Two draws a day, in no order, each result with its category, reference range, version and time of issue, one in twenty
not final yet.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

# LOINC code, display, value on the first day, how much more each draw, and UCUM unit. Values differ from draw to
# draw, as those of a patient do. SII of the newest draw = 210 x 6.1 / 0.9 = 1423.3, above the cut-off.
ANALYTES = (
    ("751-8", "Neutrophils [#/volume] in Blood by Automated count", "6.1", "0.07", "10*3/uL"),
    ("731-0", "Lymphocytes [#/volume] in Blood by Automated count", "0.9", "0.01", "10*3/uL"),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "210", "1", "10*3/uL"),
    ("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "3.9", "0.01", "g/dL"),
)
ALBUMIN = "1751-7"
PATIENT = "bench-1"
# Values rise from draw to draw so many times, then begin anew: none leaves its plausible range.
SEASON = 90
# Two draws a day from yesterday back; with 250 of them the oldest is still after the procedure.
PROCEDURE_DAYS_AGO = 200
HOURS_BETWEEN = 9
# Of so many results one is not final; the newest draw is.
EACH_REFUSED = 20


def patient_view_body(
    observations: int, *, eligible: bool, now: datetime | None = None, patient: str = PATIENT
) -> bytes:
    """Build a patient-view request with so many Observations, the same number of each analyte, always in one order.

    Without a primary liver cancer the patient is not eligible; all else is the same.
    """
    now = now or datetime.now(UTC)
    draws, rest = divmod(observations, len(ANALYTES))
    if rest:
        raise ValueError(f"{observations} is not a multiple of {len(ANALYTES)}")
    results = [_observation(analyte, draw, now) for draw in range(draws) for analyte in ANALYTES]
    for result in results[EACH_REFUSED - 1 :: EACH_REFUSED]:
        result["status"] = "preliminary"
    random.Random(observations).shuffle(results)  # noqa: S311  the same order in every run
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


def _observation(analyte: tuple[str, str, str, str, str], draw: int, now: datetime) -> Json:
    code, display, first, step, unit = analyte
    days, hours = 1 + draw // 2, draw % 2 * HOURS_BETWEEN
    exact = Decimal(first) + draw % SEASON * Decimal(step)
    value = int(exact) if exact == int(exact) else float(exact)
    drawn = (now - timedelta(days=days, hours=hours)).replace(microsecond=0)
    limits = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"{code}-{draw}",
        "meta": {"versionId": "1", "lastUpdated": drawn.isoformat()},
        "status": "final",
        "category": [{"coding": [_coding("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")]}],
        "code": {"coding": [{**_coding("http://loinc.org", code), "display": display}], "text": display},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "encounter": {"reference": f"Encounter/{days}"},
        "effectiveDateTime": drawn.isoformat(),
        "issued": (drawn + timedelta(hours=1)).isoformat(),
        "performer": [{"reference": "Organization/laboratory", "display": "Central laboratory"}],
        "specimen": {"reference": f"Specimen/{draw}"},
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        "referenceRange": [{"low": {"value": 1, **limits}, "high": {"value": 9, **limits}, "text": "1 to 9"}],
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
