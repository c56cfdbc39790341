"""Searches and reads on their way: what a hook waits for, and what it gives up."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Generic

import msgspec

from cds_service.acquisition.bundles import BundleContent, BundleReader, R
from cds_service.acquisition.fhir.paging import join_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cds_service.acquisition.fhir.access import FHIRAccess
    from cds_service.acquisition.fhir.connections import TimeLimit

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Job:
    """A request that another thread makes for a hook. `failure` says in a word why it brought nothing, or not all."""

    name: str
    access: FHIRAccess
    limit: TimeLimit
    future: Future[None] = field(default_factory=Future)
    failure: str = ""

    def cancel(self) -> None:
        """Give up: what has not been sent is not sent any more, and nobody waits for what was."""
        self.limit.give_up()
        self.future.cancel()

    def wait(self, until: float) -> None:
        """Wait, at most until then (monotonic seconds), and log a failure where the log knows the hook."""
        try:
            self.future.result(timeout=max(0.0, until - monotonic()))
        except TimeoutError:
            self.cancel()
            self.failure = "out of time"
        if self.failure:
            _LOGGER.warning("FHIR request %s: %s", self.name, self.failure)


@dataclass(slots=True, kw_only=True)
class Search(Job, Generic[R]):
    """A search. `pages` grow while it runs; `next_url` is the page to be asked for next, None after the last.

    `is_enough` tells by the pages that came that nothing more is wanted, `rest_is_left` that this was so, and
    `sort_refused` that the server refused to sort.
    """

    reader: BundleReader[R]
    next_url: str | None
    is_enough: Callable[[Sequence[BundleContent[R]]], bool]
    pages: list[BundleContent[R]] = field(default_factory=list)
    rest_is_left: bool = False
    sort_refused: bool = False

    def leave_rest(self) -> None:
        """End here: what follows is not missed."""
        self.rest_is_left = True
        self.next_url = None

    def result(self, until: float) -> BundleContent[R] | None:
        """Wait and return what came; None when not even one page did.

        Pages that did not come leave `next_url` in the content, so that nobody takes it for the whole.
        """
        self.wait(until)
        # In this order: the other thread adds a page first and then says what follows.
        rest, pages = self.next_url, tuple(self.pages)
        if not pages:
            return None
        content = join_pages(pages, rest)
        return content.without_rest() if self.rest_is_left else content


@dataclass(slots=True, kw_only=True)
class Reading(Job):
    """A read of one resource. `is_unknown` tells that the server does not have it."""

    url: str
    body: bytes | None = None
    is_unknown: bool = False

    def result(self, until: float) -> msgspec.Raw | None:
        """Wait and return the resource; None when it did not come."""
        self.wait(until)
        return None if self.body is None else msgspec.Raw(self.body)
