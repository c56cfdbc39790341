"""What every refusal has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir.resources.R4B.operationoutcome import OperationOutcome

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


def refused_with(response: TestResponse, status: int) -> dict[str, Any]:
    """Return the OperationOutcome of a refusal, after checking status, type, shape and what must not be there."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    outcome: dict[str, Any] = response.get_json()
    OperationOutcome.model_validate(outcome)
    assert outcome["issue"]
    assert {"severity", "code", "diagnostics"} <= outcome["issue"][0].keys()
    assert "cards" not in outcome
    assert "Traceback" not in response.text
    return outcome
