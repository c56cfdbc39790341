"""The configuration in force: it belongs to the service, not to a worker.

The process that was started holds it. A worker gets it when it starts, whatever lies on the disk by then, and each
later one over its channel.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.settings import Settings


@dataclass(frozen=True, slots=True)
class InForce:
    """Settings with the restart keys of the start, the files they name, and what waits for a restart.

    `is_refused`: the files, as they are on the disk now, were refused.
    """

    settings: Settings
    contents: dict[Path, bytes] = field(default_factory=dict)
    needs_restart: tuple[str, ...] = ()
    is_refused: bool = False

    def is_like(self, other: InForce) -> bool:
        """Whether the same follows from both."""
        return self.settings.hash == other.settings.hash and self.contents == other.contents

    def refused(self) -> InForce:
        """Return the same, with the knowledge that its files were refused."""
        return replace(self, is_refused=True)


class ServedApplication(NamedTuple):
    """What a worker serves: a WSGI application, and how it takes another configuration.

    `apply` raises ConfigurationError and has changed nothing then. `note_refused` is told of a configuration that
    came into force nowhere.
    """

    wsgi: Callable[..., Any]
    apply: Callable[[InForce], None]
    note_refused: Callable[[], None]
