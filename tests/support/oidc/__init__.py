"""An authorization server that others wrote, for the browser tests: oidc-provider with what SMART adds, on loopback."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.medplum import install, require_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class OIDCServer:
    """A running server, which is the EHR's FHIR server too."""

    url: str

    @property
    def fhir(self) -> str:
        """The FHIR base."""
        return f"{self.url}/fhir"


@contextmanager
def running_oidc(client: Json, launches: Json, charts: Json, launch_url: str) -> Iterator[OIDCServer]:
    """Start a server that knows one client (oidc-provider's metadata), and patient and card of each launch.

    Skips the test where Node or npm is missing; there CI=true makes it fail.
    """
    require_node()
    install(FOLDER)
    settings = json.dumps({"client": client, "launches": launches, "charts": charts, "launchUrl": launch_url})
    command = ["node", str(FOLDER / "server.mjs"), settings]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), f"the server did not start: {url!r}"
        # Leaving the block closes the server's standard input, which ends it.
        yield OIDCServer(url)
