"""JSON bodies: read within limits (content type, then size, then bytes), and answered as they are encoded."""

from __future__ import annotations

from typing import BinaryIO, cast

from flask import Response, request
from werkzeug.http import parse_options_header

from cds_service.errors import BodyTooLargeError, MalformedRequestError, OverloadedError, UnsupportedMediaTypeError
from cds_service.web.exchange import Exchange, current_exchange

JSON = "application/json"


def json_answer(body: bytes, status: int = 200) -> Response:
    """Return encoded JSON as an answer."""
    return Response(body, status, content_type=JSON)


_UTF_8 = frozenset({"utf-8", "utf8"})
_NOT_ENCODED = frozenset({"", "identity"})


def read_json_body() -> bytes:
    """Return the body of the current request.

    Raises UnsupportedMediaTypeError unless it is declared as JSON in UTF-8, BodyTooLargeError beyond
    `server.max_request_bytes`, and MalformedRequestError when it is empty or ends early.
    """
    _check_media_type()
    exchange = current_exchange()
    limit = exchange.parts.max_request_bytes
    length = request.content_length
    if length is not None and length > limit:
        raise BodyTooLargeError(log_detail=f"{length} bytes declared, {limit} allowed")
    body = _read(exchange, length, limit)
    if not body:
        raise MalformedRequestError("The body is empty.")
    return body


def refuse_if_late(exchange: Exchange) -> None:
    """Raise OverloadedError when the current request waited for its turn as long as a hook may take.

    Its caller has most likely gone, and others wait behind it. How long the body took is not held against it.
    """
    waited = getattr(request.environ["wsgi.input"], "waited_seconds", 0.0)
    if waited >= exchange.parts.hook_deadline_seconds:
        raise OverloadedError(log_detail=f"waited {waited:.1f} seconds for its turn")


def close_after_unread_body(exchange: Exchange, response: Response) -> None:
    """Announce the end of the connection when a body was announced but not read.

    Granian closes it anyway; without the header a client that keeps connections sends its next request into the
    closing one and reports a broken connection.
    """
    if not exchange.body_was_read and _announces_body():
        response.headers["Connection"] = "close"


def _announces_body() -> bool:
    return request.environ.get("CONTENT_LENGTH") not in {None, "", "0"} or "HTTP_TRANSFER_ENCODING" in request.environ


def _check_media_type() -> None:
    declared = request.environ.get("CONTENT_TYPE", "")
    if declared != JSON:
        media_type, parameters = parse_options_header(declared)
        if media_type.lower() != JSON or parameters.get("charset", "utf-8").lower() not in _UTF_8:
            raise UnsupportedMediaTypeError
    if request.environ.get("HTTP_CONTENT_ENCODING", "").lower() not in _NOT_ENCODED:
        raise UnsupportedMediaTypeError("The body must be sent without content encoding.")


def _read(exchange: Exchange, length: int | None, limit: int) -> bytes:
    stream = cast("BinaryIO", request.environ["wsgi.input"])
    if length is not None:
        body = _read_up_to(stream, length)
        if len(body) < length:
            raise MalformedRequestError("The body ends early.")
    elif request.environ.get("wsgi.input_terminated"):
        body = _read_up_to(stream, limit + 1)
        if len(body) > limit:
            raise BodyTooLargeError(log_detail=f"sent in chunks, {limit} bytes allowed")
    else:
        # Where the server does not end the stream, a request without length has no body.
        body = b""
    exchange.body_was_read = True
    return body


def _read_up_to(stream: BinaryIO, most: int) -> bytes:
    """Read until the stream ends or `most` bytes are there; a server may give less than was asked for."""
    body = stream.read(most)
    if not body or len(body) >= most:
        return body
    chunks, left = [body], most - len(body)
    while left > 0 and (chunk := stream.read(left)):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
