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
    ],
)
def test_caller_address(peer: str, forwarded: str | None, proxies: tuple[str, ...], expected: str, reason: str) -> None:
    edge = Edge(proxies=frozenset(proxies))
    headers = GOOD_TOKEN | ({} if forwarded is None else {"X-Forwarded-For": forwarded})

    edge.application().test_client().post(
        HOOK_PATH, json=hook_request(), headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )

    assert edge.authenticator.addresses == [expected], reason
