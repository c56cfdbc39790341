"""GET /cds-services: what the service offers (requirements 10-25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cds_service.hooks.discovery import Discovery
from cds_service.web.answers import json_answer
from cds_service.web.authentication import OpenView
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import DISCOVERY

if TYPE_CHECKING:
    from flask import Flask, Response

    from cds_service.web.ports import Running


def add_discovery_route(app: Flask, running: Running) -> None:
    """Serve discovery. It needs no data, so it answers while everything behind the service is down."""

    def describe_services() -> Response:
        services = current_exchange().parts.services.values()
        discovery = Discovery(tuple(service.describe() for service in services))
        return json_answer(msgspec.json.encode(discovery))

    app.add_url_rule(DISCOVERY, "discovery", OpenView(running, DISCOVERY, describe_services), methods=["GET"])
