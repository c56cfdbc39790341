"""Requests of the examination: through the service's own fetcher, timed, with what each page said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final, Generic, Protocol

from cds_service.acquisition.bundles import MOST_ENTRIES, BundleContent, BundleReader, R
from cds_service.acquisition.fhir.access import FHIRAccess
from cds_service.insight.doctor.report import SearchRow
from cds_service.insight.doctor.server.issues import issues_of
from cds_service.insight.tally import quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from cds_service.acquisition.fhir.fetcher import Fetcher

# Longer than a hook may take: doctor wants to know how long, not to give up.
PATIENCE_SECONDS: Final = 30.0
# What ends a search for a limit of the service itself: no fault of the server.
OWN_LIMITS: Final = frozenset({"too many pages", "too many entries", "too large"})
# What the service does not send, because of what came before.
NOT_SENT: Final = frozenset({"out of time", "the server is left alone after repeated failures"})


class TokenSource(Protocol):
    """Where the token comes from."""

    def token(self) -> str | None:
        """Return a token that is valid now; None for an open test server. Raises TokenError."""


class TokenError(Exception):
    """No token could be had. The text is one sentence without the token or a secret."""


class Answer(Generic[R]):
    """What a search brought: content, None when not even one page came; a word of failure, empty without one.

    `pages` are the numbers of resources of each page.
    """

    def __init__(
        self, content: BundleContent[R] | None, failure: str, pages: list[int], *, sort_refused: bool = False
    ) -> None:
        self.sort_refused = sort_refused
        self.content: BundleContent[R] = content if content is not None else BundleContent()
        self.answered = content is not None
        self.failure = failure
        self.pages = pages

    @property
    def is_whole(self) -> bool:
        """Tell whether everything came that the server told of."""
        return self.answered and not self.failure and not self.content.truncated


@dataclass(slots=True)
class SearchLog:
    """What was sent under one name. `too_large`: not even the first page could be read, for a limit of the service."""

    sent: int = 0
    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    too_large: int = 0
    issues: Counter[str] = field(default_factory=Counter)


class Connection:
    """Asks one FHIR server, one request after the other.

    `base` is https, or http on loopback, without a slash at its end.
    """

    def __init__(self, base: str, tokens: TokenSource, fetcher: Fetcher) -> None:
        self.base = base
        self._tokens = tokens
        self._fetcher = fetcher
        self.logs: dict[str, SearchLog] = {}

    def access(self) -> FHIRAccess:
        """Return the access with a token that is valid now. Raises TokenError."""
        token = self._tokens.token()
        return FHIRAccess(self.base, f"Bearer {token}" if token is not None else None)

    def search(self, name: str, reader: BundleReader[R], url: str) -> Answer[R]:
        """Search, following pages as the service does. Raises TokenError."""
        log = self.logs.setdefault(name, SearchLog())
        watched = _WatchedReader(reader, log)
        begun = monotonic()
        search = self._fetcher.search(name, watched, url, self.access(), begun + PATIENCE_SECONDS)
        content = search.result(begun + PATIENCE_SECONDS)
        self._note(log, begun, search.failure)
        log.too_large += content is None and search.failure in OWN_LIMITS
        return Answer(content, search.failure, watched.pages, sort_refused=search.sort_refused)

    def read(self, name: str, path: str) -> tuple[msgspec.Raw | None, str]:
        """Read one resource; return it, or None and a word of failure. Raises TokenError."""
        log = self.logs.setdefault(name, SearchLog())
        begun = monotonic()
        reading = self._fetcher.read(name, f"{self.base}/{path}", self.access(), begun + PATIENCE_SECONDS)
        body = reading.result(begun + PATIENCE_SECONDS)
        self._note(log, begun, reading.failure)
        return body, reading.failure

    def rows(self) -> tuple[SearchRow, ...]:
        """Return what was sent, for the report."""
        return tuple(_row(name, log) for name, log in self.logs.items())

    @staticmethod
    def _note(log: SearchLog, begun: float, failure: str) -> None:
        log.sent += 1
        log.seconds.append(monotonic() - begun)
        if failure:
            log.failures[failure] += 1


def _row(name: str, log: SearchLog) -> SearchRow:
    return timing_row(name, log.seconds, failed=sum(log.failures.values()))


def timing_row(name: str, seconds: Sequence[float], *, failed: int) -> SearchRow:
    """Return a row of the report: how often something was asked, and how long it took."""
    taken = Counter(each * 1000 for each in seconds)
    told = {"p50": quantile(taken, 0.5), "p95": quantile(taken, 0.95), "max": max(taken)} if taken else {}
    milliseconds = {key: round(value, 1) for key, value in told.items()}
    return SearchRow(search=name, sent=len(seconds), failed=failed, milliseconds=milliseconds)


class _WatchedReader(BundleReader[R]):
    """Reads pages as another reader does, and notes how large they were and what the server remarked."""

    def __init__(self, reader: BundleReader[R], log: SearchLog) -> None:
        self._reader = reader
        self._log = log
        self.pages: list[int] = []

    def read(self, raw: msgspec.Raw, most: int = MOST_ENTRIES) -> BundleContent[R]:
        self._log.issues.update(issues_of(raw))
        content = self._reader.read(raw, most)
        self.pages.append(len(content.resources) + len(content.malformed))
        return content
