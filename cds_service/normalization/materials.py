"""Is a result of blood? Another material is named by its body site, its specimen or a coding of its code.

Only listed materials count (fhir_mappings/materials.toml): a text that nobody knows is blood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from cds_service.normalization.observed import specimen_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cds_service.normalization.shapes import (
        DescribedConceptLike,
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
        for concepts in (observation.sites, observation.contained_materials):
            for concept in concepts:
                found = self._of_concept(concept)
                if found:
                    return found
        return self._of_specimen(observation.specimen) if observation.specimen is not None else ""

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
        return material_of(concept, self._table, self._of_text)

    def _of_text(self, text: str) -> str:
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._table.of_text(text)
        return known


def material_of(
    concept: DescribedConceptLike, table: MaterialTable, of_text: Callable[[str], str] | None = None
) -> str:
    """Return the other material that a concept, or one of its names, tells; empty for blood.

    `of_text` finds the material of a text, by default in the table.
    """
    of_text = of_text or table.of_text
    for coding in concept.coding:
        found = table.of_code(coding.system or "", coding.code or "")
        if found or (_is_text(coding.display) and (found := of_text(coding.display))):
            return found
    return of_text(concept.text) if _is_text(concept.text) else ""


def _is_text(name: object) -> TypeGuard[str]:
    """Tell whether there is a name: `sii-cds doctor` reads names as they come, of any JSON type."""
    return isinstance(name, str) and name != ""
