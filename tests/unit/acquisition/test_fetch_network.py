"""The way to a FHIR server: certificates and proxies come from the configuration, nothing from the environment."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from cds_service.acquisition.fhir.connections import TimeLimit
from cds_service.acquisition.fhir.exchange import ExchangeError, Exchanger, HTTPOptions
from cds_service.errors import ConfigurationError
from tests.support import fhir_stub_faults as faults
from tests.support.fhir_stub import TOKEN, FHIRStub, running_stub
from tests.support.fhir_stub_delayed import running_delayed
from tests.support.fhir_stub_network import certificate_for, running_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.fhir_stub import Fault, Wire

MOST_BYTES = 1_000_000
PLENTY = 10.0


@pytest.fixture
def stub() -> Iterator[FHIRStub]:
    with running_stub() as running:
        yield running


def exchanger(ca_file: Path | None = None, proxy: str | None = None) -> Exchanger:
    return Exchanger(HTTPOptions(0.5, MOST_BYTES, ca_file, proxy), connections=4)


def get(stub: FHIRStub, *, seconds: float = PLENTY, by: Exchanger | None = None) -> bytes:
    limit = TimeLimit(time.monotonic() + seconds)
    return (by or exchanger()).get(f"{stub.url}/Patient/p1", f"Bearer {TOKEN}", limit, MOST_BYTES)


def test_netrc_does_not_replace_the_token(stub: FHIRStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))

    get(stub)

    assert stub.received[0].authorization == f"Bearer {TOKEN}"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"])
def test_proxy_of_the_environment_is_not_used(stub: FHIRStub, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with running_proxy() as proxy:
        monkeypatch.setenv(name, proxy.url)
        get(stub)

        assert proxy.heads == []


def test_ca_bundle_of_the_environment_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca_file, tls = certificate_for("127.0.0.1", tmp_path)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(ca_file))
    with running_stub(tls) as stub, pytest.raises(ExchangeError, match="SSL"):
        get(stub)


def test_server_of_the_sites_authority_is_trusted(tmp_path: Path) -> None:
    ca_file, tls = certificate_for("127.0.0.1", tmp_path)
    with running_stub(tls) as stub:
        stub.content = {"patient": {"id": "p1"}}
        assert get(stub, by=exchanger(ca_file)) == b'{"id": "p1"}'


def test_server_of_an_unknown_authority_gets_no_request(tmp_path: Path) -> None:
    _, tls = certificate_for("127.0.0.1", tmp_path)
    with running_stub(tls) as stub:
        with pytest.raises(ExchangeError, match="SSL"):
            get(stub)
        assert stub.received == []


def test_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    ca_file, tls = certificate_for("127.0.0.2", tmp_path)
    with running_stub(tls) as stub:
        with pytest.raises(ExchangeError, match="SSL"):
            get(stub, by=exchanger(ca_file))
        assert stub.received == []


def test_server_that_never_greets_ends_at_the_connect_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/fhir/Patient/p1"
        with pytest.raises(ExchangeError, match="TimeoutError"):
            exchanger().get(url, None, TimeLimit(begun + PLENTY), MOST_BYTES)

        assert 0.5 <= time.monotonic() - begun < 1


def test_server_that_takes_no_connection_ends_at_the_connect_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
        begun = time.monotonic()
        url = f"http://127.0.0.1:{full.getsockname()[1]}/fhir/Patient/p1"
        with pytest.raises(ExchangeError, match="ConnectTimeoutError"):
            exchanger().get(url, None, TimeLimit(begun + PLENTY), MOST_BYTES)

        assert 0.5 <= time.monotonic() - begun < 1


@pytest.mark.parametrize("fault", [faults.SLOW_HEADER, faults.SLOW_BODY], ids=["header", "body"])
def test_slow_answer_ends_at_the_deadline_over_tls(tmp_path: Path, fault: Fault) -> None:
    ca_file, tls = certificate_for("127.0.0.1", tmp_path)
    with running_stub(tls) as stub:
        stub.faults = {"patient": fault}
        begun = time.monotonic()
        with pytest.raises(ExchangeError):
            get(stub, seconds=0.3, by=exchanger(ca_file))

        assert time.monotonic() - begun < 0.8


def test_exchange_given_up_over_tls_ends_at_once(tmp_path: Path) -> None:
    ca_file, tls = certificate_for("127.0.0.1", tmp_path)
    limit = TimeLimit(time.monotonic() + PLENTY)

    def give_up(wire: Wire) -> None:
        limit.give_up()
        faults.silence(wire)

    with running_stub(tls) as stub:
        stub.faults = {"patient": give_up}
        begun = time.monotonic()
        with pytest.raises(ExchangeError):
            exchanger(ca_file).get(f"{stub.url}/Patient/p1", None, limit, MOST_BYTES)

        assert time.monotonic() - begun < 1


def test_file_without_certificates_is_a_configuration_error(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("no certificate")

    with pytest.raises(ConfigurationError, match="ca_file"):
        exchanger(ca_file)


def test_proxy_of_the_configuration_tunnels_and_never_sees_the_token(tmp_path: Path) -> None:
    ca_file, tls = certificate_for("127.0.0.1", tmp_path)
    with running_stub(tls) as stub, running_proxy() as proxy:
        get(stub, by=exchanger(ca_file, proxy.url))

        assert stub.received[0].authorization == f"Bearer {TOKEN}"
        (head,) = proxy.heads
        assert head.startswith(b"CONNECT 127.0.0.1:")
        assert TOKEN.encode() not in head


def test_server_on_loopback_is_asked_without_the_proxy(stub: FHIRStub) -> None:
    with running_proxy() as proxy:
        get(stub, by=exchanger(proxy=proxy.url))

        assert (len(stub.received), proxy.heads) == (1, [])


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux lets a program ask for it")
@pytest.mark.parametrize(
    ("writes", "reason"), [(1, "header and body in one"), (2, "the body leaves once the header is acknowledged")]
)
def test_answer_does_not_wait_for_a_delayed_acknowledgement(writes: int, reason: str) -> None:
    """Linux delays one by 40 ms, but not the first sixteen of a connection."""
    by = exchanger()
    with running_delayed({"patient": {"id": "p1"}}, 0.0, writes) as base:
        seconds = []
        for _ in range(30):
            began = time.monotonic()
            by.get(f"{base}/Patient/p1", f"Bearer {TOKEN}", TimeLimit(began + PLENTY), MOST_BYTES)
            seconds.append(time.monotonic() - began)

    assert min(seconds[-10:]) < 0.03, reason
