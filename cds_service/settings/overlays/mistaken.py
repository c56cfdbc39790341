"""What was named as an overlay and is none: a table, a whole configuration, a file of another kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.foreign_bytes import text_of
from cds_service.mistaken_files import is_table, kind_of
from cds_service.settings.models import Settings
from cds_service.settings.named_files import read_named_file

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.settings.yaml_source import Document

_WANTED: Final = (
    "an overlay is YAML with sections such as laboratory_codes, or a FHIR ConceptMap as JSON: docs/overlays.md; "
    "sii-cds doctor --overlay FILE writes one to begin with"
)


def instead_of_yaml(path: Path) -> str:
    """Say what a file is that could not be read as an overlay; empty where that is not known."""
    try:
        content = read_named_file(path)
        kind = kind_of(content) or _kind_of_text(text_of(content))
    except (OSError, ValueError):
        return ""
    return f"this is {kind}; {_WANTED}" if kind else ""


def instead_of_overlay(document: Document) -> str:
    """Say what a document is that holds no section of an overlay; empty where it is one, or not known."""
    if not document.data:
        return f"the file holds nothing; {_WANTED}"
    own = [name for name in document.data if name in Settings.model_fields]
    if not own:
        return ""
    named = ", ".join(own[:3])
    return f"this is a configuration ({named}), to be named with --config and not as an overlay; {_WANTED}"


def _kind_of_text(text: str) -> str:
    if is_table(text):
        return "a table (CSV)"
    lines = text.lstrip().splitlines()[:2]
    if len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines):
        return "NDJSON"
    return "a list without a section" if text.lstrip().startswith(("- ", "[")) else ""
