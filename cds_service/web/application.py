"""The Flask application: its routes, and what happens before and after every request."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, request

from cds_service.errors import ServiceError
from cds_service.web.answer_headers import add_cors_headers, add_request_id, add_security_headers, answer_preflight
from cds_service.web.body import close_after_unread_body
from cds_service.web.errors import add_error_handlers
from cds_service.web.exchange import begin_exchange, current_exchange
from cds_service.web.exposition import add_metrics_route
from cds_service.web.hooks import add_feedback_route, add_hook_route, hook_service
from cds_service.web.logging import describe_defect, log_exchange
from cds_service.web.metrics import Metrics
from cds_service.web.pages import add_discovery_route, add_health_routes, add_model_card_route, add_openapi_route
from cds_service.web.paths import routed_path
from cds_service.web.request_head import caller_address, check_head
from cds_service.web.smart import add_smart_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.routing import MapAdapter

    from cds_service.web.exchange import Exchange
    from cds_service.web.ports import Running

_UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"})


class CDSApplication(Flask):
    """Flask without folders to serve, without redirects, and without values in its log."""

    def __init__(self) -> None:
        super().__init__("cds_service.web", static_folder=None, template_folder=None)
        # A redirect to a corrected path makes Epic withhold the patient's data.
        self.url_map.merge_slashes = False
        self.config["PROPAGATE_EXCEPTIONS"] = False

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take every function as it is: none is a coroutine, and finding that out again at each call costs."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Route by path and method alone: no route depends on the host, and nothing is redirected to one.

        Addresses that are made hold the path below which the application is mounted, if it is.
        """
        if request is None:
            return None
        path = routed_path(request.path, request.environ.get("PATH_INFO", ""))
        return self.url_map.bind("", request.root_path, path_info=path, default_method=request.method)

    def log_exception(self, exc_info: Any) -> None:
        """Keep type and frames of an unforeseen exception for the line of its request."""
        exchange = current_exchange()
        exchange.defect, exchange.refusal = describe_defect(exc_info[1]), ServiceError.reason


def build_application(running: Running, metrics: Metrics | None = None) -> CDSApplication:
    """Return the application with all routes. The services are those of `running.parts` now."""
    app = CDSApplication()
    metrics = metrics or Metrics()
    _add_hooks(app, running, metrics)
    add_error_handlers(app)
    add_discovery_route(app, running)
    for service_id in running.parts.services:
        add_hook_route(app, running, service_id)
        add_feedback_route(app, running, service_id, metrics)
    add_health_routes(app)
    add_metrics_route(app, metrics)
    add_model_card_route(app)
    add_openapi_route(app, running)
    add_smart_routes(app, running, metrics)
    return app


def _add_hooks(app: Flask, running: Running, metrics: Metrics) -> None:
    def begin() -> Response | None:
        parts = running.parts
        exchange = begin_exchange(running.new_uuid(), parts, caller_address(parts.trusted_proxies))
        check_head(request.environ)
        return answer_preflight(exchange)

    def finish(response: Response) -> Response:
        exchange = current_exchange()
        close_after_unread_body(exchange, response)
        add_cors_headers(exchange, response)
        add_security_headers(response)
        add_request_id(exchange, response)
        _report(exchange, response.status_code, metrics)
        return response

    app.before_request(begin)
    app.after_request(finish)


def _report(exchange: Exchange, status: int, metrics: Metrics) -> None:
    seconds = perf_counter() - exchange.started
    rule = request.url_rule
    route = rule.rule if rule is not None else _UNMATCHED
    # The method is the caller's text too.
    method = request.method if request.method in _METHODS else "other"
    log_exchange(exchange, route=route, method=method, status=status, seconds=seconds)
    if rule is not None:
        exchange.service = hook_service(rule.endpoint)
    metrics.count(exchange, route=route, status=status, seconds=seconds)
