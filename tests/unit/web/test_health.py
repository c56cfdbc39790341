"""Liveness says that the process answers, readiness that a hook would be answered."""

import pytest
from flask.testing import FlaskClient

from cds_service.errors import AuditUnavailableError, ServiceError, StateUnavailableError
from cds_service.web.ports import ReadinessCheck
from tests.unit.web.fakes import Edge
from tests.unit.web.outcomes import refused_with

SECRET_PATH = "/var/lib/secret/audit.jsonl"


def failing_with(error: ServiceError) -> ReadinessCheck:
    def check() -> None:
        raise error

    return check


def passing() -> None:
    """Find nothing wrong."""


def test_readiness_all_checks_pass_is_ready(edge: Edge, client: FlaskClient) -> None:
    done: list[str] = []
    edge.readiness |= {"audit": lambda: done.append("audit"), "state": lambda: done.append("state")}

    response = client.get("/readyz")

    assert (response.status_code, response.get_json()) == (200, {"status": "ready"})
    assert done == ["audit", "state"]


@pytest.mark.parametrize(
    ("failing", "named"),
    [(["audit"], "audit"), (["state"], "state"), (["audit", "state"], "audit, state")],
)
def test_readiness_failing_checks_are_named_without_detail(
    edge: Edge, client: FlaskClient, failing: list[str], named: str
) -> None:
    errors = {
        "audit": AuditUnavailableError(log_detail=f"no space: {SECRET_PATH}"),
        "state": StateUnavailableError(log_detail="no answer"),
    }
    for name, error in errors.items():
        edge.readiness[name] = failing_with(error) if name in failing else passing

    response = client.get("/readyz")

    diagnostics = refused_with(response, 503)["issue"][0]["diagnostics"]
    assert diagnostics.startswith(f"The service is not ready: {named}.")
    assert SECRET_PATH not in response.text


def test_readiness_recovers(edge: Edge, client: FlaskClient) -> None:
    edge.readiness["audit"] = failing_with(AuditUnavailableError())
    assert client.get("/readyz").status_code == 503
    edge.readiness["audit"] = passing

    assert client.get("/readyz").status_code == 200


def test_liveness_does_not_depend_on_readiness(edge: Edge, client: FlaskClient) -> None:
    edge.readiness["audit"] = failing_with(AuditUnavailableError())

    response = client.get("/livez")

    assert (response.status_code, response.get_json()) == (200, {"status": "alive"})
