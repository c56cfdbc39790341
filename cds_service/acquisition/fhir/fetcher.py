"""Searches on the FHIR servers of the clients: together, on one bounded pool, inside the deadline of the hook."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from cds_service.acquisition.bundles import BundleContent, BundleFailedError, BundleReader
from cds_service.acquisition.fhir.breaker import Breaker
from cds_service.acquisition.fhir.connections import Cancellation
from cds_service.acquisition.fhir.exchange import ExchangeError, Exchanger
from cds_service.acquisition.fhir.paging import join_pages, resolve_next
from cds_service.acquisition.resources import Condition, Observation, Procedure

if TYPE_CHECKING:
    from cds_service.acquisition.fhir.access import FHIRAccess
    from cds_service.acquisition.fhir.exchange import HTTPOptions

R = TypeVar("R", bound=Observation | Condition | Procedure)

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class Search(Generic[R]):
    """One search on its way. `pages` grow while it runs; `next_url` is the page it stands before.

    `left_base` tells that the next link points elsewhere and was not followed.
    """

    name: str
    reader: BundleReader[R]
    access: FHIRAccess
    next_url: str | None
    deadline: float
    pages: list[BundleContent[R]] = field(default_factory=list)
    bytes_read: int = 0
    cancellation: Cancellation = field(default_factory=Cancellation)
    future: Future[None] | None = None

    def result(self) -> BundleContent[R] | None:
        """Wait, at most until the deadline, and return what came; None when not even one page did.

        Pages that did not come leave `next_url` in the content, so that nobody takes it for the whole.
        """
        if self.future is not None:
            try:
                self.future.result(timeout=max(0.0, self.deadline - monotonic()))
            except FutureTimeoutError:
                self.cancellation.cancel()
                _LOGGER.warning("FHIR request %s: out of time", self.name)
        pages, rest = list(self.pages), self.next_url
        return join_pages(pages, rest) if pages else None

    def cancel(self) -> None:
        """Give up a search whose result nobody needs any more."""
        self.cancellation.cancel()
        if self.future is not None:
            self.future.cancel()


class Fetcher:
    """Asks FHIR servers. One for each worker process: its pool, sessions and circuits are shared by all hooks."""

    def __init__(self, options: HTTPOptions, *, max_pages: int, threads: int) -> None:
        """Prepare the pool; threads start when they are needed."""
        self._exchanger = Exchanger(options)
        self._max_pages = max_pages
        self._max_bytes = options.max_bytes
        self._breaker = Breaker(monotonic)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fhir")

    def read(self, name: str, url: str, access: FHIRAccess, deadline: float) -> Reading:
        """Start reading one resource."""
        reading = Reading(name, access, url, deadline)
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
    ) -> Search[R]:
        """Start a search at `url`, or go on behind a page that came by prefetch."""
        search = Search(name, reader, access, url, deadline)
        if first_page is not None:
            search.pages.append(first_page)
        search.future = self._pool.submit(self._run_search, search)
        return search

    def _run_search(self, search: Search[R]) -> None:
        try:
            while search.next_url is not None and len(search.pages) < self._max_pages:
                url = resolve_next(search.next_url, search.access.base)
                if url is None:
                    raise ExchangeError("next link leaves the server", answered=True)
                body = self._get(url, search.access, search.deadline, search.cancellation)
                search.bytes_read += len(body)
                if search.bytes_read > self._max_bytes:
                    raise ExchangeError("pages too large", answered=True)
                page = search.reader.read(msgspec.Raw(body))
                search.pages.append(page)
                search.next_url = page.next_url
        except (ExchangeError, BundleFailedError) as error:
            _LOGGER.warning("FHIR request %s: %s", search.name, error)

    def _run_reading(self, reading: Reading) -> None:
        try:
            reading.body = self._get(reading.url, reading.access, reading.deadline, reading.cancellation)
        except ExchangeError as error:
            _LOGGER.warning("FHIR request %s: %s", reading.name, error)

    def _get(self, url: str, access: FHIRAccess, deadline: float, cancellation: Cancellation) -> bytes:
        seconds = deadline - monotonic()
        if seconds <= 0 or cancellation.is_cancelled:
            raise ExchangeError("out of time", answered=True)
        if not self._breaker.allows(access.base):
            raise ExchangeError("server left alone after repeated failures", answered=True)
        try:
            body = self._exchanger.get(url, access.authorization, seconds, cancellation)
        except ExchangeError as error:
            self._breaker.note(access.base, answered=error.answered)
            raise
        self._breaker.note(access.base, answered=True)
        return body


@dataclass(slots=True)
class Reading:
    """One read on its way."""

    name: str
    access: FHIRAccess
    url: str
    deadline: float
    body: bytes | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)
    future: Future[None] | None = None

    def result(self) -> msgspec.Raw | None:
        """Wait, at most until the deadline, and return the resource; None when it did not come."""
        if self.future is not None:
            try:
                self.future.result(timeout=max(0.0, self.deadline - monotonic()))
            except FutureTimeoutError:
                self.cancellation.cancel()
        return None if self.body is None else msgspec.Raw(self.body)
