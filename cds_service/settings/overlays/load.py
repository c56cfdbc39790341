"""The mapping tables of a site: the shipped ones with its overlays, checked again as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhir_mappings import load_mappings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cds_service.settings.errors import Problem
    from fhir_mappings import Mappings


@dataclass(frozen=True, slots=True)
class SiteMappings:
    """The tables of a site, and what is allowed in its overlays but should be seen by the person who approves them."""

    mappings: Mappings
    warnings: tuple[Problem, ...] = ()


def load_site_mappings(overlays: Sequence[Path]) -> Mappings:
    """Return the shipped mappings with the overlays added. Raises SettingsError with all problems of all files.

    Without overlays these are the shipped mappings themselves. `version` covers the content of every overlay.
    """
    return read_site_mappings(overlays).mappings


def read_site_mappings(overlays: Sequence[Path]) -> SiteMappings:
    """Return the mappings of a site with their warnings, sorted by position. Raises SettingsError."""
    shipped = load_mappings()
    if not overlays:
        return SiteMappings(shipped)
    # Loaded for sites that have some: their forms take a tenth of the time in which the service starts.
    from cds_service.settings.overlays.adding import add_overlays

    return SiteMappings(*add_overlays(shipped, overlays))
