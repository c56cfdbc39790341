"""Where a request came from: X-Forwarded-For is the caller's own text, unless a listed proxy wrote it."""

from __future__ import annotations

import pytest

from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, Edge, hook_request

PROXY, SECOND_PROXY, CALLER = "10.0.0.5", "10.0.0.6", "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected", "reason"),
    [
        (CALLER, None, (), CALLER, "no proxy"),
        (CALLER, "203.0.113.9", (), CALLER, "nobody is believed unless listed"),
        (CALLER, "203.0.113.9", (PROXY,), CALLER, "a caller that is not the proxy"),
        (PROXY, CALLER, (PROXY,), CALLER, "the proxy tells"),
        (PROXY, None, (PROXY,), PROXY, "the proxy tells nothing"),
        (PROXY, "", (PROXY,), PROXY, "the proxy tells nothing, at length"),
        (PROXY, f"203.0.113.9, {CALLER}", (PROXY,), CALLER, "the caller sent one of its own, the proxy added the last"),
        (PROXY, f"203.0.113.9, {CALLER}, {SECOND_PROXY}", (PROXY, SECOND_PROXY), CALLER, "two proxies in a row"),
        (PROXY, SECOND_PROXY, (PROXY, SECOND_PROXY), SECOND_PROXY, "a call from the proxy itself"),
        (PROXY, f"{CALLER}, unknown", (PROXY,), PROXY, "what is no address ends the reading"),
        (PROXY, "<script>", (PROXY,), PROXY, "nor does it reach the log"),
        (f"::ffff:{PROXY}", CALLER, (PROXY,), CALLER, "a socket for both kinds of addresses"),
        (PROXY, "2001:db8::1", (PROXY,), "2001:db8::1", "IPv6"),
        ("", None, (), "unknown", "a Unix socket"),
        (
            PROXY,
            "203.0.113.7:51234",
            ("10.0.0.0/8",),
            "203.0.113.7",
            "Azure's gateway adds the port; a network is listed",
        ),
        (PROXY, "[2001:db8::7]:51234", (PROXY,), "2001:db8::7", "IPv6 with a port"),
        (PROXY, "[2001:db8::7]", (PROXY,), "2001:db8::7", "IPv6 in brackets"),
        (PROXY, '"[2001:db8::7]:443"', (PROXY,), "2001:db8::7", "quoted, as in Forwarded"),
        (PROXY, f"{CALLER}, ", (PROXY,), CALLER, "an empty entry at the end"),
        (
            PROXY,
            f", {CALLER} ,, {SECOND_PROXY}:80,",
            ("10.0.0.0/24",),
            CALLER,
            "empty ones everywhere, a port in between",
        ),
        (PROXY, f"::ffff:{CALLER}", (PROXY,), CALLER, "IPv4 in the form of IPv6"),
        (PROXY, f"[::ffff:{CALLER}]:80", (PROXY,), CALLER, "the same with a port"),
        ("2001:db8:1::9", CALLER, ("2001:db8:1::/48",), CALLER, "a proxy in a network of IPv6"),
        ("11.0.0.5", CALLER, ("10.0.0.0/8",), "11.0.0.5", "a neighbour of the network"),
        (PROXY, f"{CALLER}:x", (PROXY,), PROXY, "a port that is none"),
        (PROXY, f"{CALLER}:123456", (PROXY,), PROXY, "nor is this one"),
        (PROXY, "x" * 100, (PROXY,), PROXY, "no address is so long"),
    ],
)
def test_caller_address(peer: str, forwarded: str | None, proxies: tuple[str, ...], expected: str, reason: str) -> None:
    edge = Edge(proxies=frozenset(proxies))
    headers = GOOD_TOKEN | ({} if forwarded is None else {"X-Forwarded-For": forwarded})

    edge.application().test_client().post(
        HOOK_PATH, json=hook_request(), headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )

    assert edge.authenticator.addresses == [expected], reason
