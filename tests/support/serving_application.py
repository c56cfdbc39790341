"""A small WSGI application for tests of the server: it waits, counts, refuses or says who it is."""

import json
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from cds_service.server.in_force import InForce, ServedApplication

Environ = dict[str, Any]
Answer = tuple[str, dict[str, Any]]


def create_application(_in_force: InForce) -> ServedApplication:
    """Build it in a worker, as the service's own factory does; it counts the configurations it is given."""
    applied: list[InForce] = []

    def application(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        status, answer = _answer(environ)
        body = json.dumps({**answer, "pid": os.getpid(), "applied": len(applied)}).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return ServedApplication(application, applied.append, lambda: None)


def create_nothing(_in_force: InForce) -> ServedApplication:
    """A factory that fails, as with a configuration that cannot be used."""
    raise RuntimeError("the configuration cannot be used")


def _answer(environ: Environ) -> Answer:
    match environ["PATH_INFO"]:
        case "/sleep":
            time.sleep(float(parse_qs(environ["QUERY_STRING"])["seconds"][0]))
            return "200 OK", {}
        case "/length":
            return "200 OK", {"length": len(environ["wsgi.input"].read())}
        case "/refuse":
            return "401 Unauthorized", {}
        case _:
            return "200 OK", {"authorization": environ.get("HTTP_AUTHORIZATION")}
