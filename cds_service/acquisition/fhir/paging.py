"""Pages of a search: which `next` link may be followed, and what several pages say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from cds_service.acquisition.bundles import BundleContent, R

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.acquisition.resources import Specimen

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def resolve_next(link: str, base: str) -> str | None:
    """Return the address of the next page; None when it leaves the base URL, where the token must not go.

    HAPI links to the base itself with a query, others to the resource type below it. What is returned begins with the
    base's own scheme and host, so that no other reader of addresses can find another server in it.
    """
    try:
        page, home = urlsplit(urljoin(f"{base}/", link)), urlsplit(base)
        same_server = _server(page) == _server(home)
    except ValueError:
        return None
    if not same_server or page.username is not None or not _is_below(page.path, home.path):
        return None
    return page._replace(scheme=home.scheme, netloc=home.netloc, fragment="").geturl()


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


def _is_below(path: str, home: str) -> bool:
    """Tell whether a path is the home path or below it, and stays there.

    Dot segments lead out of it after this check; servers see them as well behind "%2e", "%252e", and before ";".
    """
    path, home = unquote(path), unquote(home)
    steps_out = any(segment.partition(";")[0] in {".", ".."} for segment in path.split("/"))
    return (path == home or path.startswith(f"{home}/")) and not steps_out and not set(path) & set("%\\")
