"""Is a result of blood? Another material is named by its body site, its specimen or a coding of its code.

Only listed materials count (fhir_mappings/materials.toml): a text that nobody knows is blood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.normalization.observed import specimen_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.normalization.shapes import (
        DescribedConceptLike,
        MeasurementLike,
        NamedReferenceLike,
        ObservationLike,
        SpecimenLike,
    )
    from fhir_mappings.materials import MaterialTable


class MaterialReader:
    """Tells the materials of one search, whose Bundle may hold the specimens, by fullUrl and by Type/id."""

    def __init__(self, table: MaterialTable, specimens: Mapping[str, SpecimenLike]) -> None:
        """Keep the table; texts are looked up once."""
        self._table = table
        self._specimens = specimens
        self._texts: dict[str, str] = {}

    def of_observation(self, observation: ObservationLike) -> str:
        """Return the other material that its place or specimen names; empty for blood."""
        for concept in (*observation.sites, *observation.contained_materials):
            found = self._of_concept(concept)
            if found:
                return found
        return self._of_specimen(observation.specimen) if observation.specimen is not None else ""

    def of_code(self, measurement: MeasurementLike) -> str:
        """Return the other material that the code of a measurement, or one of its names, tells; empty for blood."""
        return self._of_concept(measurement.code) if measurement.code is not None else ""

    def _of_specimen(self, specimen: NamedReferenceLike) -> str:
        if specimen.display:
            found = self._of_text(specimen.display)
            if found:
                return found
        reference = specimen.reference
        if not reference or not self._specimens:
            return ""
        delivered = self._specimens.get(reference) or self._specimens.get(specimen_key(reference))
        materials = map(self._of_concept, delivered.materials if delivered is not None else ())
        return next(filter(None, materials), "")

    def _of_concept(self, concept: DescribedConceptLike) -> str:
        for coding in concept.coding:
            found = self._table.of_code(coding.system or "", coding.code or "")
            if found or (coding.display and (found := self._of_text(coding.display))):
                return found
        return self._of_text(concept.text) if concept.text else ""

    def _of_text(self, text: object) -> str:
        # `sii-cds doctor` reads names as they come, and a name may be any JSON value.
        if not isinstance(text, str):
            return ""
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._table.of_text(text)
        return known
