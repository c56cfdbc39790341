"""The paths of the edge, each written once."""

from __future__ import annotations

import re
from typing import Final

DISCOVERY = "/cds-services"
LIVENESS = "/livez"
READINESS = "/readyz"
METRICS = "/metrics"
MODEL_CARD = "/model-card"
OPENAPI = "/openapi.json"

# Names the directory into which the workers count; prometheus_client reads it too, each time it opens a file there.
DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


_SLASHES: Final = re.compile("/{2,}")
# There is no page at the root.
_NOWHERE: Final = "/"


def routed_path(path: str, as_sent: str) -> str:
    """Return the path to route by; `as_sent` still has every slash.

    What EHRs put together from a base address may have a slash too many at the joint, and discovery one at its end.
    Every other page has one spelling: a proxy that keeps /metrics inside need not think of //metrics.
    """
    if "//" in as_sent:
        path = _SLASHES.sub("/", path)
        if path != DISCOVERY and not path.startswith(f"{DISCOVERY}/"):
            return _NOWHERE
    return DISCOVERY if path == f"{DISCOVERY}/" else path


def service_path(service_id: str) -> str:
    """Return the path of a CDS Service (requirement 16)."""
    return f"{DISCOVERY}/{service_id}"


def feedback_path(service_id: str) -> str:
    """Return the path of its feedback endpoint (requirement 142)."""
    return f"{service_path(service_id)}/feedback"
