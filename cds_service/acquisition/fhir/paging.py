"""Pages of a search: which `next` link may be followed, and what several pages say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urljoin, urlsplit

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.resources import Condition, Observation, Procedure

if TYPE_CHECKING:
    from collections.abc import Sequence

R = TypeVar("R", bound=Observation | Condition | Procedure)


def resolve_next(link: str, base: str) -> str | None:
    """Return the address of the next page; None when it leaves the base URL, where the token must not go.

    HAPI links to the base itself with a query, others to the resource type below it. Dot segments are refused: they
    leave the base after the check.
    """
    url = urljoin(f"{base}/", link)
    page, home = urlsplit(url), urlsplit(base)
    try:
        same_place = (page.scheme, page.hostname, page.port) == (home.scheme, home.hostname, home.port)
    except ValueError:
        return None
    path = unquote(page.path)
    below = path == home.path or path.startswith(f"{home.path}/")
    if not same_place or page.username is not None or not below or ".." in path.split("/") or "\\" in path:
        return None
    return url


def join_pages(pages: Sequence[BundleContent[R]], next_url: str | None) -> BundleContent[R]:
    """Put pages together; `next_url` is the page that was not read, None when all were."""
    patients: dict[str, str] = {}
    for page in pages:
        patients |= page.patients
    return BundleContent(
        tuple(resource for page in pages for resource in page.resources),
        tuple(malformed for page in pages for malformed in page.malformed),
        patients,
        next_url,
    )
