"""Figures for programs as JSON. Their names are promised, so they are those of the report and not of its document."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cds_service.reports.printable import printable_json


def as_json(data: Any) -> str:
    """Return JSON, two spaces a level, that is safe on a terminal: of a struct in UTF-8, of dicts in ASCII."""
    if isinstance(data, msgspec.Struct):
        return printable_json(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())
    return printable_json(json.dumps(data, indent=2))
