"""Pages of a search: which `next` link may be followed, and what several pages say together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from cds_service.acquisition.bundles import BundleContent, R

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.acquisition.resources import Specimen

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
