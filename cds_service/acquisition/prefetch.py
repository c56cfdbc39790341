"""Prefetch in its four states (specification: Providing FHIR Resources; requirements 38-51).

present    the key holds a resource or a Bundle with entries
no data    null, or a Bundle without matches: the CDS Client looked and found nothing
missing    the key is not there: nobody looked
failed     an error OperationOutcome, text, or the wrong resource type: somebody looked and could not tell

Only missing and failed keys, and a Bundle with a next page, leave a question open.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

import msgspec

from cds_service.acquisition.bundles import MOST_ENTRIES, BundleContent, BundleFailedError, BundleReader, R
from cds_service.acquisition.resources import NoModifiers, Patient
from cds_service.errors import PatientMismatchError
from cds_service.foreign_bytes import UNREADABLE, decode

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


class PrefetchKey(NamedTuple, Generic[R]):
    """One prefetched search."""

    state: KeyState
    content: BundleContent[R] = BundleContent()


_ANY = msgspec.json.Decoder(Any)
_NULL = msgspec.Raw(b"null")
_LONGEST_MEMBER = 256
# Hundreds of other records of one person; each element becomes an object.
_LONGEST_LINKS = 65_536
# Neither a date nor a truth value, and not nothing: what stood there cannot be read.
_NO_VALUE = (None,)


class _Identity(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    id: str | None = None


class _UndecodedPatient(msgspec.Struct):
    id: str | None = None
    birthDate: msgspec.Raw = _NULL  # noqa: N815
    deceasedBoolean: msgspec.Raw = _NULL  # noqa: N815
    deceasedDateTime: msgspec.Raw = _NULL  # noqa: N815
    link: msgspec.Raw = _NULL
    modifierExtension: NoModifiers = None  # noqa: N815


_PATIENT = msgspec.json.Decoder(_UndecodedPatient)

# Read before the rest: a Patient whose other members are broken may still be another patient.
_IDENTITY = msgspec.json.Decoder(_Identity)


def read_patient(request: CDSRequest) -> Patient | None:
    """Read the key `patient`; None when it is missing, empty or not readable, since it is optional data.

    Raises PatientMismatchError when the resource is another patient than `context.patientId`.
    """
    raw = request.prefetch.get(PATIENT)
    return parse_patient(raw, request.context.patientId) if raw is not None else None


def parse_patient(raw: msgspec.Raw, patient_id: str) -> Patient | None:
    """Return a Patient resource; None when it is none or has no id. Raises PatientMismatchError for another one."""
    try:
        who = decode(_IDENTITY, raw)
        if who.resourceType != "Patient" or not who.id:
            return None
        if who.id != patient_id:
            raise PatientMismatchError
        sent = decode(_PATIENT, raw)
        # Nobody can say whether another record took its place.
        return _of_short_members(sent) if memoryview(sent.link).nbytes <= _LONGEST_LINKS else None
    except UNREADABLE:
        return None


def _of_short_members(sent: _UndecodedPatient) -> Patient:
    """Return a Patient whose members are read where they are no longer than a date or a truth value can be."""
    birth, dead, death = (_read_short(m) for m in (sent.birthDate, sent.deceasedBoolean, sent.deceasedDateTime))
    link = decode(_ANY, sent.link)
    return Patient("Patient", sent.id, birthDate=birth, deceasedBoolean=dead, deceasedDateTime=death, link=link)


def _read_short(member: msgspec.Raw) -> Any:
    return decode(_ANY, member) if memoryview(member).nbytes <= _LONGEST_MEMBER else _NO_VALUE


def read_key(request: CDSRequest, key: str, reader: BundleReader[R], most: int = MOST_ENTRIES) -> PrefetchKey[R]:
    """Read the key of a search, `most` entries of it."""
    raw = request.prefetch.get(key)
    if raw is None:
        return PrefetchKey(KeyState.MISSING)
    if is_null(raw):
        return PrefetchKey(KeyState.NO_DATA)
    try:
        content = reader.read(raw, most)
    except BundleFailedError:
        return PrefetchKey(KeyState.FAILED)
    empty = not content.resources and not content.malformed
    return PrefetchKey(KeyState.NO_DATA if empty else KeyState.PRESENT, content)


def is_null(raw: msgspec.Raw) -> bool:
    """Tell whether a prefetch value is null: the CDS Client looked and found nothing."""
    return bytes(raw) == b"null"
