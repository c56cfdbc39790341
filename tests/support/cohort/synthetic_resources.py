"""FHIR resources of synthetic patients, as long as those of a hospital."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

Json = dict[str, Any]

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"
STATUS_SYSTEM = "http://terminology.hl7.org/CodeSystem/"

HCC = (ICD10CM, "C22.0")
HCC_SNOMED = (SNOMED, "109841003")
ANGIOSARCOMA = (ICD10CM, "C22.3")
LIVER_SECONDARY = (ICD10CM, "C78.7")
BONE_METASTASIS = (ICD10CM, "C79.51")
CHEMOEMBOLIZATION = (SNOMED, "441525007")
MICROWAVE_ABLATION = (SNOMED, "609232008")
# A code of many uses: tumors and organs alike.
ORGAN_EMBOLIZATION = (CPT, "37243")
LIVER_BIOPSY = (SNOMED, "86259008")

NEUTROPHILS, LYMPHOCYTES, PLATELETS, ALBUMIN, HEART_RATE = "751-8", "731-0", "777-3", "1751-7", "8867-4"
NEUTROPHILS_SHARE, LYMPHOCYTES_SHARE = "770-8", "736-9"
NAMES = {
    NEUTROPHILS: "Neutrophils [#/volume] in Blood by Automated count",
    LYMPHOCYTES: "Lymphocytes [#/volume] in Blood by Automated count",
    PLATELETS: "Platelets [#/volume] in Blood by Automated count",
    ALBUMIN: "Albumin [Mass/volume] in Serum or Plasma",
    HEART_RATE: "Heart rate",
    NEUTROPHILS_SHARE: "Neutrophils/100 leukocytes in Blood by Automated count",
    LYMPHOCYTES_SHARE: "Lymphocytes/100 leukocytes in Blood by Automated count",
}


def at_hour(day: date, hour: int = 7) -> str:
    """A moment that lies on the same day in every zone between London and Shanghai."""
    return (datetime.combine(day, time(hour % 8 + 1, 30), UTC)).isoformat().replace("+00:00", "Z")


def coded(coding: tuple[str, str], text: str = "") -> Json:
    system, code = coding
    return {"coding": [{"system": system, "code": code, "display": text or code}], "text": text or code}


def patient(patient_id: str, **members: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "meta": {"versionId": "1", "lastUpdated": "2024-01-02T03:04:05.678Z"},
        "identifier": [{"system": "https://hospital.example/mrn", "value": f"MRN-{patient_id}"}],
        "name": [{"use": "official", "family": f"Family-{patient_id}", "given": ["Given"]}],
        **members,
    }


def observation(number: str, patient_id: str, code: str, value: Any, unit: str, when: str, **members: Any) -> Json:
    """A final Observation of about 900 bytes."""
    return {
        "resourceType": "Observation",
        "id": number,
        "meta": {"versionId": "1", "lastUpdated": "2024-01-02T03:04:05.678Z", "source": "urn:hl7:lab"},
        "identifier": [{"system": "https://hospital.example/lab/result", "value": f"R-{number}"}],
        "status": "final",
        "category": [coded((STATUS_SYSTEM + "observation-category", "laboratory"), "Laboratory")],
        "code": coded((LOINC, code), NAMES[code]),
        "subject": {"reference": f"Patient/{patient_id}", "display": f"Family-{patient_id}, Given"},
        "encounter": {"reference": f"Encounter/e-{number}"},
        "effectiveDateTime": when,
        "issued": when,
        "performer": [{"reference": "Organization/central-laboratory", "display": "Central Laboratory"}],
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        "referenceRange": [{"low": {"value": 1.5, "unit": unit}, "high": {"value": 350, "unit": unit}}],
        **members,
    }


def condition(number: str, patient_id: str, coding: tuple[str, str], **members: Any) -> Json:
    """A confirmed, active Condition; its dates are members."""
    return {
        "resourceType": "Condition",
        "id": number,
        "meta": {"versionId": "1", "lastUpdated": "2024-01-02T03:04:05.678Z"},
        "clinicalStatus": coded((STATUS_SYSTEM + "condition-clinical", "active")),
        "verificationStatus": coded((STATUS_SYSTEM + "condition-ver-status", "confirmed")),
        "code": coded(coding),
        "subject": {"reference": f"Patient/{patient_id}"},
        **members,
    }


def procedure(number: str, patient_id: str, coding: tuple[str, str], **members: Any) -> Json:
    """A completed Procedure; its date is a member."""
    return {
        "resourceType": "Procedure",
        "id": number,
        "meta": {"versionId": "1", "lastUpdated": "2024-01-02T03:04:05.678Z"},
        "status": "completed",
        "code": coded(coding),
        "subject": {"reference": f"Patient/{patient_id}"},
        **members,
    }


def years_before(day: date, years: int) -> date:
    return day - timedelta(days=round(years * 365.25))
