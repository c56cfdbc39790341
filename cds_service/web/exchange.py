"""One HTTP exchange: its id, and what the operational log and the metrics will say about it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, cast

from flask import g

if TYPE_CHECKING:
    from cds_service.errors import TrustError
    from cds_service.hooks.response import Verdict
    from cds_service.smart.trend_app import TrendApp
    from cds_service.web.ports import Parts


class Exchange:
    """Filled in on the way of a request through the edge. Holds no patient data and no token."""

    __slots__ = (
        "address",
        "body_was_read",
        "client",
        "defect",
        "detail",
        "distrust",
        "mode",
        "parts",
        "refusal",
        "request_id",
        "service",
        "started",
        "trend_app",
        "verdict",
    )

    def __init__(self, request_id: str, parts: Parts, address: str) -> None:
        """Start the stopwatch. `address` is where the request came from."""
        self.request_id = request_id
        self.address = address
        self.parts = parts
        self.started = perf_counter()
        # The CDS Service whose hook this is; its client and the client's mode once they are known.
        self.service: str | None = None
        self.client: str | None = None
        self.mode: str | None = None
        self.verdict: Verdict | None = None
        # The trend app that is asked; its pages tell a person what a program is told by an OperationOutcome.
        self.trend_app: TrendApp | None = None
        # Why it was refused: a word of a closed vocabulary for the metrics, and a sentence for the log.
        self.refusal: str | None = None
        self.detail: str | None = None
        self.distrust: TrustError | None = None
        self.defect: dict[str, object] | None = None
        self.body_was_read = False


def begin_exchange(request_id: str, parts: Parts, address: str) -> Exchange:
    """Make a new exchange that of the current request."""
    exchange = g.exchange = Exchange(request_id, parts, address)
    return exchange


def current_exchange() -> Exchange:
    """Return the exchange of the current request."""
    return cast("Exchange", g.exchange)
