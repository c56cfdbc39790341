"""The Observations that decided, read once more by fhir.resources: a recorded second opinion, never a veto.

The service's own reader is lenient where laboratories are sloppy; this names what a strict FHIR R4B reader would
object to. It costs more than all the rest of a hook, so it stands here and not on the hot path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from pydantic import ValidationError

from cds_service.foreign_bytes import UNREADABLE, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.hooks.request import CDSRequest

_DECODER: Final = msgspec.json.Decoder()
# What the strict reader raises beside its own errors, as for a contained resource of an unknown type.
_STUMBLES: Final = (TypeError, ValueError, LookupError, AttributeError, RecursionError)


def cross_check(request: CDSRequest, observations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Validate every used Observation of a hook request; one row each with the objections, empty when there are none.

    `observations` are the rows of an explanation. Results without an id cannot be found again and are left out.
    """
    used = {row["reference"] for row in observations if row["treatment"] == "used" and row["reference"]}
    if not used:
        return []
    from fhir.resources.R4B.observation import Observation

    rows = []
    for resource in _resources(request):
        reference = f"{resource.get('resourceType')}/{resource.get('id')}"
        if reference in used:
            used.remove(reference)
            rows.append({"reference": reference, "objections": _objections(Observation, resource)})
    return [*rows, *({"reference": reference, "objections": ["not readable"]} for reference in sorted(used))]


def _resources(request: CDSRequest) -> Iterator[dict[str, Any]]:
    """Yield what stands where a Bundle holds resources; values of another shape are passed over."""
    for raw in request.prefetch.values():
        try:
            bundle = decode(_DECODER, raw)
        except UNREADABLE:
            continue
        entries = bundle.get("entry") if isinstance(bundle, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict):
                yield resource


def _objections(model: Any, resource: dict[str, Any]) -> list[str]:
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['type']}" for problem in error.errors()]
    except _STUMBLES as error:
        return [f"not readable ({type(error).__name__})"]
    return []
