"""How an AuditEvent names resources: by a choice of the site, since repositories differ in what they hold.

A repository beside the EHR holds patients and results, so relative references lead somewhere. One that holds audit
events alone refuses them: HAPI with its default settings looks each one up (HAPI-1094).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

ReferenceForm = Literal["relative", "absolute", "logical"]
REFERENCE_FORMS: Final[tuple[str, ...]] = get_args(ReferenceForm)

URI_SYSTEM: Final = "urn:ietf:rfc:3986"
_ID: Final = r"[A-Za-z0-9\-.]{1,64}"
_REFERENCE: Final = re.compile(rf"(?P<type>[A-Z][A-Za-z]+)/{_ID}(/_history/{_ID})?")


@dataclass(frozen=True, slots=True)
class References:
    """Makes FHIR References from those of the log. `servers` maps a client to the base of its one FHIR server.

    A client that is not in `servers` has several, or none, or left the configuration: nobody can say where its
    resources are, so an absolute reference to them cannot be made, and a logical one names no server.
    """

    form: ReferenceForm = "relative"
    servers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def make(self, reference: str, client: str) -> dict[str, Any]:
        """Return the FHIR Reference to a resource that the record of `client` names relatively.

        A text that is no relative reference, since its id is none of FHIR's, is kept as an identifier.
        """
        parts = _REFERENCE.fullmatch(reference)
        if parts is None:
            return {"identifier": {"value": reference}}
        base = self.servers.get(client)
        if self.form == "relative":
            return {"reference": reference}
        if base is not None and self.form == "absolute":
            return {"reference": f"{base}/{reference}"}
        value = {"system": URI_SYSTEM, "value": f"{base}/{reference}"} if base is not None else {"value": reference}
        return {"type": parts["type"], "identifier": value}
