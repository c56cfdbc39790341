"""What clients do: the usual, the wrong, and what networks make of both. Each kind tells what may come back."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.conformance.answers import HOOKS
from tests.support.charts import draw, hook_request, observation
from tests.support.openapi import FEEDBACK, HOOK

if TYPE_CHECKING:
    from tests.endurance.site import Site

LARGE_BYTES = 10_400_000


class Seen(NamedTuple):
    """Statuses that came back, 0 for a connection closed without one, and those that had to.

    `decisions` are what the audit log must hold, `perhaps` what it may hold besides.
    """

    statuses: tuple[int, ...]
    allowed: frozenset[int]
    decisions: int = 0
    perhaps: int = 0

    @property
    def is_right(self) -> bool:
        """Tell whether every status was allowed."""
        return set(self.statuses) <= self.allowed


Kind = Callable[["Site", int], Seen]


@cache
def hook_bodies() -> tuple[bytes, ...]:
    """Return a body for each outcome. Times are those of a fixed clock, so the outcome may be another one today."""
    return tuple(json.dumps(body).encode() for body, _ in HOOKS.values())


@cache
def chart_of(count: int) -> bytes:
    """Return a body with so many Observations."""
    many = [observation("751-8", 4.2, oid=f"o{number}") for number in range(count)]
    return json.dumps(hook_request(*draw(), *many)).encode()


@cache
def largest_body() -> bytes:
    """Return a body of nearly the largest size that is taken."""
    one = len(json.dumps(observation("751-8", 4.2, oid="o10000")))
    body = chart_of(LARGE_BYTES * 8 // 10 // (one + 70))
    return body + b" " * (LARGE_BYTES - len(body))


def _seen(statuses: tuple[int, ...], *allowed: int, decisions: int = 0) -> Seen:
    return Seen(statuses, frozenset(allowed), decisions)


def good_hook(site: Site, turn: int) -> Seen:
    """A chart is opened."""
    body = hook_bodies()[turn % len(hook_bodies())]
    status, _ = site.ask("POST", HOOK, body, site.token(HOOK))
    return _seen((status,), 200, decisions=1)


def long_chart(site: Site, _turn: int) -> Seen:
    """A chart of years: half a megabyte."""
    status, _ = site.ask("POST", HOOK, chart_of(1000), site.token(HOOK))
    return _seen((status,), 200, decisions=1)


def data_missing(site: Site, _turn: int) -> Seen:
    """Required data are missing, and no FHIR server is named."""
    body = json.dumps(hook_request(without=("conditions",))).encode()
    status, _ = site.ask("POST", HOOK, body, site.token(HOOK))
    return _seen((status,), 412, decisions=1)


_BAD_BODIES = (b"{", b"[]", b"", b"\xff\xfe", b'{"hook": "order-sign"}', b"[" * 5000)


def bad_body(site: Site, turn: int) -> Seen:
    """Somebody tries things."""
    path = (HOOK, FEEDBACK)[turn % 2]
    status, _ = site.ask("POST", path, _BAD_BODIES[turn % len(_BAD_BODIES)], site.token(path))
    return _seen((status,), 400)


def no_rights(site: Site, turn: int) -> Seen:
    """A token is missing, forged, or used again."""
    forged = (None, "x.y.z", site.token(FEEDBACK), site.token(HOOK)[:-6] + "AAAAAA")[turn % 4]
    status, _ = site.ask("POST", HOOK, hook_bodies()[0], forged)
    return _seen((status,), 401)


def feedback(site: Site, turn: int) -> Seen:
    """A card was taken or put aside; now and then the client has a bad clock."""
    stamp = "2026-11-23T10:00:00Z" if turn % 3 else "yesterday"
    item: dict[str, Any] = {"card": f"card-{turn}", "outcome": "accepted", "outcomeTimestamp": stamp}
    status, _ = site.ask("POST", FEEDBACK, json.dumps({"feedback": [item]}).encode(), site.token(FEEDBACK))
    return _seen((status,), 200 if turn % 3 else 400)


_LOOKS = {"/cds-services": 200, "/metrics": 200, "/readyz": 200, "/livez": 200, "/model-card": 200, "/x": 404}


def look_around(site: Site, turn: int) -> Seen:
    """Monitoring asks, and so do scanners."""
    path = list(_LOOKS)[turn % len(_LOOKS)]
    return _seen((site.ask("GET", path)[0],), _LOOKS[path])


def pipelined(site: Site, _turn: int) -> Seen:
    """Three requests are sent before the first answer is there."""
    with socket.create_connection(site.address, timeout=60) as connection:
        connection.sendall(b"".join(site.raw(HOOK, hook_bodies()[0]) for _ in range(3)))
        statuses = _read_statuses(connection, 3)
    return Seen(statuses if len(statuses) == 3 else (0, *statuses), frozenset({200}), 3)


def half_closed(site: Site, turn: int) -> Seen:
    """The client says at once that it will send no more: the whole request was sent, or half of it.

    The server takes such a client for gone, mostly before the answer is ready; it must not wait for it either.
    """
    body = hook_bodies()[0]
    sent = body if turn % 2 else body[: len(body) // 2]
    with socket.create_connection(site.address, timeout=60) as connection:
        connection.sendall(site.raw(HOOK, sent, len(body)))
        connection.shutdown(socket.SHUT_WR)
        statuses = _read_statuses(connection, 1)
    return Seen(statuses or (0,), frozenset({0, 200 if turn % 2 else 400}), perhaps=turn % 2)


def reset(site: Site, turn: int) -> Seen:
    """The network breaks in the middle of a body, once in a small one and once in a large one."""
    body = largest_body() if turn % 4 == 0 else hook_bodies()[0]
    connection = socket.create_connection(site.address, timeout=60)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(site.raw(HOOK, body[: len(body) // 3], len(body)))
    time.sleep(0.01)
    connection.close()
    return _seen(())


def _read_statuses(connection: socket.socket, wanted: int) -> tuple[int, ...]:
    """Read until so many answers began, or the server closes."""
    data = b""
    while data.count(b"HTTP/1.1 ") < wanted and (part := connection.recv(65536)):
        data += part
    return tuple(int(piece[:3]) for piece in data.split(b"HTTP/1.1 ")[1:])


# Kinds by how often they occur in a round.
KINDS: dict[Kind, int] = {
    good_hook: 12,
    long_chart: 1,
    data_missing: 1,
    bad_body: 3,
    no_rights: 3,
    feedback: 2,
    look_around: 2,
    pipelined: 1,
    half_closed: 2,
    reset: 1,
}


def in_turn() -> tuple[Kind, ...]:
    """Return the kinds of one round, mixed."""
    spread = [(place / often, kind) for kind, often in KINDS.items() for place in range(often)]
    return tuple(kind for _, kind in sorted(spread, key=lambda pair: (pair[0], pair[1].__name__)))
