"""What was given to a command that reads a hook request, or an export, and is something else."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cds_service.mistaken_files import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ONE_A_LINE: Final = (
    "write its JSON one resource a line, for example: jq -c '.entry[].resource' bundle.json > all.ndjson"
)

_BUNDLE: Final = re.compile(rb'"resourceType"\s*:\s*"Bundle"')
_LOOKED_AT: Final = 4_096
_MOST_FILES: Final = 100


def instead_of_request(body: bytes) -> str:
    """Say what a file is that is no hook request, and which command reads it; empty where that is not known."""
    kind = kind_of(body)
    if kind:
        return f"This is {kind}; a hook request is the JSON that the EHR sends."
    if _first_document(body, whole=False).get("resourceType") and b"\n{" in body.strip():
        return (
            "The file is NDJSON, as an export is: sii-cds doctor FILE examines it. A hook request is one JSON object."
        )
    resource = _first_document(body, whole=True).get("resourceType")
    if not isinstance(resource, str):
        return ""
    return (
        "The file is one FHIR resource, not a hook request: what a search answers stands in a request under prefetch, "
        "beside hook, hookInstance and context."
    )


def hint_of_bundles(paths: Iterable[object]) -> str:
    """Say what to do where Bundles were given in the place of NDJSON; empty where there are none."""
    return f"; {ONE_A_LINE}" if any(_are_bundles(path) for path in paths if isinstance(path, Path)) else ""


def _are_bundles(path: Path) -> bool:
    """Tell by the content of a file, and of a folder also by the ending, for exports have another one."""
    if not path.is_dir():
        return _holds_bundle(path)
    return any(file.suffix == ".json" or _holds_bundle(file) for file in islice(path.rglob("*json"), _MOST_FILES))


def _holds_bundle(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return _BUNDLE.search(stream.read(_LOOKED_AT)) is not None
    except OSError:
        return False


def _first_document(body: bytes, *, whole: bool) -> dict[str, object]:
    """Return the object that a text is, or that its first line is; an empty one for anything else."""
    try:
        document = json.loads(body if whole else body.strip().partition(b"\n")[0])
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
