"""Addresses: what is loopback, and which URLs are accepted."""

from __future__ import annotations

import re

import pytest

from cds_service.settings.network import (
    address_or_network,
    http_url,
    is_loopback,
    listen_host,
    secure_location,
    secure_url,
    web_origin,
)


@pytest.mark.parametrize(
    ("host", "loopback", "reason"),
    [
        ("127.0.0.1", True, "the usual one"),
        ("127.255.255.254", True, "all of 127.0.0.0/8"),
        ("::1", True, "IPv6"),
        ("localhost", True, "by name"),
        ("LOCALHOST", True, "names have no case"),
        ("0.0.0.0", False, "every interface"),  # noqa: S104  the very address that must not count as loopback
        ("::", False, "every interface, IPv6"),
        ("128.0.0.1", False, "one past the block"),
        ("localhost.hospital.example", False, "a name that only begins so"),
        ("127.0.0.1.hospital.example", False, "a name that only begins so"),
        ("0177.0.0.1", False, "an ambiguous spelling is not trusted"),
        ("", False, "nothing"),
    ],
)
def test_is_loopback(host: str, loopback: bool, reason: str) -> None:
    assert is_loopback(host) is loopback, reason


@pytest.mark.parametrize(
    ("text", "kept", "reason"),
    [
        ("https://cds.hospital.example", "https://cds.hospital.example", "as written"),
        ("https://cds.hospital.example/", "https://cds.hospital.example", "the trailing slash is dropped"),
        ("https://a.example:8443/cds/r4//", "https://a.example:8443/cds/r4", "path and port stay"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "http on loopback"),
        ("http://[::1]:8080/fhir", "http://[::1]:8080/fhir", "http on IPv6 loopback"),
        ("HTTPS://a.example", "https://a.example", "the scheme has no case"),
    ],
)
def test_secure_url_is_kept(text: str, kept: str, reason: str) -> None:
    assert secure_url(text) == kept, reason


@pytest.mark.parametrize(
    ("text", "sentence", "reason"),
    [
        ("http://a.example", "http is accepted on loopback only", "plain http"),
        ("http://localhost.a.example", "http is accepted on loopback only", "no loopback"),
        ("a.example", "not an absolute address", "no scheme"),
        ("ftp://a.example", "not an absolute address", "other scheme"),
        ("https://", "not an absolute address", "no host"),
        ("https:/a.example", "not an absolute address", "one slash"),
        ("https://a.example?x=1", "leave out everything", "query"),
        ("https://a.example#x", "leave out everything", "fragment"),
        ("https://a.example?", "leave out everything", "empty query"),
        ("https://u:pa55word@a.example", "holds a user name or password", "password"),
        ("https://@a.example", "holds a user name or password", "empty user"),
        ("https://a.example:99999", "not an address", "port"),
        ("https://a.example:x", "not an address", "port"),
        ("https://[::1", "not an address", "bracket"),
        ("https://a b.example", "no address holds", "space"),
        ("https://ä.example", "no address holds", "not ASCII"),
        ("https://a.example\\@b", "holds a user name or password", "browsers read the backslash as a slash"),
        ("https://a..example", "no address holds", "empty label"),
    ],
)
def test_secure_url_is_refused(text: str, sentence: str, reason: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        secure_url(text)
    assert "pa55word" not in str(caught.value), reason


def test_secure_location_keeps_a_query() -> None:
    assert secure_location("https://a.example/jwks?v=1") == "https://a.example/jwks?v=1"


def test_secure_location_refuses_plain_http() -> None:
    with pytest.raises(ValueError, match="use https"):
        secure_location("http://a.example/jwks")


def test_http_url_accepts_plain_http_for_a_proxy() -> None:
    assert http_url("http://proxy.hospital.example:3128") == "http://proxy.hospital.example:3128"


@pytest.mark.parametrize("origin", ["https://ehr.example", "https://ehr.example:8443", "http://[::1]:3000"])
def test_web_origin_is_kept(origin: str) -> None:
    assert web_origin(origin) == origin


@pytest.mark.parametrize(
    ("text", "sentence", "reason"),
    [
        ("*", "every web page", "everybody"),
        ("null", "not an absolute address", "what sandboxed pages send"),
        ("https://ehr.example/", 'write "https://ehr.example"', "trailing slash"),
        ("https://ehr.example/app", 'write "https://ehr.example"', "path"),
        ("https://EHR.example", 'write "https://ehr.example"', "browsers send small letters"),
        ("https://ehr.example:443", 'write "https://ehr.example"', "browsers leave the usual port out"),
        ("https://*.example", "no address holds", "wildcard"),
    ],
)
def test_web_origin_is_refused(text: str, sentence: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        web_origin(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "::", "cds", "cds.hospital.example", "my_host"])
def test_listen_host_is_kept(host: str) -> None:
    assert listen_host(host) == host


@pytest.mark.parametrize("host", ["", "a:80", "http://a", "[::1]", "a b", "-a", "."])
def test_listen_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="without scheme and port"):
        listen_host(host)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("2001:DB8::1", "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("2001:db8::/48", "2001:db8::/48"),
        ("10.0.0.5/32", "10.0.0.5/32"),
    ],
)
def test_proxy_address_or_network_is_accepted(text: str, value: str) -> None:
    assert address_or_network(text) == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("proxy.example", "is not an IP address"),
        ("10.0.0.5:80", "is not an IP address"),
        ("10.0.0.0/33", "is not a network"),
        ("10.0.0.0/", "is not a network"),
        ("proxy/8", "is not a network"),
        ("10.0.0.5/8", 'is an address within a network; write "10.0.0.0/8", or the address alone'),
        ("0.0.0.0/0", "is every address there is"),
        ("::/0", "is every address there is"),
    ],
)
def test_proxy_that_is_no_address_or_network_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        address_or_network(text)
