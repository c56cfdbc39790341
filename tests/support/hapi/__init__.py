"""HAPI's JPA server (FHIR R4) with default settings, for the interoperability tests: on loopback, in memory.

Maven brings what pom.xml names, once for each pom.xml; Java compiles the one class that embeds it. pom.xml names no
repository: Maven asks the one it is configured for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

FOLDER = Path(__file__).resolve().parent
TARGET = FOLDER / "target"
SOURCE = FOLDER / "src/main/java/cds/HapiServer.java"
OLDEST_JAVA = 17
MEDIA_TYPE = "application/fhir+json"
_REFERENCE = re.compile(r'"reference": "([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})"')


@dataclass(frozen=True)
class Hapi:
    """A running server; `url` is its FHIR base."""

    url: str

    def load(self, *resources: Json) -> None:
        """Put resources under their ids in one transaction, with bare ones for those that they refer to.

        By default HAPI refuses a reference to what it does not hold.
        """
        named = {(resource["resourceType"], resource["id"]) for resource in resources}
        referred = {(kind, name) for kind, name in _REFERENCE.findall(json.dumps(resources))} - named
        bare = [{"resourceType": kind, "id": name} for kind, name in sorted(referred)]
        entries = [
            {"request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}, "resource": resource}
            for resource in (*bare, *resources)
        ]
        answer = self.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        assert answer.ok, answer.text[:2000]

    def ask(self, method: str, path: str, resource: Json | None = None) -> requests.Response:
        """Send a request as another client would."""
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-cache"}
        return requests.request(method, f"{self.url}{path}", json=resource, headers=headers, timeout=60)


@contextmanager
def running_hapi() -> Iterator[Hapi]:
    """Start an empty server; that takes half a minute. Skips without Java or Maven; there CI=true makes it fail."""
    _require_java()
    _build()
    command = ["java", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-cp", f"{TARGET}/classes:{TARGET}/lib/*", "cds.HapiServer"]
    with (TARGET / "server.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), (TARGET / "server.log").read_text(encoding="utf-8")[-3000:]
        server = Hapi(url)
        # HAPI makes its CapabilityStatement when it is first asked for one, and takes half a minute, more on a
        # busy machine.
        requests.get(f"{url}/metadata", timeout=300).raise_for_status()
        # Leaving the block closes the server's standard input, which ends it.
        yield server


def _require_java() -> None:
    lacking = _missing_tool()
    if lacking and os.environ.get("CI") == "true":
        pytest.fail(f"{lacking}; CI=true makes tests against HAPI required")
    if lacking:
        pytest.skip(lacking)


def _missing_tool() -> str:
    for name in ("java", "javac", "mvn"):
        if shutil.which(name) is None:
            return f"no {name} on the PATH (Debian: openjdk-17-jdk-headless, maven)"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    is_old = found is None or int(found[1]) < OLDEST_JAVA
    return f"Java {found[1] if found else 'of no version'} is older than {OLDEST_JAVA}" if is_old else ""


def _build() -> None:
    """Bring the libraries and compile, unless that was done for the files as they are."""
    made_from = sha256((FOLDER / "pom.xml").read_bytes() + SOURCE.read_bytes()).hexdigest()
    stamp = TARGET / ".built"
    if stamp.is_file() and stamp.read_text() == made_from:
        return
    shutil.rmtree(TARGET, ignore_errors=True)
    (TARGET / "classes").mkdir(parents=True)
    libraries = f"-DoutputDirectory={TARGET / 'lib'}"
    maven = ["mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", libraries]
    subprocess.run(maven, cwd=FOLDER, check=True, timeout=900)
    compiler = ["javac", "-cp", f"{TARGET}/lib/*", "-d", str(TARGET / "classes"), str(SOURCE)]
    subprocess.run(compiler, check=True, timeout=300)
    stamp.write_text(made_from)
