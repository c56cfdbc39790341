"""What the log may hold about an unforeseen exception: its type and where it arose.

Messages and values are left out: the message of a KeyError or ValidationError repeats data of the patient.
"""

from __future__ import annotations

from traceback import walk_tb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

# A recursion error has a thousand frames; the innermost ones tell where.
_FRAMES_KEPT = 30


def describe_defect(error: BaseException) -> dict[str, object]:
    """Return exception types, outermost first, and frames as `file:line function`, innermost last."""
    return {"exception": " < ".join(_types(error)), "frames": _frames(error.__traceback__)}


def _types(error: BaseException) -> list[str]:
    names: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        names.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    return names


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in walk_tb(traceback)]
    return frames[-_FRAMES_KEPT:]
