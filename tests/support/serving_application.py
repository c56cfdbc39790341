"""A small WSGI application for tests of the server: it waits, counts, refuses or says who it is."""

import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
Answer = tuple[str, dict[str, Any]]


def create_application() -> Callable[[Environ, Callable[..., Any]], list[bytes]]:
    """Build it in a worker, as the service's own factory does, with a handler for SIGHUP."""
    hang_ups: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _frame: hang_ups.append(number))

    def application(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        status, answer = _answer(environ)
        body = json.dumps({**answer, "pid": os.getpid(), "hang_ups": len(hang_ups)}).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return application


def create_nothing() -> None:
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
