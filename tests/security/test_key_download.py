"""One request for a key set: limits, redirects, what it sends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from cds_service.authorization import key_url
from cds_service.authorization.key_url import KeySetAddress, download
from cds_service.authorization.keys import MAX_KEY_SET_BYTES, KeySetError
from tests.security.key_server import OLD_KEYS, KeyServer

if TYPE_CHECKING:
    from pathlib import Path


def test_download_server_that_never_answers_is_given_up(server: KeyServer) -> None:
    server.may_answer.clear()
    begun = time.perf_counter()

    with pytest.raises(KeySetError, match="ReadTimeout"):
        download(KeySetAddress(server.url))
    assert time.perf_counter() - begun < 4


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected", "reason"),
    [
        (302, {"Location": "http://127.0.0.1:1/"}, b"", "status 302", "a redirect leads to another address"),
        (301, {"Location": "/jwks.json"}, b"", "status 301", "even to the same host"),
        (404, {}, OLD_KEYS, "status 404", "a good body under a bad status"),
        (204, {}, b"", "status 204", "nothing"),
        (200, {}, b" " * (MAX_KEY_SET_BYTES + 1), "larger than 1 MB", "a flood"),
        (200, {"Content-Length": "100000"}, OLD_KEYS, "ProtocolError", "cut short"),
        (200, {"Content-Encoding": "gzip"}, OLD_KEYS, "DecodeError", "not what it says"),
    ],
)
def test_download_bad_answer_is_a_key_set_error(
    status: int, headers: dict[str, str], body: bytes, expected: str, reason: str, server: KeyServer
) -> None:
    server.status, server.headers, server.body = status, headers, body

    with pytest.raises(KeySetError) as caught:
        download(KeySetAddress(server.url))

    assert caught.value.log_detail == expected, reason


def test_download_server_that_sends_byte_by_byte_is_given_up(server: KeyServer) -> None:
    server.body, server.pause_seconds = b" " * 1000, 0.05
    begun = time.perf_counter()

    with patch.object(key_url, "LONGEST_SECONDS", 0.5), pytest.raises(KeySetError, match="not complete after"):
        download(KeySetAddress(server.url))
    assert time.perf_counter() - begun < 3


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_download_authorities_gone_while_running_is_a_key_set_error(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)

    with pytest.raises(KeySetError):
        download(KeySetAddress("https://127.0.0.1:1/jwks.json", ca_file=file))


def test_download_sends_nothing_of_the_environment(
    server: KeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests would send the password of a netrc, and go through a proxy of the environment."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password secret-of-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert download(KeySetAddress(server.url)) == OLD_KEYS
    assert "Authorization" not in server.requests[0]
    assert "Cookie" not in server.requests[0]
