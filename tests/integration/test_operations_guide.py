"""The operations guide does what it says: its commands are run, its templates checked, its names looked up."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from cds_service.acquisition.queries import site_queries
from cds_service.cards.wording import texts_in
from cds_service.settings import load_settings
from fhir_mappings import load_mappings
from tests.architecture.checkout import ROOT, repository_files

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
AFTERNOON = GUIDE.partition("## The afternoon")[2].partition("\n## ")[0]
EHR_SIDE = GUIDE.partition("## The EHR's side")[2].partition("\n## ")[0]


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unpack_source(folder: Path) -> None:
    """What a release holds: the files of the repository as they are now."""
    for path in repository_files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.timeout(600)
def test_afternoon_from_an_empty_directory_leads_to_an_answered_hook(tmp_path: Path) -> None:
    unpack_source(tmp_path / "source")
    # Nothing but the port differs from what the guide says: 8080 may be taken here.
    port = str(free_port())
    script = "\n".join(blocks("sh", AFTERNOON)).replace("8080", port)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "LANG": "C.UTF-8"}
    environment["SII_CDS__SERVER__PORT"] = port
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    # What pip would compile is compiled when it is imported; most of it never is.
    environment["PIP_NO_COMPILE"] = "1"
    (tmp_path / "home").mkdir()

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "a hook with a good token is answered" in done.stdout
    assert "The wiring works." in done.stdout
    assert "not-eligible" in done.stdout, "the hook's record is found"


@pytest.mark.parametrize("text", blocks("yaml", EHR_SIDE), ids=lambda text: re.findall(r"name: (\S+)", text)[0])
def test_configuration_of_each_ehr_passes_the_check(tmp_path: Path, text: str) -> None:
    for name in re.findall(r"jwks_file: (\S+)", text):
        (tmp_path / name).write_text('{"keys": []}')
    (tmp_path / "sii-cds.yaml").write_text(f"service: {{public_url: https://cds.hospital.example}}\n{text}")

    assert load_settings(tmp_path / "sii-cds.yaml", {}).clients


def test_prefetch_templates_to_paste_are_those_of_discovery() -> None:
    queries = site_queries(load_mappings())

    (pasted,) = blocks("text", EHR_SIDE)

    assert pasted.strip().split("\n\n") == [f"{key}: {query.template()}" for key, query in queries.items()]


def test_override_reasons_to_map_are_those_of_the_cards() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", EHR_SIDE, re.MULTILINE)

    assert dict(listed) == dict(texts_in("en").override_reasons)
