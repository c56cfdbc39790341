"""The Observations that decided, read once more by fhir.resources: a recorded second opinion, never a veto.

The service's own reader is lenient where laboratories are sloppy; this names what a strict FHIR R4B reader would
object to. It costs more than all the rest of a hook, so it stands here and not on the hot path.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError


def cross_check(body: bytes, observations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Validate every used Observation of a hook request; one row each with the objections, empty when there are none.

    Results without an id cannot be found again and are left out.
    """
    used = {row["reference"] for row in observations if row["treatment"] == "used" and row["reference"]}
    if not used:
        return []
    from fhir.resources.R4B.observation import Observation

    rows = []
    for resource in _resources(json.loads(body)):
        reference = f"{resource.get('resourceType')}/{resource.get('id')}"
        if reference in used:
            used.remove(reference)
            rows.append({"reference": reference, "objections": _objections(Observation, resource)})
    return rows


def _resources(request: dict[str, Any]) -> list[dict[str, Any]]:
    entries = [
        entry
        for bundle in request["prefetch"].values()
        if isinstance(bundle, dict)
        for entry in bundle.get("entry") or ()
        if isinstance(entry, dict)
    ]
    return [entry["resource"] for entry in entries if isinstance(entry.get("resource"), dict)]


def _objections(model: Any, resource: dict[str, Any]) -> list[str]:
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['type']}" for problem in error.errors()]
    return []
