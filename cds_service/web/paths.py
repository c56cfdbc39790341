"""The paths of the edge, each written once."""

from __future__ import annotations

DISCOVERY = "/cds-services"
LIVENESS = "/livez"
READINESS = "/readyz"
METRICS = "/metrics"
MODEL_CARD = "/model-card"
OPENAPI = "/openapi.json"

# Names the directory into which the workers count; prometheus_client reads it too, each time it opens a file there.
DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def service_path(service_id: str) -> str:
    """Return the path of a CDS Service (requirement 16)."""
    return f"{DISCOVERY}/{service_id}"


def feedback_path(service_id: str) -> str:
    """Return the path of its feedback endpoint (requirement 142)."""
    return f"{service_path(service_id)}/feedback"
