"""Reload in a worker: everything that follows from a configuration is built first and swapped as one object."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from cds_service.errors import ConfigurationError
from cds_service.settings import SettingsError
from cds_service.settings.named_files import holding

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.server.in_force import InForce
    from cds_service.settings import Settings
    from cds_service.web.metrics import Metrics
    from cds_service.web.ports import Parts, Running

_LOGGER = logging.getLogger(__name__)


class Reloader:
    """Replaces the parts in use by those of another configuration; on any error the old ones serve on."""

    def __init__(self, running: Running, build: Callable[[Settings], Parts], metrics: Metrics) -> None:
        """Keep what is running. `build` makes parts of a configuration; it may raise ConfigurationError."""
        self._running = running
        self._build = build
        self._metrics = metrics

    def apply(self, in_force: InForce) -> None:
        """Use this configuration. Requests that have begun end with the parts they began with.

        Raises ConfigurationError, after the log was told, when parts cannot be made of it. The log also names the keys
        that wait for a restart.
        """
        try:
            with holding(dict(in_force.contents)):
                parts = self._build(in_force.settings)
        except ConfigurationError as error:
            self._tell_refused(error)
            raise
        self._running.parts = parts
        _LOGGER.info(
            "configuration applied",
            extra={"fields": parts.versions._asdict() | {"needs_restart": list(in_force.needs_restart)}},
        )
        self._metrics.configuration.note_applied(parts.versions, time.time())

    def _tell_refused(self, error: ConfigurationError) -> None:
        problems = [str(p) for p in error.problems] if isinstance(error, SettingsError) else [str(error)]
        used = self._running.parts.versions.configuration
        _LOGGER.error(
            "configuration refused, the old one serves on",
            extra={"fields": {"problems": problems, "configuration": used}},
        )
