"""Requests to the FHIR servers of the clients: together, on one bounded pool, inside the deadline of the hook."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from cds_service.acquisition.bundles import BundleContent, BundleFailedError, BundleReader, R
from cds_service.acquisition.fhir.breaker import Breaker, NoBreaker
from cds_service.acquisition.fhir.connections import TimeLimit
from cds_service.acquisition.fhir.exchange import ExchangeError, Exchanger
from cds_service.acquisition.fhir.jobs import Reading, Search
from cds_service.acquisition.fhir.paging import resolve_next, without_sort

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cds_service.acquisition.fhir.access import FHIRAccess
    from cds_service.acquisition.fhir.exchange import HTTPOptions
    from cds_service.acquisition.fhir.jobs import Job


# Kinds of ExchangeError: a search that the server takes for a bad one, and what is cut off here.
_REFUSED: Final = "status-400"
_NOT_THERE: Final = frozenset({"status-404", "status-410"})
_OWN_LIMIT: Final = "too-large"


def _never(_pages: Sequence[BundleContent[Any]]) -> bool:
    return False


class FetchWatch(Protocol):
    """Is told how FHIR servers do; `server` is a base URL of the configuration."""

    def note_answer(self, server: str, seconds: float) -> None:
        """Take note of a request that came to an end, well or not."""

    def note_failure(self, server: str, reason: str) -> None:
        """Take note of a search or read that did not bring all that was asked for."""

    def note_limit(self, server: str) -> None:
        """Take note of a search or read that was cut off at a limit of the service's own: no fault of the server."""


class _Unwatched:
    """Commands that ask for themselves keep no metrics."""

    def note_answer(self, server: str, seconds: float) -> None:
        pass

    def note_failure(self, server: str, reason: str) -> None:
        pass

    def note_limit(self, server: str) -> None:
        pass


class Fetcher:
    """Asks FHIR servers. One for each worker process: its pool, connections and circuits are shared by all hooks."""

    def __init__(
        self,
        options: HTTPOptions,
        *,
        max_pages: int,
        max_entries: int,
        threads: int,
        watch: FetchWatch | None = None,
        breaker: Breaker | NoBreaker | None = None,
    ) -> None:
        """Prepare the pool; threads start when they are needed. Raises ConfigurationError for a bad CA bundle.

        `max_pages` and `max_entries` hold for one search: a server that ignores what it is asked for must not keep a
        worker busy.
        """
        self._watch = watch or _Unwatched()
        self._exchanger = Exchanger(options, connections=threads)
        self._max_pages = max_pages
        self.max_entries = max_entries
        self._max_bytes = options.max_bytes
        self._breaker = breaker or Breaker(monotonic)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fhir")

    def read(self, name: str, url: str, access: FHIRAccess, deadline: float) -> Reading:
        """Start reading one resource."""
        reading = Reading(name=name, access=access, url=url, limit=TimeLimit(deadline))
        reading.future = self._pool.submit(self._run_reading, reading)
        return reading

    def search(
        self,
        name: str,
        reader: BundleReader[R],
        url: str,
        access: FHIRAccess,
        deadline: float,
        first_page: BundleContent[R] | None = None,
        is_enough: Callable[[Sequence[BundleContent[R]]], bool] = _never,
    ) -> Search[R]:
        """Start a search at `url`, or go on behind a page that came by prefetch.

        Once the pages that came are `is_enough`, no further one is asked for, and nothing is taken to be missing.
        """
        search = Search(
            name=name, access=access, reader=reader, next_url=url, limit=TimeLimit(deadline), is_enough=is_enough
        )
        if first_page is not None:
            search.pages.append(first_page)
        search.future = self._pool.submit(self._run_search, search)
        return search

    def _run_search(self, search: Search[R]) -> None:
        try:
            self._read_pages(search)
        except ExchangeError as error:
            self._note_failure(search, error, error.kind)
        except BundleFailedError as error:
            self._note_failure(search, error, "unusable")

    def _read_pages(self, search: Search[R]) -> None:
        """Follow the pages. What is left out keeps `next_url` of the search in place."""
        bytes_left, asked = self._max_bytes, set[str]()
        entries_left = self.max_entries - sum(map(_count, search.pages))
        while search.next_url is not None:
            if search.pages and search.is_enough(search.pages):
                search.leave_rest()
                return
            url = resolve_next(search.next_url, search.access.base)
            if url is None:
                raise ExchangeError("the next link leaves the server", "paging")
            if url in asked:
                raise ExchangeError("the next link leads back", "paging")
            if len(search.pages) >= self._max_pages:
                raise ExchangeError("too many pages", "too-large")
            asked.add(url)
            body = self._get_page(url, search, bytes_left)
            page = search.reader.read(msgspec.Raw(body), entries_left)
            search.pages.append(page)
            bytes_left -= len(body)
            entries_left -= _count(page)
            if page.is_cut:
                raise ExchangeError("too many entries", "too-large")
            search.next_url = page.next_url

    def _get_page(self, url: str, search: Search[R], bytes_left: int) -> bytes:
        """Ask for a page; for the first once more without `_sort`, which not every server knows."""
        try:
            return self._get(url, search, bytes_left)
        except ExchangeError as error:
            unsorted = without_sort(url)
            if search.pages or error.kind != _REFUSED or unsorted == url:
                raise
        search.sort_refused = True
        return self._get(unsorted, search, bytes_left)

    def _run_reading(self, reading: Reading) -> None:
        try:
            reading.body = self._get(reading.url, reading, self._max_bytes)
        except ExchangeError as error:
            reading.is_unknown = error.kind in _NOT_THERE
            self._note_failure(reading, error, error.kind)

    def _note_failure(self, job: Job, error: Exception, kind: str) -> None:
        job.failure = str(error)
        if kind == _OWN_LIMIT:
            self._watch.note_limit(job.access.base)
        else:
            self._watch.note_failure(job.access.base, kind)

    def _get(self, url: str, job: Job, max_bytes: int) -> bytes:
        base = job.access.base
        if job.limit.is_over:
            # It waited behind others; that tells nothing about the server.
            raise ExchangeError("out of time", "not-sent")
        if not self._breaker.allows(base):
            raise ExchangeError("the server is left alone after repeated failures", "left-alone")
        started = monotonic()
        try:
            body = self._exchanger.get(url, job.access.authorization, job.limit, max_bytes)
        except ExchangeError as error:
            if error.is_outage:
                self._breaker.note_failure(base)
            elif not job.limit.is_over:
                self._breaker.note_answer(base)
            raise
        finally:
            self._watch.note_answer(base, monotonic() - started)
        self._breaker.note_answer(base)
        return body


def _count(page: BundleContent[R]) -> int:
    return len(page.resources) + len(page.malformed)
