"""Reload: everything that follows from the configuration is built first and swapped as one object, or nothing is."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from cds_service.errors import ConfigurationError
from cds_service.settings import SettingsError, reloadable, restart_needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cds_service.settings import Settings
    from cds_service.web.metrics import Metrics
    from cds_service.web.ports import Parts, Running

_LOGGER = logging.getLogger(__name__)


class Reloader:
    """Replaces the parts in use by those of the changed configuration; on any error the old ones serve on."""

    def __init__(
        self,
        running: Running,
        settings: Settings,
        path: Path,
        load: Callable[[], Settings],
        build: Callable[[Settings], Parts],
        metrics: Metrics,
    ) -> None:
        """Keep what is running.

        `load` reads and checks the configuration, `build` makes parts of it; both may raise ConfigurationError.
        """
        self._running = running
        self._started = settings
        self._settings = settings
        self._path = path
        self._load = load
        self._build = build
        self._metrics = metrics

    def files(self) -> Iterable[Path]:
        """Name the files whose change means a reload: the configuration and what it names."""
        return (self._path, *self._settings.files)

    def reload(self) -> None:
        """Try the configuration as it is now. Requests that have begun end with the parts they began with.

        Keys that need a restart stay as they were when the process started, and the log names them.
        """
        try:
            wanted = self._load()
            settings = reloadable(self._started, wanted)
            parts = self._build(settings)
        except ConfigurationError as error:
            problems = [str(p) for p in error.problems] if isinstance(error, SettingsError) else [str(error)]
            _LOGGER.error(
                "configuration refused, the old one serves on",
                extra={"fields": {"problems": problems, "configuration": self._settings.hash}},
            )
            self._metrics.configuration.note_refused()
            return
        waiting = restart_needed(self._started, wanted)
        self._running.parts = parts
        self._settings = settings
        _LOGGER.info(
            "configuration applied",
            extra={"fields": parts.versions._asdict() | {"needs_restart": list(waiting)}},
        )
        self._metrics.configuration.note_applied(parts.versions, time.time())
