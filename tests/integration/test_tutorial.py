"""The tutorial does what it says: its shell commands are run, with a stand-in for the sandbox."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from cds_service.demo.open_fhir import OPEN_FHIR_PATH
from tests.architecture.checkout import ROOT
from tests.security import forge
from tests.support.sandbox_client import open_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
(SANDBOX,) = re.findall(r"\((http://localhost:3000/\?[^)]+)\)", TUTORIAL)
ASKED = {name: values[0] for name, values in parse_qs(urlsplit(SANDBOX).query).items()}
DONE = "the commands are done"
COMMAND = Path(sys.executable).with_name("sii-cds")


def shell_commands(text: str) -> str:
    return "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def demonstration(port: int) -> Iterator[None]:
    with subprocess.Popen([COMMAND, "demo", "--port", str(port)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
            yield
        finally:
            process.terminate()


@contextmanager
def shell(folder: Path, environment: dict[str, str]) -> Iterator[Callable[[str], str]]:
    """A shell that goes on from one block of commands to the next, and ends at the first that fails.

    What it started in the background ends with it.
    """
    command = ["bash", "-euo", "pipefail"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(  # type: ignore[call-overload]
        command, cwd=folder, env=environment, text=True, start_new_session=True, **pipes
    ) as process:

        def run(commands: str) -> str:
            process.stdin.write(f"{commands}echo; echo {DONE}\n")
            process.stdin.flush()
            said: list[str] = []
            for line in process.stdout:
                if line == f"{DONE}\n":
                    return "".join(said)
                said.append(line)
            raise AssertionError("".join(said))

        try:
            yield run
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def prepare(folder: Path) -> None:
    """What the commands find that are not run here: the installation of step 1, and the sandbox's public key."""
    command, keys = folder / "sii-cds/.venv/bin/sii-cds", folder / "sandbox/build/.well-known/jwks.json"
    for path in (command, keys):
        path.parent.mkdir(parents=True)
    command.symlink_to(COMMAND)
    keys.write_bytes(forge.key_set(forge.jwk(forge.ec_key(), forge.EC_KID)))


def test_link_opens_the_sandbox_with_what_the_configuration_names() -> None:
    assert f"fhir_servers: [{ASKED['fhirServiceUrl']}]" in TUTORIAL
    assert ASKED["fhirServiceUrl"].endswith(OPEN_FHIR_PATH)
    assert ASKED["serviceDiscoveryURL"] == "http://127.0.0.1:8080/cds-services"
    assert 'origins: ["http://localhost:3000"]' in TUTORIAL


@pytest.mark.timeout(180)
def test_tutorial_leads_to_a_card_an_override_and_a_report(tmp_path: Path) -> None:
    prepare(tmp_path)
    demo, service = free_ports(2)
    before, heading, after = TUTORIAL.partition("## 5. ")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def here(text: str) -> str:
        """Nothing but the ports differs from what the tutorial says: they may be taken here."""
        return text.replace("8765", str(demo)).replace("8080", str(service))

    with demonstration(demo), shell(tmp_path, {**environment, "SII_CDS__SERVER__PORT": str(service)}) as run:
        said = run(here(shell_commands(before)))
        cards = open_chart(here(ASKED["serviceDiscoveryURL"]), here(ASKED["fhirServiceUrl"]), ASKED["patientId"])
        told = run(here(shell_commands(heading + after)))

    assert "clients.0.jwks_file: no such file" in said, "the first check names what is missing"
    assert ["is above the cut-off 405.08" in card["summary"] for card in cards] == [True]
    assert re.search(r"feedback +sandbox .* overridden .*already-considered", told)
    assert "are whole" in told
    for page in ("report.html", "board.html"):
        assert "<svg" in (tmp_path / "tutorial" / page).read_text(encoding="utf-8"), page
