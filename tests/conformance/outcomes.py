"""What requirement 88 asks of every refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir.resources.R4B.operationoutcome import OperationOutcome

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


def refused(response: TestResponse, *statuses: int) -> dict[str, Any]:
    """Return the OperationOutcome of a refusal with one of the statuses."""
    assert response.status_code in statuses, response.text
    assert response.headers["Content-Type"] == "application/json"
    outcome: dict[str, Any] = response.get_json()
    OperationOutcome.model_validate(outcome)
    assert all(issue["severity"] and issue["code"] for issue in outcome["issue"])
    assert "cards" not in outcome
    return outcome
