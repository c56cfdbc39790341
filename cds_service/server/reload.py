"""Reload: the configuration is read once, above the workers, tried in one of them, and then handed to all.

A configuration that cannot be read or that the first worker refuses changes nothing. Whatever is in force is held here,
and every worker that starts later gets exactly that.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from cds_service.errors import ConfigurationError
from cds_service.server.in_force import InForce
from cds_service.settings import SettingsError, load_settings, reloadable, restart_needed
from cds_service.settings.models import Provenance
from cds_service.settings.named_files import Contents, holding, read_named_file
from cds_service.settings.watching import ConfigurationWatcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cds_service.server.slot import Worker
    from cds_service.settings import Settings
    from cds_service.settings.watching import Identity

_LOGGER = logging.getLogger(__name__)

REFUSED: Final = "configuration refused, the old one serves on"
_CHECK_SECONDS: Final = 1.0
# A disk that hangs must not keep workers from being replaced. Until then none is forked beside a thread that reads.
_READING_SECONDS: Final = 5.0
# A worker that ends while it tries a configuration may have been killed by chance.
_MOST_TRIALS: Final = 3


def in_force_at_start(settings: Settings, contents: Contents) -> InForce:
    """Return what the service starts with; `contents` are the named files as they were read."""
    _hold_named_files(settings, contents)
    return InForce(settings.with_provenance(Provenance()), contents)


def _hold_named_files(settings: Settings, contents: Contents) -> None:
    with holding(contents):
        for path in (*settings.files, settings.audit.hmac_key_file):
            if path is not None:
                read_named_file(path)


class Reload:
    """What is in force, and how it is replaced. To be asked from the main thread only."""

    def __init__(
        self, held: InForce, path: Path | None, environ: Mapping[str, str], known: Mapping[Path, Identity]
    ) -> None:
        self.held = held
        self._started = held
        self._path = path
        self._environ = environ
        self._candidate: InForce | None = None
        self._trials = 0
        self._reader: Reader | None = None
        self._watcher = ConfigurationWatcher(self._files, self._read, known)
        self._next_check = 0.0

    def tell(self) -> None:
        """Read the configuration whether or not it changed."""
        self._watcher.tell()
        self._next_check = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether the next step is to be taken soon."""
        return self._reader is not None or self._candidate is not None

    def is_reading(self, now: float) -> bool:
        """Whether a thread reads the configuration, and not for too long."""
        return self._reader is not None and now - self._reader.began < _READING_SECONDS

    def go_on(self, workers: list[Worker], now: float) -> None:
        """Take the next step, if there is one."""
        if self._path is None:
            return
        if self._reader is not None:
            # The next one begins a round later: in between workers are started, whoever asks for reloads all the time.
            if self._reader.is_done:
                self._take(self._reader)
        elif now >= self._next_check:
            self._next_check = now + _CHECK_SECONDS
            self._watcher.check()
        self._hand_out(workers)

    def answered(self, worker: Worker, *, is_applied: bool) -> None:
        """Take the answer of a worker to what it was sent."""
        tried, worker.trying = worker.trying, None
        if tried is None:
            return
        if is_applied:
            worker.has = tried
            if tried is self._candidate:
                self.held, self._candidate = tried, None
        elif tried is self._candidate:
            # The worker has said why.
            self._refuse()
        elif tried is self.held:
            # It is in force elsewhere. The next worker in this place is built from it.
            worker.kill()

    def gone(self, worker: Worker) -> None:
        """Take note of a worker that ended."""
        if worker.trying is not None and worker.trying is self._candidate:
            self._trials += 1
            if self._trials >= _MOST_TRIALS:
                self._log_refusal(["workers end when they apply it"])
                self._refuse()

    def _files(self) -> Iterable[Path]:
        return () if self._path is None else (self._path, *self.held.settings.files)

    def _read(self) -> None:
        if self._path is not None:
            self._reader = Reader(self._path, self._environ, self._started)

    def _take(self, reader: Reader) -> None:
        self._reader = None
        if reader.found is not None:
            # What is tried already is not tried anew, or one who asks all the time would never see it in force.
            if self._candidate is None or not reader.found.is_like(self._candidate):
                self._candidate, self._trials = reader.found, 0
        else:
            self._log_refusal(reader.problems)
            self._refuse()

    def _refuse(self) -> None:
        self._candidate = None
        self.held = self.held.refused()

    def _log_refusal(self, problems: list[str]) -> None:
        fields = {"problems": problems, "configuration": self.held.settings.hash}
        _LOGGER.error(REFUSED, extra={"fields": fields})

    def _hand_out(self, workers: list[Worker]) -> None:
        if self._candidate is not None:
            ready = [worker for worker in workers if worker.is_ready and worker.trying is None]
            if ready and not any(worker.trying is self._candidate for worker in workers):
                self._offer(ready[0], self._candidate)
            return
        for worker in workers:
            self._offer(worker, self.held)

    @staticmethod
    def _offer(worker: Worker, wanted: InForce) -> None:
        if worker.trying is None and worker.has is not wanted:
            worker.send(wanted)


class Reader:
    """A thread that reads the configuration: the disk may hang, and the main thread must not."""

    def __init__(self, path: Path, environ: Mapping[str, str], started: InForce) -> None:
        self.began = time.monotonic()
        self.found: InForce | None = None
        self.problems: list[str] = ["it cannot be read: see standard error"]
        self._path = path
        self._environ = environ
        self._started = started
        self._thread = threading.Thread(target=self._run, name="configuration", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether it has ended, with `found` or with `problems`."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        started = self._started.settings
        key_file = started.audit.hmac_key_file
        contents = {path: self._started.contents[path] for path in (key_file,) if path in self._started.contents}
        try:
            with holding(contents):
                wanted = load_settings(self._path, self._environ)
            settings = reloadable(started, wanted)
            _hold_named_files(settings, contents)
        except SettingsError as error:
            self.problems = [str(problem) for problem in error.problems]
        except (ConfigurationError, OSError, ValueError) as error:
            self.problems = [str(error)]
        else:
            waiting = restart_needed(started, wanted)
            self.found = InForce(settings.with_provenance(Provenance()), contents, waiting)
