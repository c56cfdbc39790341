"""The proxies of `docker/proxy`, each as its file has it but for ports and paths, in front of a service on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from tests.support.fhir_stub_network import certificate_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = Path(__file__).resolve().parents[2] / "docker" / "proxy"
HOST = "cds.hospital.example"
START_SECONDS = 20
_APACHE_MODULES = "mpm_event authz_core proxy proxy_http ssl http2 headers socache_shmcb"
_SEARCH_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Kind:
    """A proxy: its example, its program, how it is started with a file, and how it takes up a change."""

    example: str
    program: str
    start: Callable[[str, Path], list[str]]
    reload: Callable[[str, Path, int], list[str]]
    frame: Callable[[str, Path], str]


def _signal(name: str) -> Callable[[str, Path, int], list[str]]:
    return lambda _program, _file, pid: ["/bin/kill" if Path("/bin/kill").exists() else "kill", f"-{name}", str(pid)]


def _nginx_frame(text: str, folder: Path) -> str:
    """Return a whole nginx.conf: on a host, Debian's own includes the example."""
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off; worker_processes 2;"
    return f"{head}\nevents {{}}\nhttp {{ access_log off;\n{temporary}\n{text}\n}}\n"


def _apache_frame(text: str, folder: Path) -> str:
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _APACHE_MODULES.split()
    )
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    head = f'ServerRoot "{folder}"\nPidFile {folder}/apache.pid\nErrorLog {folder}/error.log\nServerName {HOST}\n{user}'
    return f"{modules}\n{head}\nSSLSessionCache none\n{text}"


def _as_it_is(text: str, _folder: Path) -> str:
    return text


KINDS = {
    "nginx": Kind(
        "nginx.conf", "nginx", lambda program, file: [program, "-c", str(file)], _signal("HUP"), _nginx_frame
    ),
    "haproxy": Kind(
        "haproxy.cfg", "haproxy", lambda program, file: [program, "-W", "-f", str(file)], _signal("USR2"), _as_it_is
    ),
    "apache": Kind(
        "httpd.conf",
        "apache2",
        lambda program, file: [program, "-D", "FOREGROUND", "-f", str(file)],
        _signal("USR1"),
        _apache_frame,
    ),
    "caddy": Kind(
        "Caddyfile",
        "caddy",
        lambda program, file: [program, "run", "--adapter", "caddyfile", "--config", str(file)],
        lambda program, file, _pid: [
            *(program, "reload", "--force", "--adapter", "caddyfile", "--config", str(file)),
            *("--address", f"unix/{file.parent}/admin.sock"),
        ],
        _as_it_is,
    ),
}


@dataclass(frozen=True)
class RunningProxy:
    """A proxy in front of a service; `authority` is the file a client trusts it by."""

    kind: Kind
    program: str
    file: Path
    port: int
    pid: int
    authority: Path

    def reload(self) -> None:
        """Make it read its file again, without an interruption for clients."""
        subprocess.run(self.kind.reload(self.program, self.file, self.pid), check=True, capture_output=True, timeout=20)

    def curl(self, path: str, *options: str, source: str = "127.0.0.1") -> subprocess.CompletedProcess[str]:
        """Ask as a client does that knows nothing of Python; the answer's body, then the line that `-w` asks for."""
        command = [
            *("curl", "--silent", "--show-error", "--max-time", "30", "--path-as-is", "--interface", source),
            *("--cacert", str(self.authority), "--resolve", f"{HOST}:{self.port}:127.0.0.1"),
            *(*options, f"https://{HOST}:{self.port}{path}"),
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=40)


@contextmanager
def running_proxy(name: str, upstream: int, folder: Path) -> Iterator[RunningProxy]:
    """Start the proxy of this name before the service at `upstream`.

    Skips the test without its program; there CI=true makes it fail.
    """
    kind = KINDS[name]
    program = _find(kind.program)
    folder.chmod(0o755)
    authority, port = _certificate(folder), _free_port()
    text = (EXAMPLES / kind.example).read_text(encoding="utf-8")
    file = folder / kind.example
    file.write_text(kind.frame(_placed(text, folder, port, upstream), folder), encoding="utf-8")
    environment = {"PATH": _SEARCH_PATH, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "output.log").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(kind.start(program, file), stdout=output, stderr=output, env=environment, cwd=folder)
    try:
        _wait(port, process, folder)
        yield RunningProxy(kind, program, file, port, process.pid, authority)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.wait()


def _placed(text: str, folder: Path, port: int, upstream: int) -> str:
    """Replace what belongs to a host: ports and paths. Every one of them must stand in the example."""
    text = text.replace("/etc/ssl/sii-cds/", f"{folder}/").replace("unix//run/caddy/", f"unix/{folder}/")
    assert "443" in text
    assert "127.0.0.1:8080" in text
    return text.replace("443", str(port)).replace("127.0.0.1:8080", f"127.0.0.1:{upstream}")


def _certificate(folder: Path) -> Path:
    """Write certificate.pem, which HAProxy wants with its key, and key.pem."""
    authority, key = certificate_files(x509.DNSName(HOST), folder)
    (folder / "certificate.pem").write_bytes(authority.read_bytes() + key.read_bytes())
    (folder / "key.pem").write_bytes(key.read_bytes())
    return authority


def _find(program: str) -> str:
    found = shutil.which(program, path=_SEARCH_PATH)
    if found is None or shutil.which("curl") is None:
        lacking = f"no {program} or no curl on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{lacking}; CI=true makes tests with proxies required")
        pytest.skip(lacking)
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _wait(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    logs = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.log"))
    raise AssertionError(f"the proxy did not start: {logs[-2000:]}")
