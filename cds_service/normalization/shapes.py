"""What the core reads of a FHIR resource: shapes that the typed resources of the acquisition satisfy.

Structural types keep this package free of every library. Members are named as FHIR names them; `version` is
meta.versionId, empty where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class CodingLike(Protocol):
    """FHIR Coding."""

    @property
    def system(self) -> str | None: ...
    @property
    def code(self) -> str | None: ...


class ConceptLike(Protocol):
    """FHIR CodeableConcept."""

    @property
    def coding(self) -> Sequence[CodingLike]: ...


class DescribedCodingLike(CodingLike, Protocol):
    """FHIR Coding with its display text."""

    @property
    def display(self) -> str | None: ...


class DescribedConceptLike(Protocol):
    """FHIR CodeableConcept with its texts."""

    @property
    def coding(self) -> Sequence[DescribedCodingLike]: ...
    @property
    def text(self) -> str | None: ...


class ReferenceLike(Protocol):
    """FHIR Reference."""

    @property
    def reference(self) -> str | None: ...


class NamedReferenceLike(ReferenceLike, Protocol):
    """FHIR Reference with the name of what it points to."""

    @property
    def display(self) -> str | None: ...


class SpecimenLike(Protocol):
    """FHIR Specimen: the concepts that may name its material."""

    @property
    def materials(self) -> Sequence[DescribedConceptLike]: ...


class PeriodLike(Protocol):
    """FHIR Period."""

    @property
    def start(self) -> str | None: ...
    @property
    def end(self) -> str | None: ...


class QuantityLike(Protocol):
    """FHIR Quantity. `value` is int or Decimal for a JSON number; anything else is not numeric."""

    @property
    def value(self) -> Any: ...
    @property
    def comparator(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def system(self) -> str | None: ...
    @property
    def code(self) -> str | None: ...


class MeasurementLike(Protocol):
    """What an Observation and its components share: a code and a value."""

    @property
    def code(self) -> DescribedConceptLike | None: ...
    @property
    def valueQuantity(self) -> QuantityLike | None: ...  # noqa: N802
    @property
    def has_other_value(self) -> bool: ...
    @property
    def finding(self) -> Sequence[DescribedConceptLike] | str | bool | None: ...
    @property
    def dataAbsentReason(self) -> Any: ...  # noqa: N802


class ObservationLike(MeasurementLike, Protocol):
    """FHIR Observation."""

    @property
    def id(self) -> str | None: ...
    @property
    def version(self) -> str: ...
    @property
    def status(self) -> str | None: ...
    @property
    def subject(self) -> ReferenceLike | None: ...
    @property
    def focus(self) -> Sequence[ReferenceLike] | None: ...
    @property
    def specimen(self) -> NamedReferenceLike | None: ...
    @property
    def sites(self) -> Sequence[DescribedConceptLike]: ...
    @property
    def interpretations(self) -> Sequence[DescribedConceptLike]: ...
    @property
    def first_note(self) -> str: ...
    @property
    def contained_materials(self) -> Sequence[DescribedConceptLike]: ...
    @property
    def effectiveDateTime(self) -> str | None: ...  # noqa: N802
    @property
    def effectiveInstant(self) -> str | None: ...  # noqa: N802
    @property
    def effectivePeriod(self) -> PeriodLike | None: ...  # noqa: N802
    @property
    def issued(self) -> str | None: ...
    @property
    def component(self) -> Sequence[MeasurementLike]: ...


class MalformedLike(Protocol):
    """A resource that could not be read. `code` is None where not even its code could be."""

    @property
    def id(self) -> str | None: ...
    @property
    def version(self) -> str: ...
    @property
    def code(self) -> ConceptLike | None: ...
    @property
    def has_components(self) -> bool: ...


class ConditionLike(Protocol):
    """FHIR Condition."""

    @property
    def id(self) -> str | None: ...
    @property
    def version(self) -> str: ...
    @property
    def code(self) -> ConceptLike | None: ...
    @property
    def subject(self) -> ReferenceLike | None: ...
    @property
    def clinicalStatus(self) -> ConceptLike | None: ...  # noqa: N802
    @property
    def verificationStatus(self) -> ConceptLike | None: ...  # noqa: N802
    @property
    def onsetDateTime(self) -> str | None: ...  # noqa: N802
    @property
    def onsetPeriod(self) -> PeriodLike | None: ...  # noqa: N802
    @property
    def recordedDate(self) -> str | None: ...  # noqa: N802
    @property
    def categories(self) -> Sequence[DescribedConceptLike]: ...
    @property
    def sites(self) -> Sequence[DescribedConceptLike]: ...


class ProcedureLike(Protocol):
    """FHIR Procedure."""

    @property
    def id(self) -> str | None: ...
    @property
    def version(self) -> str: ...
    @property
    def code(self) -> ConceptLike | None: ...
    @property
    def subject(self) -> ReferenceLike | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def performedDateTime(self) -> str | None: ...  # noqa: N802
    @property
    def performedPeriod(self) -> PeriodLike | None: ...  # noqa: N802
    @property
    def categories(self) -> Sequence[DescribedConceptLike]: ...
    @property
    def sites(self) -> Sequence[DescribedConceptLike]: ...
    @property
    def reasons(self) -> Sequence[DescribedConceptLike]: ...
    @property
    def reason_references(self) -> Sequence[NamedReferenceLike]: ...


class StatusLike(Protocol):
    """A FHIR resource that tells by its status whether it counts: Observation, Procedure."""

    @property
    def id(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...


class PatientLike(Protocol):
    """FHIR Patient. Its members may be of any type: one that cannot be read must not hide the others."""

    @property
    def birthDate(self) -> Any: ...  # noqa: N802
    @property
    def deceasedBoolean(self) -> Any: ...  # noqa: N802
    @property
    def deceasedDateTime(self) -> Any: ...  # noqa: N802
    @property
    def link(self) -> Any: ...
