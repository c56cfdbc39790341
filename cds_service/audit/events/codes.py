"""Every code that an AuditEvent of this service carries, with where it comes from."""

from __future__ import annotations

from typing import Final, NamedTuple


class Code(NamedTuple):
    """A coding, and the source that says what it means."""

    system: str
    code: str
    display: str
    source: str

    def coding(self) -> dict[str, str]:
        """Return the FHIR Coding."""
        return {"system": self.system, "code": self.code, "display": self.display}


_HL7: Final = "http://terminology.hl7.org/CodeSystem"
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_BALP: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_OWN: Final = "https://sii-cds.org/CodeSystem"

_R4: Final = "FHIR R4, AuditEvent"
_PATTERN: Final = "IHE BALP 1.1, PatientQuery"

REST: Final = Code(f"{_HL7}/audit-event-type", "rest", "RESTful Operation", _PATTERN)
OPERATION: Final = Code("http://hl7.org/fhir/restful-interaction", "operation", "operation", _R4)
CDS_ADVICE: Final = Code(f"{_OWN}/audit-event-subtypes", "cds-advice", "CDS Hooks advice", "this service")
TREND_VIEW: Final = Code(f"{_OWN}/audit-event-subtypes", "trend-view", "View of the trend app", "this service")
CDS_FEEDBACK: Final = Code(f"{_OWN}/audit-event-subtypes", "cds-feedback", "CDS Hooks feedback", "this service")

# The CDS Client sends the data of the request, as the client of a query sends its parameters.
CLIENT: Final = Code(_DICOM, "110153", "Source Role ID", _PATTERN)
SERVER: Final = Code(_DICOM, "110152", "Destination Role ID", _PATTERN)
USER: Final = Code(f"{_HL7}/v3-ParticipationType", "IRCP", "information recipient", _PATTERN)

TREATMENT: Final = Code(f"{_HL7}/v3-ActReason", "TREAT", "treatment", "HL7 v3 PurposeOfUse; CDS Hooks serves care")

PERSON: Final = Code(f"{_HL7}/audit-entity-type", "1", "Person", _PATTERN)
SYSTEM_OBJECT: Final = Code(f"{_HL7}/audit-entity-type", "2", "System Object", _PATTERN)
REQUEST_ID: Final = Code(_BALP, "XrequestId", "X-Request-Id", _PATTERN)
HOOK_INSTANCE: Final = Code(f"{_OWN}/audit-entity-types", "hook-instance", "CDS Hooks hookInstance", "this service")

PATIENT: Final = Code(f"{_HL7}/object-role", "1", "Patient", _PATTERN)
REPORT: Final = Code(f"{_HL7}/object-role", "3", "Report", _R4)
DOMAIN_RESOURCE: Final = Code(f"{_HL7}/object-role", "4", "Domain Resource", "IHE BALP 1.1, PatientRead")

APPLICATION_SERVER: Final = Code(f"{_HL7}/security-source-type", "4", "Application Server", _R4)

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Code))

# AuditEvent.outcome (FHIR R4, http://hl7.org/fhir/audit-event-outcome). 8, serious failure, would stand for an answer
# 5xx. It is never given: such a call usually has no record, and where it has one (the disk did not say in time that the
# record is safe) the record was written before anybody knew the answer.
SUCCESS: Final = "0"
MINOR_FAILURE: Final = "4"
EXECUTE: Final = "E"
