"""The bill of materials says what the lock says."""

import json
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tests.architecture.checkout import ROOT, read
from tests.architecture.test_locks import RUNTIME_LOCK, entries, project

SCRIPT = ROOT / ".ci" / "sbom.py"

Json = dict[str, Any]


def written(folder: Path = ROOT) -> str:
    return subprocess.run([sys.executable, SCRIPT], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def document() -> Json:
    found: Json = json.loads(written())
    return found


def locked() -> list[tuple[str, str, set[str]]]:
    """Name, version and hashes of each entry of the lock."""
    found = []
    for entry in entries(read(RUNTIME_LOCK)):
        name, version = re.split(r"==|[\s;]", re.sub(r"\[.*?\]", "", entry))[:2]
        found.append((name, version, set(re.findall(r"sha256:([0-9a-f]{64})", entry))))
    return found


def test_bill_lists_every_pin_of_the_lock_with_its_hashes(document: Json) -> None:
    listed = [
        (each["name"], each["version"], {one["content"] for one in each["externalReferences"][0]["hashes"]})
        for each in document["components"]
    ]

    assert listed == locked()
    assert len(listed) > 40


def test_bill_names_the_product_and_its_version(document: Json) -> None:
    product = document["metadata"]["component"]

    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert (product["name"], product["version"]) == ("sii-cds", project()["project"]["version"])
    assert product["licenses"] == [{"license": {"id": "Apache-2.0"}}]


def test_bill_tells_who_wants_what(document: Json) -> None:
    wanted = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    references = {each["bom-ref"] for each in document["components"]}
    names = {reference: reference.partition("/")[2].partition("@")[0] for reference in references}

    assert set(wanted) == references | {"sii-cds"}
    assert set().union(*map(set, wanted.values())) == references, "nothing is there that nobody wants"
    flask = next(reference for reference in references if names[reference] == "flask")
    assert flask in wanted["sii-cds"]
    assert {"werkzeug", "jinja2"} <= {names[each] for each in wanted[flask]}


def test_bill_of_the_same_lock_is_the_same_and_of_another_is_another(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(read(RUNTIME_LOCK).replace("flask==", "flask==9"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(read(PurePosixPath("pyproject.toml")), encoding="utf-8")

    assert written() == written()
    assert json.loads(written(tmp_path))["serialNumber"] != json.loads(written())["serialNumber"]


def test_references_are_package_urls(document: Json) -> None:
    assert all(re.fullmatch(r"pkg:pypi/[a-z0-9.-]+@[\w.+!]+", each["purl"]) for each in document["components"])
