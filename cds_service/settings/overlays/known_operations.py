"""What the shipped tables say of operations, asked under the systems of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_mappings.code_index import CodeIndex

if TYPE_CHECKING:
    from cds_service.settings.overlays.systems import SystemDirectory
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import OperationCode, OperationForm


class KnownOperations:
    """Finds shipped operations under every system, those that overlays declare as editions among them."""

    def __init__(self, shipped: Mappings, systems: SystemDirectory) -> None:
        """Index the shipped rows under all systems; every system must have been declared before."""
        self._shipped = shipped
        self._systems = systems
        self._uris = {system.key: system.uris[0] for system in shipped.rows.systems}
        self._rows = CodeIndex(shipped.rows.operations, (*shipped.rows.systems, *systems.added.values()))

    def find(self, system_key: str, code: str) -> OperationCode | OperationForm | None:
        """Return the operation of a row, of a row above it, of a form, or of the parent of an edition."""
        uri = self._systems.parent_of(system_key) or self._uris.get(system_key, "")
        return self._rows.find(system_key, code) or self._shipped.operation(uri, code)
