"""Pages of a search: which `next` link may be followed, what several pages say together, and how they are sorted.

Only a page of old results that came newest first tells that only older ones follow. Whether they did is told by what
came; servers count days in zones of their own, so a day more or less proves nothing.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from cds_service.acquisition.bundles import BundleContent, R

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.acquisition.resources import Observation, Specimen


_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Written by servers that add the port of X-Forwarded-Port to a host that has it already.
_DOUBLED_PORT: Final = re.compile(r"^(https?://(?:[^/?#@:\[\]]+|\[[^\]/?#@]*\]))(:\d{1,5})\2(?=[/?#]|$)", re.IGNORECASE)


def resolve_next(link: str, base: str) -> str | None:
    """Return the address of the next page; None when it leaves the base URL, where the token must not go.

    HAPI links to the base itself with a query, others to the resource type below it. What is returned begins with the
    base's own scheme and host, so that no other reader of addresses can find another server in it. For the same reason
    a link of a server that does not know of the TLS or the port in front of it is followed: at the base.
    """
    try:
        page, home = urlsplit(_DOUBLED_PORT.sub(r"\1\2", urljoin(f"{base}/", link))), urlsplit(base)
        is_home = _server(page) == _server(home) or _is_home_without_tls(page, home)
    except ValueError:
        return None
    if not is_home or page.username is not None or not _is_below(page.path, home.path):
        return None
    return page._replace(scheme=home.scheme, netloc=home.netloc, fragment="").geturl()


def without_sort(url: str) -> str:
    """Return a search without its order."""
    parts = urlsplit(url)
    kept = [parameter for parameter in parts.query.split("&") if not parameter.startswith("_sort=")]
    return parts._replace(query="&".join(kept)).geturl()


def join_pages(pages: Sequence[BundleContent[R]], next_url: str | None) -> BundleContent[R]:
    """Put pages together; `next_url` is the page that was not read, None when all were.

    The total is that of the search, and every page tells it: the largest counts.
    """
    patients: dict[str, str] = {}
    specimens: dict[str, Specimen] = {}
    for page in pages:
        patients |= page.patients
        specimens |= page.specimens
    return BundleContent(
        tuple(resource for page in pages for resource in page.resources),
        tuple(malformed for page in pages for malformed in page.malformed),
        patients,
        next_url,
        total=max((page.total for page in pages), default=0),
        matches=sum(page.matches for page in pages),
        is_cut=any(page.is_cut for page in pages),
        specimens=specimens,
    )


def _server(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, _DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port


def _is_home_without_tls(page: SplitResult, home: SplitResult) -> bool:
    ports = {None, _DEFAULT_PORTS["http"], home.port or _DEFAULT_PORTS["https"]}
    return (page.scheme, home.scheme) == ("http", "https") and page.hostname == home.hostname and page.port in ports


def _is_below(path: str, home: str) -> bool:
    """Tell whether a path is the home path or below it, and stays there.

    Dot segments lead out of it after this check; servers see them as well behind "%2e", "%252e", and before ";".
    """
    path, home = unquote(path), unquote(home)
    steps_out = any(segment.partition(";")[0] in {".", ".."} for segment in path.split("/"))
    return (path == home or path.startswith(f"{home}/")) and not steps_out and not set(path) & set("%\\")


_SLACK: Final = timedelta(days=1)


class Order:
    """The order of results as they come. Each is looked at once, however many pages there are.

    Results without a day that can be read prove nothing and disprove nothing.
    """

    def __init__(self) -> None:
        self._pages = 0
        self._newest: date | None = None
        self._oldest = date.max
        self._is_broken = False

    @property
    def is_newest_first(self) -> bool:
        """Tell whether results are proved to be sorted: none is newer than one before it, and they do get older."""
        return not self._is_broken and self._newest is not None and self._newest - self._oldest > _SLACK

    def take(self, observations: Iterable[Observation]) -> None:
        """Take further results into account."""
        for observation in observations:
            day = day_of(observation)
            if day is None:
                continue
            self._newest = self._newest or day
            self._is_broken = self._is_broken or (day > self._oldest and day - self._oldest > _SLACK)
            self._oldest = min(self._oldest, day)

    def only_older_follow(self, pages: Sequence[BundleContent[Any]], first_needed: date) -> bool:
        """Tell whether all that follows was taken before a day: sorted so far, and the last page lies wholly there."""
        for page in pages[self._pages :]:
            self.take(page.resources)
        self._pages = len(pages)
        last = pages[-1]
        if last.malformed or not last.resources or not self.is_newest_first:
            return False
        days = [day_of(observation) for observation in last.resources]
        return all(day is not None and first_needed - day > _SLACK for day in days)


def is_newest_first(observations: Iterable[Observation]) -> bool:
    """Tell whether results are proved to be sorted."""
    order = Order()
    order.take(observations)
    return order.is_newest_first


def day_of(observation: Observation) -> date | None:
    """Return the day of a result as written; None where there is none to the day."""
    period = observation.effectivePeriod
    of_period = (period.end or period.start) if period is not None else None
    text = observation.effectiveDateTime or observation.effectiveInstant or of_period or ""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
