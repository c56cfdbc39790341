"""`sii-cds` with a part of its audit record left out: `python -m tests.benchmarks.unrecorded PART serve ...`.

What a part costs is the difference to the service as it is shipped. For measurement only.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from cds_service.audit.log import AuditLog
from cds_service.cli.main import main
from cds_service.decision.recording import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable


def _nothing(*_: Any) -> None:
    """Stand in for what is left out."""


def _leave_out_all() -> None:
    for name in ("record_decision", "record_unavailable", "record_feedback", "begin"):
        setattr(Recorder, name, _nothing)


def _leave_out_writing() -> None:
    setattr(AuditLog, "append", _nothing)  # noqa: B010  a patch, which assignment would hide from the type checker


def _leave_out_syncing() -> None:
    setattr(os, "fdatasync", _nothing)  # noqa: B010  as above


PARTS: Final[dict[str, Callable[[], None]]] = {
    "all": _leave_out_all,
    "writing": _leave_out_writing,
    "syncing": _leave_out_syncing,
}


if __name__ == "__main__":
    PARTS[sys.argv.pop(1)]()
    main()
