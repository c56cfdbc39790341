"""Who the page is about: name, birth date and record number, whatever form the Patient has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from cds_service.errors import LaunchUpstreamError
from cds_service.foreign_bytes import UNREADABLE, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECODER: Final = msgspec.json.Decoder()
_LONGEST: Final = 120
# HL7 table 0203: the number by which a hospital knows the patient.
_RECORD_NUMBER: Final = "MR"
# Which of several names a person goes by (FHIR R4: name-use); others come after them.
_NAME_USES: Final = ("official", "usual")


class Banner(NamedTuple):
    """What tells a patient from another one. Empty where the Patient does not say it; `number` never is."""

    name: str
    born: str
    number: str


def read_banner(raw: bytes | msgspec.Raw, patient_id: str) -> Banner:
    """Read a Patient. Raises LaunchUpstreamError unless it is the one of the token."""
    try:
        patient = decode(_DECODER, raw)
    except UNREADABLE:
        raise LaunchUpstreamError("patient", log_detail="the Patient is no JSON") from None
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        raise LaunchUpstreamError("patient", log_detail="the answer is no Patient")
    if patient.get("id") != patient_id:
        raise LaunchUpstreamError("patient", log_detail="the Patient is another one than the token's")
    return Banner(_name(patient), _text(patient.get("birthDate")), _record_number(patient) or patient_id)


def _name(patient: dict[str, Any]) -> str:
    names = sorted(_objects(patient.get("name")), key=_rank_of_name)
    return next((text for name in names if (text := _written(name))), "")


def _rank_of_name(name: dict[str, Any]) -> int:
    use = name.get("use")
    return _NAME_USES.index(use) if use in _NAME_USES else len(_NAME_USES) + (use == "old")


def _written(name: dict[str, Any]) -> str:
    given = name.get("given")
    parts = [*(given if isinstance(given, list) else ()), name.get("family")]
    return _text(name.get("text")) or _text(" ".join(filter(None, map(_text, parts))))


def _record_number(patient: dict[str, Any]) -> str:
    identifiers = [found for found in _objects(patient.get("identifier")) if _text(found.get("value"))]
    identifiers.sort(key=lambda found: (not _is_record_number(found), found.get("use") == "old"))
    return _text(identifiers[0].get("value")) if identifiers else ""


def _is_record_number(identifier: dict[str, Any]) -> bool:
    kind = identifier.get("type")
    codings = _objects(kind.get("coding")) if isinstance(kind, dict) else iter(())
    return any(coding.get("code") == _RECORD_NUMBER for coding in codings)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in (value if isinstance(value, list) else ()) if isinstance(item, dict))


def _text(value: Any) -> str:
    """Return a text as one line without what is not printable, the beginning of a long one."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value.split())
    return "".join(c if c.isprintable() else "?" for c in line)[:_LONGEST]
