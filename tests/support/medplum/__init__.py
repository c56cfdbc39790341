"""A FHIR R4 server that others wrote, for the integration tests: Medplum's router and memory repository, on loopback.

`npm ci` installs what package-lock.json names into node_modules, once for each lock file. The lock file names no
registry: npm asks the one it is configured for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.side_by_side import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

FOLDER = Path(__file__).resolve().parent
TOKEN = "medplum-access-token"
# Small, so that the charts of the tests take several pages.
PAGE_SIZE = 5
OLDEST_NODE = 18


@dataclass(frozen=True)
class Medplum:
    """A running server."""

    url: str

    def clear(self) -> None:
        """Remove everything. The repository searches in all it holds, and takes its time."""
        self.ask("DELETE", "").raise_for_status()

    def load(self, *resources: Json) -> None:
        """Put resources under their ids in one transaction. Raises requests.HTTPError when one is refused."""
        entries = [
            {"request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}, "resource": resource}
            for resource in resources
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        self.ask("POST", "", json=bundle).raise_for_status()

    def ask(self, method: str, path: str, *, token: str = TOKEN, json: Json | None = None) -> requests.Response:
        """Send a request as another client would."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, f"{self.url}{path}", json=json, headers=headers, timeout=10)


@contextmanager
def running_medplum() -> Iterator[Medplum]:
    """Start an empty server. Skips the test where Node or npm is missing; there CI=true makes it fail."""
    require_node()
    install()
    command = ["node", str(FOLDER / "server.mjs"), TOKEN, str(PAGE_SIZE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), f"the server did not start: {url!r}"
        # Leaving the block closes the server's standard input, which ends it.
        yield Medplum(url)


def require_node() -> None:
    """Skip, or fail where CI=true, when Node is missing or too old."""
    lacking = missing_tool(os.environ.get("PATH", ""))
    if lacking and os.environ.get("CI") == "true":
        pytest.fail(f"{lacking}; CI=true makes tests against servers of others required")
    if lacking:
        pytest.skip(lacking)


def missing_tool(search_path: str) -> str:
    """Say what is missing on a search path; nothing when all is there."""
    for name in ("node", "npm"):
        if shutil.which(name, path=search_path) is None:
            return f"no {name} on the PATH"
    node = shutil.which("node", path=search_path) or ""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", version)
    if found is None or int(found[1]) < OLDEST_NODE:
        return f"Node {version.strip() or 'of no version'} is older than {OLDEST_NODE}"
    return ""


def install(folder: Path = FOLDER) -> None:
    """Install what the lock file names, unless it is there. Raises CalledProcessError with npm's own words."""
    lock = sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed"
    command = ["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    with one_at_a_time(Path(tempfile.gettempdir()) / f"sii-cds-npm-{folder.name}-{lock[:16]}.lock"):
        if stamp.is_file() and stamp.read_text() == lock:
            return
        subprocess.run(command, cwd=folder, check=True)
        stamp.write_text(lock)
