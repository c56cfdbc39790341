"""Links of a Bundle: where the next page is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cds_service.acquisition.entries import Entries
from cds_service.acquisition.resources import MOST_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable


class Link(msgspec.Struct, gc=False):
    """FHIR Bundle.link."""

    relation: str | None = None
    url: str | None = None


_LINK = msgspec.json.Decoder(Link)


def read_links(array: bytes) -> list[Link]:
    """Read the first 1,000 links of an array. Raises msgspec.DecodeError for one that is none."""
    return [_LINK.decode(link) for link in Entries(array, MOST_PARTS)]


def next_url(links: Iterable[Link]) -> str | None:
    """Return the address of the next page; None on the last one."""
    return next((link.url for link in links if link.relation == "next" and link.url), None)
