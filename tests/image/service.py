"""The service inside the image: configured, started, asked as an EHR asks, stopped."""

from __future__ import annotations

import os
import re
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

import requests

from tests.image.running import USER
from tests.security.forge import EC_KID, ISSUER, ec_key, jwk, key_set, token
from tests.support.charts import bundle, days_ago, draw, hook_request, procedure
from tests.support.processes import children

if TYPE_CHECKING:
    import subprocess

    from tests.image.running import Image

PUBLIC_URL: Final = "https://cds.hospital.example"
HOOK_PATH: Final = "/cds-services/sii-recurrence-risk"
CONFIGURATION: Final = f"""\
service: {{public_url: "{PUBLIC_URL}", timezone: Europe/Zurich}}
server: {{workers: 2}}
clients: [{{name: main-ehr, issuer: "{ISSUER}", jwks_file: ehr-jwks.json}}]
audit: {{directory: /var/lib/sii-cds/audit}}
state: {{url: "sqlite:////var/lib/sii-cds/state.db"}}
"""
_START_SECONDS: Final = 30.0


class Facts(NamedTuple):
    """What a run showed: seconds to the address and to the first answered hook, kilobytes of the processes."""

    listening: float
    answered: float
    memory: int


def write_site(configuration: Path, state: Path) -> None:
    """Write what a site mounts: configuration and keys to read, a folder to write."""
    (configuration / "sii-cds.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (configuration / "ehr-jwks.json").write_bytes(key_set(jwk(ec_key(), EC_KID)))
    os.chown(state, USER, USER)


def answer_one_hook(image: Image, log: Path, *, health: bool = True) -> Facts:
    """Start, ask, stop. Raises AssertionError with a sentence where something is not as it should be."""
    begun = time.monotonic()
    with image.running("sii-cds", "serve", output=log) as process:
        url = _wait_for_address(log, process)
        listening = time.monotonic() - begun
        _ask(url)
        answered = time.monotonic() - begun
        assert requests.get(f"{url}/readyz", timeout=10).status_code == 200, "it is not ready"
        if health:
            checked = image.run("python", "-I", "/opt/sii-cds/healthcheck.py")
            assert checked.returncode == 0, f"the health check failed: {checked.stderr}"
        inner = children(process.pid)[0]
        memory = sum(_memory(pid) for pid in (inner, *children(inner)))
        os.kill(inner, signal.SIGTERM)
        assert process.wait(timeout=20) == 0, "SIGTERM did not end it cleanly"
    return Facts(listening, answered, memory)


def _ask(url: str) -> None:
    now = int(time.time())
    times: dict[str, Any] = {"iat": now, "exp": now + 300, "aud": PUBLIC_URL + HOOK_PATH}
    # Not the numbers that every run begins with: the state is kept from one start to the next.
    times["jti"] = str(uuid4())
    today = datetime.now(UTC)
    ablation = procedure(when=days_ago(90, now=today)[:10])
    request = hook_request(*draw(when=days_ago(40, now=today)), procedures=bundle(ablation))
    signed = token("ES384", None, None, **times)
    answer = requests.post(url + HOOK_PATH, json=request, headers={"Authorization": f"Bearer {signed}"}, timeout=10)
    assert answer.status_code == 200, f"the hook was answered {answer.status_code}: {answer.text}"
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "warning", f"another card: {card['summary']}"
    refused = requests.post(url + HOOK_PATH, json=request, timeout=10)
    assert refused.status_code == 401, "a hook without a token was not refused"


def _wait_for_address(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"^listening on (http://\S+)$", log.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
        time.sleep(0.01)
    raise AssertionError(f"the service did not start:\n{log.read_text(encoding='utf-8')}")


def _memory(pid: int) -> int:
    """Return the share of a process in memory (PSS) in kilobytes: what the workers share counts once."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
