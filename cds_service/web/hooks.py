"""POST /cds-services/{id} and its /feedback: the way of a CDS Hooks request through the edge.

Requirements 26-36 and 82-87 (hooks), 142-156 (feedback). For feedback the specification names neither status nor body
of the answer: 200 and an empty JSON object suit all known clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.errors import MalformedRequestError
from cds_service.hooks.feedback import FeedbackBatch, parse_feedback
from cds_service.hooks.request import parse_cds_request
from cds_service.hooks.response import encode_response
from cds_service.web.authentication import ClientView
from cds_service.web.body import json_answer, read_json_body, refuse_if_late
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import feedback_path, service_path

if TYPE_CHECKING:
    from flask import Flask, Response

    from cds_service.authorization.clients import TrustedClient
    from cds_service.web.metrics import Metrics
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


# A batch may hold a million bad items; the sender needs the first few to find the cause.
_PROBLEMS_NAMED = 20


def add_feedback_route(app: Flask, running: Running, service_id: str, metrics: Metrics) -> None:
    """Take feedback for one CDS Service. Good items of a partly bad batch are kept; the answer is 400 then."""

    def take_feedback(client: TrustedClient) -> Response:
        exchange = current_exchange()
        batch = parse_feedback(read_json_body())
        exchange.parts.services[service_id].receive_feedback(
            batch, client, request_id=exchange.request_id, now=running.now()
        )
        for item in batch.items:
            metrics.count_feedback(service_id, client.name, item.outcome)
        _refuse_problems(batch)
        return json_answer(b"{}")

    path = feedback_path(service_id)
    app.add_url_rule(path, f"feedback:{service_id}", ClientView(running, path, take_feedback), methods=["POST"])


def _refuse_problems(batch: FeedbackBatch) -> None:
    if not batch.problems:
        return
    kept, sent = len(batch.items), len(batch.items) + len(batch.problems)
    named = batch.problems[:_PROBLEMS_NAMED]
    more = len(batch.problems) - len(named)
    tail = f"; and {more} more" if more else ""
    raise MalformedRequestError(
        f"{kept} of {sent} feedback items were kept. Not kept: {'; '.join(named)}{tail}.",
        log_detail=f"feedback: {len(batch.problems)} of {sent} items refused",
    )
