"""One id for each request: in the answer's header, in the log line, in the audit record.

The id is always ours. An id chosen by the caller could carry patient data into the log or imitate another request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response

    from cds_service.web.exchange import Exchange

REQUEST_ID_HEADER = "X-Request-Id"


def add_request_id(exchange: Exchange, response: Response) -> None:
    """Name the request in the answer."""
    response.headers.add(REQUEST_ID_HEADER, exchange.request_id)
