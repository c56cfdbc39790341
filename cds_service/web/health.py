"""GET /livez and GET /readyz, for whatever starts, stops and routes to this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.errors import NotReadyError, ServiceError
from cds_service.web.answers import json_answer
from cds_service.web.authentication import PublicView
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import LIVENESS, READINESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask, Response

    from cds_service.web.ports import ReadinessCheck


def add_health_routes(app: Flask) -> None:
    """Serve liveness (the process answers) and readiness (a hook would be answered)."""
    app.add_url_rule(LIVENESS, "livez", PublicView(_tell_alive), methods=["GET"])
    app.add_url_rule(READINESS, "readyz", PublicView(_tell_ready), methods=["GET"])


def _tell_alive() -> Response:
    return json_answer(b'{"status":"alive"}')


def _tell_ready() -> Response:
    failures = _failures(current_exchange().parts.readiness)
    if failures:
        raise NotReadyError(
            f"The service is not ready: {', '.join(failures)}.",
            log_detail="; ".join(f"{name}: {detail}" for name, detail in failures.items()),
        )
    return json_answer(b'{"status":"ready"}')


def _failures(checks: Mapping[str, ReadinessCheck]) -> dict[str, str]:
    """Run every check, so that one answer names all that is wrong."""
    failures = {}
    for name, check in checks.items():
        try:
            check()
        except ServiceError as error:
            failures[name] = error.log_detail or error.client_text
    return failures
