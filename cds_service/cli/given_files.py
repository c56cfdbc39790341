"""What was given to a command that reads a hook request, or an export, and is something else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cds_service.mistaken_files import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    return f"; {ONE_A_LINE}" if any(map(_holds_bundle, _files(paths))) else ""


def _files(paths: Iterable[object]) -> Iterator[Path]:
    for path in paths:
        if not isinstance(path, Path):
            continue
        found = path.rglob("*.*json") if path.is_dir() else iter((path,))
        yield from (file for file, _ in zip(found, range(_MOST_FILES), strict=False) if file.is_file())


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
