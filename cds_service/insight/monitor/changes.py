"""When decisions began to be made with another configuration, rule or mapping: what a person changed on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from cds_service.insight.monitor.reading import Tallies
    from cds_service.insight.monitor.tallies import Version


class Change(NamedTuple):
    """A change that came into effect on a day at a client."""

    day: date
    client: str
    what: str


def changes_of(tallies: Tallies, client: str, days: Sequence[date]) -> Iterator[Change]:
    """Yield the changes between the days, which come in order; days without hooks tell nothing."""
    before: Version | None = None
    for day in days:
        versions = tallies.of(client, day).versions
        if not versions:
            continue
        newest = max(versions, key=lambda version: (version != before, versions[version]))
        if before is not None and newest != before:
            yield Change(day, client, _difference(before, newest))
        before = newest


def _difference(before: Version, after: Version) -> str:
    pairs = zip(before._fields, before, after, strict=True)
    return ", ".join(f"{name} {old} → {new}" for name, old, new in pairs if old != new)
