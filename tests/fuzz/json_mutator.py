"""Changes members of JSON instead of bytes, so that most of what is tried gets past the first brace."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.fuzz.mutations import NUMBERS, ODD_DATES, REFERENCES, TEXTS, places, written
from tests.support.strategies import NUMBER_MARK

_STATUSES = ("final", "amended", "entered-in-error", "completed", "Bundle", "Observation", "OperationOutcome", "error")
_UNITS = ("10*9/L", "K/uL", "%", "g/L", "109/L", "/uL", "Lakhs/cumm", "<", "http://loinc.org", "751-8", "C22.0")
_NUMBERS = (*NUMBERS[:6], "0", "1", "0.5", "4.2", "210", "405.08", "1e3")
_VALUES: tuple[Any, ...] = (
    *(text for text in TEXTS if len(text) < 1000),
    *ODD_DATES, *REFERENCES[:-1], *_STATUSES, *_UNITS, *(NUMBER_MARK + number for number in _NUMBERS),
    None, True, False, [], {}, [None], "", "nested:300",
)  # fmt: skip


def mutate_json(data: bytes, most: int, seed: int) -> bytes | None:
    """Return another JSON text of at most so many bytes; None when the data are no JSON that can be changed."""
    chance = random.Random(seed)  # noqa: S311  no secret
    try:
        changed = _mutated(json.loads(data), chance).encode("utf-8", "surrogatepass")
    except (ValueError, LookupError, OverflowError, RecursionError):
        return None
    return changed if len(changed) <= most else None


def _mutated(value: Any, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 3)):
        inner = [place for place in places(value) if place]
        _change(value, chance.choice(inner), inner, chance)
    return written(value)


def _change(value: Any, path: tuple[Any, ...], others: list[tuple[Any, ...]], chance: random.Random) -> None:
    box = _at(value, path[:-1])
    match chance.randrange(6):
        case 0:
            del box[path[-1]]
        case 1 if isinstance(box, list):
            box.append(box[path[-1]])
        case 2:
            # A copy, or the value would contain itself.
            box[path[-1]] = json.loads(json.dumps(_at(value, chance.choice(others))))
        case 3 if isinstance(box, dict):
            box[str(chance.choice(others)[-1])] = chance.choice(_VALUES)
        case 4 if type(box[path[-1]]) in (int, float):
            box[path[-1]] *= chance.choice([0, -1, 10, 0.1, 1000, 1.0000001])
        case _:
            box[path[-1]] = chance.choice(_VALUES)


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value
