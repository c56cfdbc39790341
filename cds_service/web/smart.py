"""GET /smart/{client}/launch, /callback and /jwks.json: the way of the SMART trend app through the edge.

Each launch makes one page, and nothing of it stays: no session, no token. Its places are a quarter of the threads, so
that a server that hangs behind it takes no hook its thread.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
from flask import Response, request

from cds_service.errors import LaunchBusyError, MethodNotAllowedError, NoTrendAppError
from cds_service.smart.addresses import CALLBACK, KEY_SET, LAUNCH
from cds_service.smart.page import content_security_policy
from cds_service.smart.parameters import read_callback, read_launch
from cds_service.web.authentication import LaunchView
from cds_service.web.body import JSON
from cds_service.web.exchange import current_exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from cds_service.smart.trend_app import TrendApp
    from cds_service.web.metrics import Metrics
    from cds_service.web.ports import Running

HTML = "text/html; charset=utf-8"
_KEYS_LIVE_SECONDS = 300


def add_smart_routes(app: Flask, running: Running, metrics: Metrics) -> None:
    """Serve the trend apps of the clients that have one."""
    places = threading.BoundedSemaphore(running.parts.places_for_launches)

    def served(answer: Callable[[TrendApp], Response]) -> LaunchView:
        return LaunchView(lambda client: _in_place(places, client, answer))

    def show(trend_app: TrendApp) -> Response:
        exchange = current_exchange()
        shown = trend_app.show(
            read_callback(request.args.getlist),
            request.cookies,
            request_id=exchange.request_id,
            now=running.now(),
            new_uuid=running.new_uuid,
        )
        metrics.views.count_shown(trend_app.registration.client, shown.outcome)
        return _with_policy(Response(shown.page, content_type=HTML), trend_app)

    app.add_url_rule(LAUNCH, "smart-launch", served(_depart), methods=["GET"])
    app.add_url_rule(CALLBACK, "smart-callback", served(show), methods=["GET"])
    app.add_url_rule(KEY_SET, "smart-keys", served(_publish_keys), methods=["GET"])


def _in_place(places: threading.BoundedSemaphore, client: str, answer: Callable[[TrendApp], Response]) -> Response:
    """Answer in one of the places. HEAD is none of the methods: it would use up a launch and show nothing."""
    exchange = current_exchange()
    if request.method == "HEAD":
        raise MethodNotAllowedError
    trend_app = exchange.parts.trend_apps.get(client)
    if trend_app is None:
        raise NoTrendAppError
    exchange.client, exchange.trend_app = client, trend_app
    if not places.acquire(blocking=False):
        raise LaunchBusyError
    try:
        return answer(trend_app)
    finally:
        places.release()


def _depart(trend_app: TrendApp) -> Response:
    departure = trend_app.depart(read_launch(request.args.getlist))
    # Not by Flask's own redirect, which writes a page with the address in it.
    response = Response(status=303, headers={"Location": departure.location, "Set-Cookie": departure.cookie})
    response.autocorrect_location_header = False
    return _with_policy(response, trend_app)


def _publish_keys(trend_app: TrendApp) -> Response:
    if not trend_app.registration.keys:
        raise NoTrendAppError
    keys = {"keys": [key.public() for key in trend_app.registration.keys]}
    response = Response(msgspec.json.encode(keys), content_type=JSON)
    response.headers["Cache-Control"] = f"max-age={_KEYS_LIVE_SECONDS}"
    return response


def _with_policy(response: Response, trend_app: TrendApp) -> Response:
    response.headers["Content-Security-Policy"] = content_security_policy(trend_app.registration.frame_ancestors)
    return response
