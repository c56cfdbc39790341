"""The kept files: an output is made again and compared, or written anew where `GOLDEN=write` asks for it."""

from __future__ import annotations

import difflib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_mappings import load_mappings

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(__file__).parent / "data"
WRITE = os.environ.get("GOLDEN") == "write"
_MOST_LINES = 60
# What any new code row, configuration key or record changes, and says nothing about: with it every file would change.
_HASHES = {
    re.escape(load_mappings().version): "MAPPINGS",
    r'((?:configuration|hash)"?[:=] ?")[0-9a-f]{12}"': r'\1HASH"',
    r'("type":"configuration","valueString":")[0-9a-f]{12}"': r'\1HASH"',
    r'"link":"[0-9a-f]{64}"': '"link":"LINK"',
    r"(chain head [0-9]+):[0-9a-f]{64}": r"\1:LINK",
}


def compare(name: str, output: str, varying: Mapping[str, str] | None = None) -> None:
    """Compare an output with the kept file of this name; `varying` maps patterns to what stands for them in it.

    Patterns are for what two runs never share: folders, ports, durations.
    """
    for pattern, placeholder in {**_HASHES, **(varying or {})}.items():
        output = re.sub(pattern, placeholder, output)
    kept = DATA / name
    if WRITE:
        kept.write_text(output, encoding="utf-8", newline="")
    assert kept.exists(), f"{name} is not kept yet; see tests/README.md"
    before = kept.read_bytes().decode()
    if output != before:
        lines = difflib.unified_diff(before.splitlines(), output.splitlines(), "kept", "now", lineterm="", n=1)
        told = "\n".join(line[:400] for line, _ in zip(lines, range(_MOST_LINES), strict=False))
        raise AssertionError(f'{name} is another one (see tests/README.md, "Golden files"):\n{told}')


def pretty(content: Any) -> str:
    """Write JSON for a person who reads the difference; the order of members stays as it came."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
