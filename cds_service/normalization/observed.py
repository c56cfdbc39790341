"""A usable result that still stands in its Observation: judged, dated, and not yet copied.

Forming draws needs what a result is, when it was taken and what it says; version, specimen and the rest are read for
the few results that somebody looks at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import LabResult, Origin, Quantity

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from cds_service.clinical.models import Analyte, Basis, EffectiveTime
    from cds_service.normalization.effective_time import TimeReader
    from cds_service.normalization.measures import Kind, Measure
    from cds_service.normalization.shapes import MeasurementLike, ObservationLike

# What a laboratory has changed after it was final (FHIR R4: observation-status).
CORRECTED_STATUSES = frozenset({"amended", "corrected"})


Identity = tuple[object, ...]


class ObservedResult(NamedTuple):
    """One usable measurement: the Observation itself or a component of it.

    `value` is canonical, `number` is what the laboratory sent.
    """

    measure: Measure
    value: Decimal
    effective: EffectiveTime
    number: Decimal
    measurement: MeasurementLike
    observation: ObservationLike
    times: TimeReader

    @property
    def kind(self) -> Kind:
        """Analyte and basis."""
        return self.measure.kind

    @property
    def analyte(self) -> Analyte:
        """What was measured."""
        return self.measure.kind[0]

    @property
    def basis(self) -> Basis:
        """What the number counts."""
        return self.measure.kind[1]

    @property
    def preference(self) -> int:
        """1 for a preferred code, 2 for a second choice."""
        return self.measure.code.preference

    @property
    def corrected(self) -> bool:
        """Whether the laboratory has changed it after it was final."""
        return self.observation.status in CORRECTED_STATUSES

    @property
    def issued(self) -> datetime | None:
        """When this version was made available."""
        return self.times.read_issued(self.observation.issued)

    @property
    def specimen(self) -> str:
        """Type/id of the specimen, empty for none."""
        reference = self.observation.specimen
        return specimen_key(reference.reference or "") if reference is not None else ""

    @property
    def identity(self) -> Identity:
        """What tells it from other results, also after a share was read as a fraction."""
        observation, code, sent = self.observation, self.measure.code, self.measurement.valueQuantity
        source = (observation.id, observation.version, code.system, code.code, self.specimen)
        return (*source, self.measure.kind, self.number, sent and (sent.unit or sent.code), self.effective)

    @property
    def edition(self) -> Identity:
        """What tells it from other editions of itself as well."""
        return self.identity, self.issued, self.corrected

    @property
    def origin(self) -> Origin:
        """Where it came from."""
        observation, code = self.observation, self.measure.code
        reference = reference_of(observation.id, "Observation")
        return Origin(reference, observation.version, code.system, code.code, self.specimen)

    def whole(self) -> LabResult:
        """Return the result with all that is known of it."""
        sent = self.measurement.valueQuantity
        unit = (sent.unit or sent.code or "") if sent is not None else ""
        return LabResult(
            analyte=self.analyte,
            basis=self.basis,
            preference=self.preference,
            quantity=Quantity(self.value, self.measure.limits.canonical_unit),
            reported=Quantity(self.number, unit),
            effective=self.effective,
            issued=self.issued,
            corrected=self.corrected,
            origin=self.origin,
            manual=self.measure.kind[2],
            note=self.observation.first_note,
        )


def reference_of(resource_id: str | None, resource_type: str) -> str:
    """Return Type/id, or an empty text for a resource without an id (such results are usable all the same)."""
    return f"{resource_type}/{resource_id}" if resource_id else ""


def specimen_key(reference: str) -> str:
    """Return Type/id of a specimen reference, so that absolute and relative ones compare equal.

    A contained specimen ("#1") names nothing outside its own Observation and joins nothing.
    """
    if reference.startswith("#"):
        return ""
    if reference.count("/") == 1:
        # Relative and without a version, as nearly all are.
        return reference
    parts = reference.split("/_history/", 1)[0].rsplit("/", 2)
    return "/".join(parts[-2:])
