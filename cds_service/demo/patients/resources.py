"""Builders for the FHIR R4 resources of the synthetic charts; everything is plain JSON.

The patients are invented. Codes and their displays are those of the project's clinical facts; a code
whose display no source gave is sent with the story's own `text` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

Resource = dict[str, Any]
Gender = Literal["female", "male", "other", "unknown"]

SNOMED_CT = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
# Marks a resource as test health data, so that no export of the demo passes for a real chart.
TEST_DATA = {"security": [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST"}]}


def coding(system: str, code: str, display: str = "") -> Resource:
    """Return a Coding; an empty display is left out."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(text: str, *codings: Resource) -> Resource:
    """Return a CodeableConcept with its text and, where there are any, its codings."""
    return {"text": text} | ({"coding": list(codings)} if codings else {})


LIVER_CELL_CARCINOMA = concept(
    "Hepatocellular carcinoma",
    coding(SNOMED_CT, "109841003", "Liver cell carcinoma"),
    coding(ICD_10_CM, "C22.0", "Liver cell carcinoma"),
)
INTRAHEPATIC_BILE_DUCT_CARCINOMA = concept(
    "Intrahepatic cholangiocarcinoma",
    coding(SNOMED_CT, "109842005", "Intrahepatic bile duct carcinoma"),
    coding(ICD_10_CM, "C22.1", "Intrahepatic bile duct carcinoma"),
)
LOCAL_RECURRENCE = concept(
    "Local recurrence of liver cancer",
    coding(SNOMED_CT, "314963000", "Local recurrence of malignant tumor of liver"),
)
LIVER_METASTASES = concept("Liver metastases of a colon cancer", coding(ICD_10_CM, "C78.7"))
COLON_CANCER = concept("Colon cancer, resected")
CIRRHOSIS = concept("Cirrhosis of the liver", coding(ICD_10_CM, "K74.60"))

MICROWAVE_ABLATION = concept("Percutaneous microwave ablation", coding(SNOMED_CT, "609232008"))
RADIOFREQUENCY_ABLATION = concept("Percutaneous radiofrequency ablation", coding(ICD_10_PCS, "0F503ZZ"))
LESION_DESTRUCTION = concept(
    "Ablation of a liver lesion", coding(SNOMED_CT, "5415002", "Destruction of lesion of liver")
)
TACE = concept(
    "TACE of the liver",
    coding(SNOMED_CT, "441525007", "Percutaneous transluminal chemoembolisation of artery"),
)
HAIC = concept(
    "Hepatic arterial infusion chemotherapy",
    coding(SNOMED_CT, "720379009", "Hepatic arterial infusion chemotherapy"),
)
LIVER_RESECTION = concept("Resection of liver segment VI")


def patient(patient_id: str, given: str, family: str, gender: Gender, birth_date: date) -> Resource:
    """Return a Patient whose record number and security label say that it is test data."""
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "meta": TEST_DATA,
        "identifier": [{"system": "http://demo-ehr.invalid/record-number", "value": patient_id}],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "gender": gender,
        "birthDate": birth_date.isoformat(),
    }


def condition(resource_id: str, patient_id: str, code: Resource, recorded: date) -> Resource:
    """Return an active, confirmed Condition of the problem list, known since `recorded`."""
    return {
        "resourceType": "Condition",
        "id": resource_id,
        "meta": TEST_DATA,
        "clinicalStatus": concept("Active", coding(f"{TERMINOLOGY}/condition-clinical", "active")),
        "verificationStatus": concept("Confirmed", coding(f"{TERMINOLOGY}/condition-ver-status", "confirmed")),
        "category": [concept("Problem list item", coding(f"{TERMINOLOGY}/condition-category", "problem-list-item"))],
        "code": code,
        "subject": {"reference": f"Patient/{patient_id}"},
        "onsetDateTime": recorded.isoformat(),
        "recordedDate": recorded.isoformat(),
    }


def procedure(resource_id: str, patient_id: str, code: Resource, performed: date | None) -> Resource:
    """Return a Procedure of the liver: completed on a day, or in preparation if no day is given."""
    return {
        "resourceType": "Procedure",
        "id": resource_id,
        "meta": TEST_DATA,
        "status": "completed" if performed else "preparation",
        "code": code,
        "subject": {"reference": f"Patient/{patient_id}"},
        "bodySite": [concept("Liver", coding(SNOMED_CT, "10200004", "Liver structure"))],
    } | ({"performedDateTime": performed.isoformat()} if performed else {})


def searchset(resources: Sequence[Resource]) -> Resource:
    """Return the Bundle a FHIR search would answer with; without matches it has no entries."""
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    if resources:
        bundle["entry"] = [
            {
                # RFC 6761 keeps .invalid from ever resolving: the demo has no FHIR server to call.
                "fullUrl": f"http://demo-ehr.invalid/fhir/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in resources
        ]
    return bundle
