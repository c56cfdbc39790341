"""Reporting the head of the chain to keepers outside the log."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.audit.chain import ChainHead


class HeadReporter:
    """Hands the newest head to a callback: at most once in `seconds`, and no later than that after each record.

    The callback runs on a thread of its own, so that no answer waits for it. It must not raise, and it has to keep
    the head with the greatest sequence number: every worker process reports the heads it has written itself.
    """

    def __init__(self, callback: Callable[[ChainHead], None], seconds: float) -> None:
        """Keep the callback; no thread is started before the first head."""
        self._callback = callback
        self._seconds = seconds
        self._lock = threading.Lock()
        self._unreported: ChainHead | None = None
        self._timer: threading.Timer | None = None

    def note(self, head: ChainHead) -> None:
        """Remember the newest head and see to it that it is reported."""
        with self._lock:
            self._unreported = head
            if self._timer is None:
                self._timer = threading.Timer(self._seconds, self.report)
                self._timer.daemon = True
                self._timer.start()

    def report(self) -> None:
        """Report the newest head now, if it has not been reported yet."""
        with self._lock:
            head, self._unreported = self._unreported, None
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        if head is not None:
            self._callback(head)

    def forget(self) -> None:
        """Begin anew in a forked process: timer and lock belong to threads that are not here."""
        self._lock = threading.Lock()
        self._unreported = None
        self._timer = None
