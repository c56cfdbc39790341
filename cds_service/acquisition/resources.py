"""FHIR R4 resources as far as the service reads them: typed, decoded by msgspec, every other member skipped.

Not more than these members turns into Python objects, which is what makes a long chart cheap. What JSON decodes to
holds no cycles, so the garbage collector need not look at it (`gc=False`). A wrong type in a member that is read makes
that one resource malformed. JSON numbers arrive exactly: int, or Decimal with its digits.

No list is read of more than 1,000 elements: a resource with more is malformed.

A resource with a modifierExtension may mean the opposite of what it says, and must not be processed by who does not
understand it (FHIR R4: Extensibility). None is understood here, so it is malformed like one that cannot be read.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec

T = TypeVar("T")

# Codings, components, focus: the longest panels of laboratories have some hundred.
MOST_PARTS: Final = 1_000
Parts = Annotated[tuple[T, ...], msgspec.Meta(max_length=MOST_PARTS)]

NoModifiers = tuple[()] | None


class Coding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """FHIR Coding. Display texts are not read."""

    system: str | None = None
    code: str | None = None


class CodeableConcept(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """FHIR CodeableConcept."""

    coding: Parts[Coding] = ()


class DescribedCoding(Coding, frozen=True, gc=False, omit_defaults=True):
    """FHIR Coding where its display text is read as well."""

    display: str | None = None


class DescribedConcept(CodeableConcept, frozen=True, gc=False, omit_defaults=True):
    """FHIR CodeableConcept where its texts are read as well: what is measured, and where; why a procedure."""

    coding: Parts[DescribedCoding] = ()
    text: str | None = None


class Reference(msgspec.Struct, gc=False, omit_defaults=True):
    """FHIR Reference."""

    reference: str | None = None


class NamedReference(Reference, gc=False, omit_defaults=True):
    """FHIR Reference with the name of what it points to."""

    display: str | None = None


class Period(msgspec.Struct, gc=False, omit_defaults=True):
    """FHIR Period."""

    start: str | None = None
    end: str | None = None


class Quantity(msgspec.Struct, gc=False, omit_defaults=True):
    """FHIR Quantity. `value` keeps whatever JSON value came, so that text is seen as text."""

    value: Any = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Meta(msgspec.Struct, gc=False):
    """FHIR Meta."""

    versionId: str | None = None  # noqa: N815


_META = msgspec.json.Decoder(Meta)
_NO_META = msgspec.Raw(b"null")


class _Versioned(msgspec.Struct, gc=False, kw_only=True):
    """A resource whose version is read for the record only: whatever stands there, it makes no resource malformed."""

    meta: msgspec.Raw = _NO_META

    @property
    def version(self) -> str:
        """Return meta.versionId, empty where there is none that can be read."""
        if self.meta is _NO_META:
            return ""
        try:
            return _META.decode(self.meta).versionId or ""
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""


NOTHING: Final = _NO_META
_CONCEPTS = msgspec.json.Decoder(tuple[DescribedConcept, ...] | DescribedConcept)
_REFERENCES = msgspec.json.Decoder(tuple[NamedReference, ...] | NamedReference)


def _concepts(raw: msgspec.Raw) -> tuple[DescribedConcept, ...]:
    """Read a member that is of one concept or of several, by version of FHIR; nothing where it cannot be read.

    What only narrows a resource makes none malformed, and is decoded for the few that somebody asks about.
    """
    if raw is NOTHING:
        return ()
    try:
        found = _CONCEPTS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    return found if isinstance(found, tuple) else (found,)


class _Collection(msgspec.Struct, gc=False):
    bodySite: msgspec.Raw = NOTHING  # noqa: N815


class Specimen(msgspec.Struct, gc=False):
    """FHIR Specimen: what it is of, and where it was taken."""

    resourceType: str = ""  # noqa: N815
    id: str | None = None
    type: msgspec.Raw = NOTHING
    collection: _Collection | None = None

    @property
    def materials(self) -> tuple[DescribedConcept, ...]:
        """Return the concepts that may name the material."""
        return _concepts(self.type) + (_concepts(self.collection.bodySite) if self.collection is not None else ())


class _Annotation(msgspec.Struct, gc=False):
    text: str | None = None


# What a card has room for.
_LONGEST_NOTE: Final = 120
_NOTES = msgspec.json.Decoder(tuple[_Annotation, ...])
_CONTAINED = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_SPECIMEN = msgspec.json.Decoder(Specimen)


def read_specimen(raw: msgspec.Raw) -> Specimen | None:
    """Read a Specimen; None where it is none, or cannot be read."""
    try:
        specimen = _SPECIMEN.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return specimen if specimen.resourceType == "Specimen" else None


class _Measurement(msgspec.Struct, gc=False):
    code: DescribedConcept | None = None
    valueQuantity: Quantity | None = None  # noqa: N815
    valueString: Any = None  # noqa: N815
    valueInteger: Any = None  # noqa: N815
    valueBoolean: Any = None  # noqa: N815
    valueCodeableConcept: Any = None  # noqa: N815
    valueRange: Any = None  # noqa: N815
    valueRatio: Any = None  # noqa: N815
    valueSampledData: Any = None  # noqa: N815
    valueTime: Any = None  # noqa: N815
    valueDateTime: Any = None  # noqa: N815
    valuePeriod: Any = None  # noqa: N815
    dataAbsentReason: Any = None  # noqa: N815
    modifierExtension: NoModifiers = None  # noqa: N815

    @property
    def finding(self) -> tuple[DescribedConcept, ...] | str | bool | None:
        """Return a value that is a finding: concepts, a text, yes or no; None where there is none to be read."""
        if isinstance(self.valueBoolean, bool):
            return self.valueBoolean
        if isinstance(self.valueString, str):
            return self.valueString
        if self.valueCodeableConcept is None:
            return None
        try:
            return (msgspec.convert(self.valueCodeableConcept, DescribedConcept),)
        except msgspec.ValidationError:
            return None

    @property
    def has_other_value(self) -> bool:
        """Tell whether the result is given as something else than a Quantity."""
        others = (
            self.valueString,
            self.valueInteger,
            self.valueBoolean,
            self.valueCodeableConcept,
            self.valueRange,
            self.valueRatio,
            self.valueSampledData,
            self.valueTime,
            self.valueDateTime,
            self.valuePeriod,
        )
        return any(value is not None for value in others)


class Component(_Measurement, gc=False):
    """FHIR Observation.component."""


class Observation(_Measurement, gc=False):
    """FHIR Observation."""

    resourceType: str = ""  # noqa: N815
    id: str | None = None
    meta: Meta | None = None
    status: str | None = None
    subject: Reference | None = None
    focus: Parts[Reference] | None = None
    specimen: NamedReference | None = None
    bodySite: msgspec.Raw = NOTHING  # noqa: N815
    contained: msgspec.Raw = NOTHING
    note: msgspec.Raw = NOTHING
    interpretation: msgspec.Raw = NOTHING
    effectiveDateTime: str | None = None  # noqa: N815
    effectiveInstant: str | None = None  # noqa: N815
    effectivePeriod: Period | None = None  # noqa: N815
    issued: str | None = None
    component: Parts[Component] = ()

    @property
    def version(self) -> str:
        """Return meta.versionId, empty where the server gives none."""
        return (self.meta.versionId or "") if self.meta is not None else ""

    @property
    def sites(self) -> tuple[DescribedConcept, ...]:
        """Return Observation.bodySite as far as it can be read."""
        return _concepts(self.bodySite)

    @property
    def interpretations(self) -> tuple[DescribedConcept, ...]:
        """Return Observation.interpretation as far as it can be read."""
        return _concepts(self.interpretation)

    @property
    def first_note(self) -> str:
        """Return the first text of Observation.note, at most 120 characters; empty where there is none to be read."""
        if self.note is NOTHING:
            return ""
        try:
            notes = _NOTES.decode(self.note)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
        return next((note.text[:_LONGEST_NOTE] for note in notes if note.text), "")

    @property
    def contained_materials(self) -> tuple[DescribedConcept, ...]:
        """Return what contained Specimens say of their material."""
        if self.contained is NOTHING:
            return ()
        try:
            contained = _CONTAINED.decode(self.contained)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ()
        specimens = (read_specimen(raw) for raw in contained)
        return tuple(concept for specimen in specimens if specimen is not None for concept in specimen.materials)


class Condition(_Versioned, gc=False):
    """FHIR Condition."""

    resourceType: str = ""  # noqa: N815
    id: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    clinicalStatus: CodeableConcept | None = None  # noqa: N815
    verificationStatus: CodeableConcept | None = None  # noqa: N815
    onsetDateTime: str | None = None  # noqa: N815
    onsetPeriod: Period | None = None  # noqa: N815
    recordedDate: str | None = None  # noqa: N815
    category: msgspec.Raw = NOTHING
    bodySite: msgspec.Raw = NOTHING  # noqa: N815
    modifierExtension: NoModifiers = None  # noqa: N815

    @property
    def categories(self) -> tuple[DescribedConcept, ...]:
        """Return Condition.category as far as it can be read."""
        return _concepts(self.category)

    @property
    def sites(self) -> tuple[DescribedConcept, ...]:
        """Return Condition.bodySite as far as it can be read."""
        return _concepts(self.bodySite)


class Procedure(_Versioned, gc=False):
    """FHIR Procedure."""

    resourceType: str = ""  # noqa: N815
    id: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    status: str | None = None
    performedDateTime: str | None = None  # noqa: N815
    performedPeriod: Period | None = None  # noqa: N815
    category: msgspec.Raw = NOTHING
    bodySite: msgspec.Raw = NOTHING  # noqa: N815
    reasonCode: msgspec.Raw = NOTHING  # noqa: N815
    reasonReference: msgspec.Raw = NOTHING  # noqa: N815
    modifierExtension: NoModifiers = None  # noqa: N815

    @property
    def categories(self) -> tuple[DescribedConcept, ...]:
        """Return Procedure.category as far as it can be read."""
        return _concepts(self.category)

    @property
    def sites(self) -> tuple[DescribedConcept, ...]:
        """Return Procedure.bodySite as far as it can be read."""
        return _concepts(self.bodySite)

    @property
    def reasons(self) -> tuple[DescribedConcept, ...]:
        """Return Procedure.reasonCode as far as it can be read."""
        return _concepts(self.reasonCode)

    @property
    def reason_references(self) -> tuple[NamedReference, ...]:
        """Return Procedure.reasonReference as far as it can be read."""
        if self.reasonReference is NOTHING:
            return ()
        try:
            found = _REFERENCES.decode(self.reasonReference)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ()
        return found if isinstance(found, tuple) else (found,)


class Patient(msgspec.Struct, gc=False):
    """FHIR Patient."""

    resourceType: str = ""  # noqa: N815
    id: str | None = None
    # Of any type: what of a Patient can be read counts, even beside what cannot.
    birthDate: Any = None  # noqa: N815
    deceasedBoolean: Any = None  # noqa: N815
    deceasedDateTime: Any = None  # noqa: N815
    link: Any = None
    modifierExtension: NoModifiers = None  # noqa: N815


class Malformed(_Versioned, gc=False):
    """A resource of the wanted type that could not be read; its code, where at least that could be."""

    id: str | None = None
    code: CodeableConcept | None = None
    component: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def has_components(self) -> bool:
        """Tell whether there may be results under codes of their own."""
        return bytes(self.component) not in (b"null", b"[]")
