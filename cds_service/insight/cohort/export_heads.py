"""What tells where a line of an export belongs: the one reader for every engine.

Only the head of a resource is decoded here: type, id, status, subject, and of an Observation its codes. What says
nothing to the rule and was done on some day is a contact: the patient was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from cds_service.foreign_bytes import UNREADABLE, decode, mend, wide_encoding
from cds_service.insight.sources.export_files import LONGEST_LINE
from cds_service.normalization.subject import type_and_id
from cds_service.normalization.taken_back import TAKEN_BACK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhir_mappings.mappings import Mappings

# Kinds of lines, one letter each.
Kind = Literal[b"P", b"D", b"T", b"O", b"C", b"R"]
PATIENT: Final[Kind] = b"P"
DIAGNOSIS: Final[Kind] = b"D"
THERAPY: Final[Kind] = b"T"
RESULT: Final[Kind] = b"O"
CONTACT: Final[Kind] = b"C"
# Not of an export: a decision that the service recorded.
RECORDED_DECISION: Final[Kind] = b"R"

_TYPES: Final = frozenset({"Patient", "Condition", "Procedure", "Observation"})
_RELATIVE: Final = "Patient/"


class Head(NamedTuple):
    """Whose line it is and of what kind. `content` is the line; for a contact the day or moment as recorded."""

    patient: str
    kind: Kind
    content: bytes


class BadLine(NamedTuple):
    """A line that is no resource, and why; nothing of what it holds."""

    reason: str


class Elsewhere(NamedTuple):
    """A good line that says nothing about a patient to the cohort: of another type, or about somebody unknown."""

    is_without_patient: bool


ELSEWHERE: Final = Elsewhere(is_without_patient=False)
NOBODY: Final = Elsewhere(is_without_patient=True)


class _Subject(msgspec.Struct, gc=False):
    reference: str | None = None


class _Resource(msgspec.Struct, gc=False, tag_field="resourceType"):
    id: str | None = None
    status: str | None = None
    subject: _Subject | None = None


class _Patient(_Resource, gc=False, tag="Patient"):
    pass


class _Condition(_Resource, gc=False, tag="Condition"):
    pass


class _Procedure(_Resource, gc=False, tag="Procedure"):
    pass


class _Coding(msgspec.Struct, gc=False):
    code: str | None = None


class _Concept(msgspec.Struct, gc=False):
    coding: tuple[_Coding, ...] | None = None


class _Period(msgspec.Struct, gc=False):
    start: str | None = None
    end: str | None = None


class _Observation(_Resource, gc=False, tag="Observation"):
    code: _Concept | None = None
    component: msgspec.Raw | None = None
    effectiveDateTime: str | None = None  # noqa: N815
    effectiveInstant: str | None = None  # noqa: N815
    effectivePeriod: _Period | None = None  # noqa: N815


class _Typed(msgspec.Struct, gc=False):
    resourceType: Any = None  # noqa: N815
    id: Any = None
    status: Any = None
    subject: Any = None


_HEAD: Final[msgspec.json.Decoder[_Patient | _Condition | _Procedure | _Observation]] = msgspec.json.Decoder(
    _Patient | _Condition | _Procedure | _Observation
)
_TYPED: Final = msgspec.json.Decoder(_Typed)


class HeadReader:
    """Reads heads under the tables of a site."""

    def __init__(self, mappings: Mappings) -> None:
        """Learn the codes of the laboratory that say something to the rule."""
        self._codes = laboratory_codes(mappings)

    def read(self, line: bytes) -> Head | BadLine | Elsewhere | None:
        """Return whose a line is; None for a blank one."""
        try:
            head = _HEAD.decode(line)
        except UNREADABLE:
            return self._read_slowly(line)
        if isinstance(head, _Observation):
            return self._of_observation(head, line)
        if isinstance(head, _Patient):
            return _headed(head.id or "", PATIENT, line)
        kind = DIAGNOSIS if isinstance(head, _Condition) else THERAPY
        return _headed(_patient(head.subject), kind, line)

    def _of_observation(self, head: _Observation, line: bytes) -> Head | Elsewhere:
        patient = _patient(head.subject)
        if self._says_something(head):
            return _headed(patient, RESULT, line)
        period = head.effectivePeriod
        when = head.effectiveDateTime or head.effectiveInstant or (period and (period.end or period.start)) or ""
        if head.status == TAKEN_BACK or not when.isprintable():
            when = ""
        return _headed(patient, CONTACT, when.encode("utf-8", "replace"))

    def _says_something(self, head: _Observation) -> bool:
        if head.component is not None or head.code is None:
            return True
        codes = self._codes
        return any(coding.code in codes for coding in head.code.coding or ())

    def _read_slowly(self, line: bytes) -> Head | BadLine | Elsewhere | None:
        """Read a line that is not as most are: blank, marked, of another type, or bad."""
        if len(line) >= LONGEST_LINE:
            return BadLine(f"longer than {LONGEST_LINE // 1024**2} MiB")
        mended = mend(line).strip()
        if not mended:
            return None
        try:
            typed = decode(_TYPED, mended)
        except UNREADABLE as error:
            return BadLine(_why_unreadable(mended, error))
        if not isinstance(typed.resourceType, str) or not typed.resourceType:
            return BadLine("no resourceType")
        is_ours = typed.resourceType in _TYPES
        wrong = _wrong_member(typed) if is_ours else _wrong_in_any_type(typed)
        if wrong:
            return BadLine(f"{wrong} is of a wrong type")
        return self._of_odd_resource(typed, mended) if is_ours else ELSEWHERE

    def _of_odd_resource(self, typed: _Typed, line: bytes) -> Head | Elsewhere:
        """Place a resource by what of it can be read; what cannot be read is for the rule to judge."""
        if typed.resourceType == "Patient":
            return _headed(typed.id or "", PATIENT, line)
        reference = typed.subject.get("reference") if typed.subject is not None else None
        patient = _patient(_Subject(reference))
        kinds: dict[str, Kind] = {"Condition": DIAGNOSIS, "Procedure": THERAPY, "Observation": RESULT}
        return _headed(patient, kinds[typed.resourceType], line)


def laboratory_codes(mappings: Mappings) -> frozenset[str]:
    """Return every laboratory code of the tables, whatever its system: accepted, refused, or about clumps."""
    rows: Iterable[Any] = (*mappings.rows.analyte_codes, *mappings.rows.refused_codes, *mappings.rows.clumps.codes)
    return frozenset(row.code for row in rows)


def _headed(patient: str, kind: Kind, content: bytes) -> Head | Elsewhere:
    # A FHIR id has no control characters, and they would tear what is written line by line.
    return Head(patient, kind, content) if patient and patient.isprintable() else NOBODY


def _patient(subject: _Subject | None) -> str:
    reference = subject.reference if subject is not None else None
    if not reference:
        return ""
    if reference.startswith(_RELATIVE) and reference.count("/") == 1:
        return reference[len(_RELATIVE) :]
    return type_and_id(reference, "Patient") or ""


def _wrong_member(typed: _Typed) -> str:
    for name, value in (("id", typed.id), ("status", typed.status)):
        if value is not None and not isinstance(value, str):
            return name
    subject = typed.subject
    if subject is None:
        return ""
    reference = subject.get("reference") if isinstance(subject, dict) else 0
    return "" if reference is None or isinstance(reference, str) else "subject"


def _wrong_in_any_type(typed: _Typed) -> str:
    """Name a member of a form that no type of FHIR R4 has; some have several subjects, or a status with a coding."""
    if typed.id is not None and not isinstance(typed.id, str):
        return "id"
    if typed.status is not None and not isinstance(typed.status, str | dict):
        return "status"
    return "" if typed.subject is None or isinstance(typed.subject, dict | list) else "subject"


def _why_unreadable(line: bytes, error: Exception) -> str:
    if wide := wide_encoding(line):
        return f"{wide} in place of UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return "no JSON object"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else "not JSON"
