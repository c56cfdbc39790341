"""JSON answers from bytes that are already encoded."""

from __future__ import annotations

from flask import Response

JSON = "application/json"


def json_answer(body: bytes, status: int = 200) -> Response:
    """Return encoded JSON as an answer."""
    return Response(body, status, content_type=JSON)
