"""Figures for programs as JSON. Their names are promised, so they are those of the report and not of its document."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cds_service.reports.printable import printable_json


def as_json(data: Any, *, ascii_only: bool = True) -> str:
    """Return JSON, two spaces a level, that is safe on a terminal. `data` are JSON's own values, or msgspec structs."""
    return printable_json(json.dumps(msgspec.to_builtins(data), indent=2, ensure_ascii=ascii_only))
