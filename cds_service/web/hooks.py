"""POST /cds-services/{id}: the path of a CDS Hooks request through the edge (requirements 26-36, 82-87)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.hooks.request import parse_cds_request
from cds_service.hooks.response import encode_response
from cds_service.web.answers import json_answer
from cds_service.web.authentication import ClientView
from cds_service.web.body import read_json_body, refuse_if_late
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import service_path

if TYPE_CHECKING:
    from flask import Flask, Response

    from cds_service.authorization.clients import TrustedClient
    from cds_service.web.ports import Running

_ENDPOINT = "hook:"


def add_hook_route(app: Flask, running: Running, service_id: str) -> None:
    """Serve one CDS Service. The path is fixed: no redirect, no trailing slash (Epic compares it exactly)."""

    def answer_hook(client: TrustedClient) -> Response:
        exchange = current_exchange()
        body = read_json_body()
        refuse_if_late(exchange)
        request = parse_cds_request(body)
        answer = exchange.parts.services[service_id].answer(
            request, client, request_id=exchange.request_id, now=running.now(), new_uuid=running.new_uuid
        )
        exchange.verdict = answer.verdict
        return json_answer(encode_response(answer.response))

    path = service_path(service_id)
    app.add_url_rule(path, _ENDPOINT + service_id, ClientView(running, path, answer_hook), methods=["POST"])


def hook_service(endpoint: str) -> str | None:
    """Return the id of the CDS Service whose hooks a route answers; None for other routes."""
    return endpoint.removeprefix(_ENDPOINT) if endpoint.startswith(_ENDPOINT) else None
