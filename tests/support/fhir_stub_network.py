"""What may stand between the service and a FHIR server: certificates, and a proxy that tunnels."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def certificate_for(address: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Issue a certificate for an IP address; return the file a client trusts it by, and the server's context."""
    ca_file, key_file = certificate_files(x509.IPAddress(ip_address(address)), folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, key_file)
    return ca_file, context


def certificate_files(subject: x509.IPAddress | x509.DNSName, folder: Path) -> tuple[Path, Path]:
    """Issue a certificate for an address or a name; return the file a client trusts it by, and that of the key.

    It signs itself, which OpenSSL takes as an authority when a client lists it. It is valid for today's clock, since
    OpenSSL knows no other.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Server {subject.value}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca_file, key_file = folder / f"{subject.value}.pem", folder / f"{subject.value}-key.pem"
    ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return ca_file, key_file


class Proxy:
    """An HTTP proxy that tunnels. `heads` holds what clients told it, which is all it gets to read."""

    def __init__(self, listening: socket.socket) -> None:
        """Take a listening socket."""
        self._listening = listening
        self.heads: list[bytes] = []
        self._connections = [listening]

    @property
    def url(self) -> str:
        """The address for `acquisition.proxy`."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def serve(self) -> None:
        """Accept clients until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._connections.append(client)
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End all tunnels."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.heads.append(head)
        host, _, port = head.split()[1].decode().rpartition(":")
        server = socket.create_connection((host, int(port)), timeout=5)
        self._connections.append(server)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()
        _copy(client, server)


@contextmanager
def running_proxy() -> Iterator[Proxy]:
    """Tunnel until the block ends."""
    proxy = Proxy(socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(timeout=5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
