"""The one place that turns an exception into an answer: status, OperationOutcome, headers.

Requirement 88: every non-2xx answer carries a FHIR OperationOutcome. It is sent as application/json (requirement 1),
which every CDS Client parses. The request id stands in `diagnostics`, except at 401, where all bodies are identical.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from werkzeug.exceptions import HTTPException

from cds_service.errors import (
    BodyTooLargeError,
    LaunchError,
    MethodNotAllowedError,
    RequestError,
    ServiceError,
    TrustError,
    UnauthenticatedError,
    UnknownServiceError,
    UnsupportedMediaTypeError,
)
from cds_service.web.body import JSON, json_answer
from cds_service.web.exchange import current_exchange
from cds_service.web.smart_refusals import is_for_a_person, refusal_answer

if TYPE_CHECKING:
    from flask import Flask, Response

# What routing and the server layer raise, in our words.
_OF_STATUS: dict[int, type[ServiceError]] = {
    error.status: error
    for error in (
        UnknownServiceError,
        MethodNotAllowedError,
        BodyTooLargeError,
        UnsupportedMediaTypeError,
    )
}


def add_error_handlers(app: Flask) -> None:
    """Answer every failure. What is neither of both kinds reaches Flask's own last handler, which answers 500."""
    app.register_error_handler(ServiceError, answer_service_error)
    app.register_error_handler(HTTPException, answer_http_exception)


def answer_service_error(error: ServiceError) -> Response:
    """Answer an error that was raised on purpose; its detail, if it has one, goes to the log only."""
    exchange = current_exchange()
    exchange.detail, exchange.refusal = error.log_detail or error.client_text, error.reason
    if isinstance(error, TrustError):
        exchange.distrust = error
    if isinstance(error, UnauthenticatedError):
        # One body for every reason, whatever text the error was given.
        response = _answer(error.status, error.issue_code, UnauthenticatedError.client_text)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    if is_for_a_person():
        return refusal_answer(
            exchange, error.status, error.reason, error.named if isinstance(error, LaunchError) else ()
        )
    response = _answer(error.status, error.issue_code, f"{error.client_text} Request id: {exchange.request_id}")
    _say_what_is_accepted(response)
    return response


def answer_http_exception(error: HTTPException) -> Response:
    """Answer what routing, the body reader or Flask's last handler raised; werkzeug's own texts are not sent."""
    status = error.code or 500
    kind = _OF_STATUS.get(status)
    exchange = current_exchange()
    # Of a defect the reason is known already.
    exchange.refusal = exchange.refusal or (kind.reason if kind is not None else f"http-{status}")
    if kind is not None:
        code, text = kind.issue_code, kind.client_text
    elif status < 500:
        code, text = RequestError.issue_code, f"{HTTPStatus(status).phrase}."
    else:
        code, text = ServiceError.issue_code, ServiceError.client_text
    if is_for_a_person():
        response = refusal_answer(exchange, status, exchange.refusal)
    else:
        response = _answer(status, code, f"{text} Request id: {exchange.request_id}")
    _keep_headers(error, response)
    _say_what_is_accepted(response)
    return response


def _say_what_is_accepted(response: Response) -> None:
    """Name what a body may be (RFC 9110, sections 12.5 and 15.5.16), so that a client can send it again."""
    if response.status_code == UnsupportedMediaTypeError.status:
        response.headers["Accept"] = JSON
        response.headers["Accept-Encoding"] = "identity"


def _answer(status: int, code: str, diagnostics: str) -> Response:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": diagnostics}],
    }
    return json_answer(msgspec.json.encode(outcome), status)


def _keep_headers(error: HTTPException, response: Response) -> None:
    """Keep what belongs to the status, such as Allow at 405."""
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
