"""What FHIR servers do wrong: each fault answers one request of the stub."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.support.charts import bundle

if TYPE_CHECKING:
    from tests.support.charts import Json
    from tests.support.fhir_stub import Fault, Wire

HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
# Far longer than any test waits.
_FOREVER = 120.0


def status(code: int) -> Fault:
    """A refusal with an OperationOutcome, as FHIR asks for."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    return lambda wire: wire.answer(json.dumps(outcome).encode(), code)


def body(content: bytes, **headers: str) -> Fault:
    """A success with any body."""
    return lambda wire: wire.answer(content, headers={name.replace("_", "-"): v for name, v in headers.items()})


def resource(content: Json) -> Fault:
    """A success with a resource."""
    return body(json.dumps(content).encode())


def zipped(content: bytes) -> Fault:
    """A compressed success, asked for or not."""
    return body(gzip.compress(content), Content_Encoding="gzip")


def silence(wire: Wire) -> None:
    """Nothing at all, on an open connection."""
    wire.pause(_FOREVER)
    wire.close()


def raw(data: bytes) -> Fault:
    """Bytes that need not be HTTP, then the end of the connection."""

    def send(wire: Wire) -> None:
        wire.send(data)
        wire.close()

    return send


def drip(first: bytes, piece: bytes, *, every: float = 0.05) -> Fault:
    """A beginning, then piece after piece, each soon enough to be waited for."""

    def send(wire: Wire) -> None:
        wire.send(first)
        while wire.pause(every):
            wire.send(piece)
        wire.close()

    return send


SLOW_HEADER = drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")
SLOW_HEADERS = drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: a\r\n")
SLOW_BODY = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n{", b" ")
SLOW_CHUNKS = drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")
ENDLESS_BODY = drip(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n%s\r\n" % (b" " * 65536), every=0
)
BROKEN_BODY = raw(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"resourceType":')


def redirect(address: str, code: int = 302) -> Fault:
    """An answer that leads elsewhere."""
    return lambda wire: wire.answer(b"", code, {"Location": address})


def next_page(address: str, *resources: Json) -> Fault:
    """A page whose next link is the given one."""
    return resource(bundle(*resources, link=[{"relation": "next", "url": address}]))


def pages(*contents: tuple[Json, ...], total: int | None = None) -> Fault:
    """A search in several pages, each linked to the next by the same query with a page number.

    Each page tells the total of the search.
    """
    told = sum(map(len, contents)) if total is None else total

    def send(wire: Wire) -> None:
        number = _number(wire)
        links = [_next_link(wire, number + 1)] if number + 1 < len(contents) else []
        wire.answer(json.dumps(bundle(*contents[number], link=links, total=told)).encode())

    return send


def endless_pages(wire: Wire) -> None:
    """A search whose every page has a next one."""
    wire.answer(json.dumps(bundle(link=[_next_link(wire, _number(wire) + 1)])).encode())


def _number(wire: Wire) -> int:
    return int(wire.received.parameters.get("page", "0"))


def _next_link(wire: Wire, number: int) -> Json:
    resource_type = wire.received.target.partition("?")[0].rpartition("/")[2]
    query = urlencode({**wire.received.parameters, "page": number})
    return {"relation": "next", "url": f"{wire.server.url}/{resource_type}?{query}"}


# Answers that are none, each with what is wrong with it.
BROKEN_ANSWERS: list[tuple[Fault, str]] = [
    (status(404), "not there"),
    (status(500), "broken"),
    (redirect("https://evil.example/"), "elsewhere"),
    (body(HTML), "no JSON"),
    (body(b"[]"), "no object"),
    (body(b"null"), "nothing"),
    (body(b'{"a":' * 100_000), "nested"),
    (body(b" " * 300_000), "too large"),
    (BROKEN_BODY, "cut off"),
    (raw(b"\x00\x01"), "no HTTP"),
]
