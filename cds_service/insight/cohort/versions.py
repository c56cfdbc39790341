"""Several versions of one resource in an export: which of them counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

from cds_service.clinical.models import EffectiveTime
from cds_service.foreign_bytes import UNREADABLE, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.normalization.effective_time import TimeReader


class WithId(Protocol):
    """A resource that may have an id."""

    @property
    def id(self) -> str | None:
        """Its id."""


R = TypeVar("R", bound=WithId)


class _Meta(msgspec.Struct, gc=False):
    lastUpdated: Any = None  # noqa: N815
    versionId: Any = None  # noqa: N815


class _Described(msgspec.Struct, gc=False):
    meta: Any = None


_META: Final = msgspec.json.Decoder(_Described)
_NO_TIME: Final = float("-inf")


def newest_versions(
    resources: Sequence[tuple[R, bytes]], times: TimeReader
) -> tuple[Sequence[tuple[R, bytes]], frozenset[str]]:
    """Return one version of each resource, and the ids of those where nothing tells which is the newest.

    Resources come with their lines, none twice. The newest `lastUpdated` counts, then the highest `versionId`; where
    both are equal or missing the line that sorts last, so that the order of an export never matters. What has no id is
    kept.
    """
    ids = [resource.id for resource, _ in resources if resource.id]
    if len(set(ids)) == len(ids):
        return resources, frozenset()
    kept: dict[str, tuple[tuple[Any, ...], tuple[R, bytes]]] = {}
    unclear: set[str] = set()
    rest: list[tuple[R, bytes]] = []
    for pair in resources:
        resource, line = pair
        if not resource.id:
            rest.append(pair)
            continue
        rank = _rank(line, times)
        known = kept.get(resource.id)
        if known is not None and known[0] == rank:
            unclear.add(resource.id)
        if known is None or (rank, line) > (known[0], known[1][1]):
            if known is not None and known[0] != rank:
                unclear.discard(resource.id)
            kept[resource.id] = (rank, pair)
    return [*rest, *(pair for _, pair in kept.values())], frozenset(unclear)


def _rank(line: bytes, times: TimeReader) -> tuple[Any, ...]:
    """Return what versions are compared by. Numbers of versions are compared as numbers, and above other texts."""
    try:
        meta = decode(_META, line).meta
    except UNREADABLE:
        meta = None
    updated, version = (meta.get("lastUpdated"), meta.get("versionId")) if isinstance(meta, dict) else (None, None)
    time = times.read(updated) if isinstance(updated, str) else None
    moment = time.order[1] if isinstance(time, EffectiveTime) and time.instant is not None else _NO_TIME
    text = version if isinstance(version, str) else ""
    is_number = text.isascii() and text.isdecimal()
    return (moment, is_number, int(text[:40]) if is_number else 0, text)
