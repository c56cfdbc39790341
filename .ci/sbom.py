"""Write the bill of materials of what a host runs: every package of requirements.lock, as CycloneDX 1.6 JSON.

    python3 .ci/sbom.py > sii-cds.cdx.json      in the folder of requirements.lock and pyproject.toml

The same lock gives the same bytes. Licenses are not told: a lock does not know them.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any, Final

from install_locked import ENTRY

LOCK: Final = Path("requirements.lock")
FIRST_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*(?:\\|$)"
)
HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
WANTED_BY: Final = re.compile(r"^ +# (?!via$)(?:via )? *([A-Za-z0-9._-]+)(?: \(pyproject\.toml\))?$", re.MULTILINE)
# Serial numbers are derived from what they number.
NAMESPACE: Final = uuid.UUID("b1f7c7e2-6f53-4c5e-9b0d-3f1f5f0b7a61")


def bill_of_materials(lock: str, project: dict[str, Any]) -> dict[str, Any]:
    """Return the document: one component for each pin, and who wants whom."""
    entries = [match[0] for match in ENTRY.finditer(lock)]
    components = [_component(entry) for entry in entries]
    # A name has two pins where versions differ by platform.
    references = {project["name"]: [project["name"]]}
    for component in components:
        references.setdefault(component["name"], []).append(component["bom-ref"])
    wanted: dict[str, set[str]] = {}
    for entry, component in zip(entries, components, strict=True):
        for reference in (each for name in WANTED_BY.findall(entry) for each in references[name]):
            wanted.setdefault(reference, set()).add(component["bom-ref"])
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _product(project)},
        "components": components,
        "dependencies": [
            {"ref": reference, "dependsOn": sorted(wanted.get(reference, ()))}
            for reference in (project["name"], *(component["bom-ref"] for component in components))
        ],
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(document, sort_keys=True))
    return {"bomFormat": document.pop("bomFormat"), "serialNumber": serial.urn, **document}


def _product(project: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "application",
        "bom-ref": project["name"],
        "name": project["name"],
        "version": project["version"],
        "description": project["description"],
        "licenses": [{"license": {"id": project["license"]}}],
    }


def _component(entry: str) -> dict[str, Any]:
    """Describe one pin; a host installs one of its files, whichever fits."""
    match = FIRST_LINE.match(entry)
    if match is None:
        raise SystemExit(f"{LOCK}: not a pin: {entry.splitlines()[0]}")
    purl = f"pkg:pypi/{match['name'].lower()}@{match['version']}"
    component = {
        "type": "library",
        "bom-ref": purl,
        "name": match["name"],
        "version": match["version"],
        "purl": purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "comment": "one of the files with these hashes",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(entry)],
            }
        ],
    }
    if match["marker"]:
        component["properties"] = [{"name": "sii-cds:marker", "value": match["marker"]}]
    return component


def main() -> None:
    """Print the document."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    document = bill_of_materials(LOCK.read_text(encoding="utf-8"), project)
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
