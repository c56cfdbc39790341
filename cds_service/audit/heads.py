"""Reporting the head of the chain to keepers outside the log."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.audit.chain import ChainHead


class HeadReporter:
    """Hands the newest head to a callback: at most once in `seconds`, and about that long after each record.

    The callback runs on a thread of its own, so that no answer waits for it, however long it takes. It must not
    raise, and it has to keep the head with the greatest sequence number: every worker process reports the heads it
    has written itself.
    """

    def __init__(self, callback: Callable[[ChainHead], None], seconds: float) -> None:
        """Keep the callback; no thread is started before the first head."""
        self._callback = callback
        self._seconds = seconds
        self._newest: ChainHead | None = None
        self._reported: ChainHead | None = None
        self.forget()

    def note(self, head: ChainHead) -> None:
        """Remember the newest head and see to it that it is reported. Never waits for the callback."""
        self._newest = head
        if not self._noted.is_set():
            self._noted.set()
            self._start()

    def report(self) -> None:
        """Report the newest head now, if it has not been reported yet."""
        # A callback that hangs must not keep a process from ending.
        if not self._calling.acquire(timeout=self._seconds + 1):
            return
        try:
            self._noted.clear()
            head = self._newest
            if head is not None and head != self._reported:
                self._reported = head
                self._callback(head)
        finally:
            self._calling.release()

    def forget(self) -> None:
        """Begin anew, as in a forked process: thread and locks belong to the parent."""
        self._newest = self._reported = None
        self._noted = threading.Event()
        self._starting = threading.Lock()
        self._calling = threading.Lock()
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit-head", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._noted.wait():
            time.sleep(self._seconds)
            self.report()
