"""Prefetch in its four states (specification: Providing FHIR Resources; requirements 38-51).

present    the key holds a resource or a Bundle with entries
no data    null, or a Bundle without matches: the CDS Client looked and found nothing
missing    the key is not there: nobody looked
failed     an error OperationOutcome, text, or the wrong resource type: somebody looked and could not tell

Only missing and failed keys, and a Bundle with a next page, leave a question open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic

import msgspec

from cds_service.acquisition.bundles import BundleContent, BundleFailedError, BundleReader, R
from cds_service.acquisition.resources import Condition, Observation, Patient, Procedure
from cds_service.errors import PatientMismatchError

if TYPE_CHECKING:
    from cds_service.hooks.request import CDSRequest

PATIENT = "patient"
CONDITIONS = "conditions"
PROCEDURES = "procedures"
BLOOD_COUNTS = "bloodCounts"
ALBUMIN = "albumin"


class KeyState(StrEnum):
    """What a prefetch key tells."""

    PRESENT = "present"
    NO_DATA = "no-data"
    MISSING = "missing"
    FAILED = "failed"

    @property
    def is_answered(self) -> bool:
        """Tell whether the question behind the key was answered, be it with "nothing"."""
        return self in (KeyState.PRESENT, KeyState.NO_DATA)


@dataclass(frozen=True, slots=True)
class PrefetchKey(Generic[R]):
    """One prefetched search."""

    state: KeyState
    content: BundleContent[R] = field(default_factory=BundleContent)


_OBSERVATIONS = BundleReader(Observation)
_CONDITIONS = BundleReader(Condition)
_PROCEDURES = BundleReader(Procedure)
_PATIENT = msgspec.json.Decoder(Patient)


class _Identity(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    id: str | None = None


# Read before the rest: a Patient whose other members are broken may still be another patient.
_IDENTITY = msgspec.json.Decoder(_Identity)


def read_conditions(request: CDSRequest) -> PrefetchKey[Condition]:
    """Read the key `conditions`."""
    return _read(request, CONDITIONS, _CONDITIONS)


def read_procedures(request: CDSRequest) -> PrefetchKey[Procedure]:
    """Read the key `procedures`."""
    return _read(request, PROCEDURES, _PROCEDURES)


def read_observations(request: CDSRequest, key: str) -> PrefetchKey[Observation]:
    """Read the key `bloodCounts` or `albumin`."""
    return _read(request, key, _OBSERVATIONS)


def read_patient(request: CDSRequest) -> Patient | None:
    """Read the key `patient`; None when it is missing, empty or not readable, since it is optional data.

    Raises PatientMismatchError when the resource is another patient than `context.patientId`.
    """
    raw = request.prefetch.get(PATIENT)
    if raw is None:
        return None
    try:
        who = _IDENTITY.decode(raw)
        if who.resourceType != "Patient" or not who.id:
            return None
        if who.id != request.context.patientId:
            raise PatientMismatchError
        return _PATIENT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _read(request: CDSRequest, key: str, reader: BundleReader[R]) -> PrefetchKey[R]:
    raw = request.prefetch.get(key)
    if raw is None:
        return PrefetchKey(KeyState.MISSING)
    if bytes(raw) == b"null":
        return PrefetchKey(KeyState.NO_DATA)
    try:
        content = reader.read(raw)
    except BundleFailedError:
        return PrefetchKey(KeyState.FAILED)
    empty = not content.resources and not content.malformed
    return PrefetchKey(KeyState.NO_DATA if empty else KeyState.PRESENT, content)
