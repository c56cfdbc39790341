"""One target under atheris: python -m tests.fuzz.run_target TARGET CORPUS [libFuzzer options]. Never returns."""

from __future__ import annotations

import importlib
import random
import sys
from typing import Any

# By name: it has no types, and for newer Python versions no wheel.
atheris: Any = importlib.import_module("atheris")

# Nothing may import the service before: what is loaded already is not followed.
with atheris.instrument_imports(include=["cds_service", "fhir_mappings"]):
    from tests.fuzz.json_mutator import mutate_json
    from tests.fuzz.targets import TARGETS

# Of the changes to JSON, those that are made to bytes.
_BYTES_SHARE = 0.15


def _mutate(data: bytes, most: int, seed: int) -> bytes:
    chance = random.Random(seed)  # noqa: S311  no secret
    changed = None if chance.random() < _BYTES_SHARE else mutate_json(data, most, seed)
    return changed if changed is not None else bytes(atheris.Mutate(data, len(data) + 16 if len(data) < most else most))


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name = sys.argv.pop(1)
    target = TARGETS[name]
    if target.is_json:
        atheris.Setup(sys.argv, target.check, custom_mutator=_mutate)
    else:
        atheris.Setup(sys.argv, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
