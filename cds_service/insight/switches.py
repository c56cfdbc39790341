"""When what decides was exchanged: rule, mapping tables, configuration, or whether cards are shown.

Processes take a new configuration up one after the other, so that both decide side by side for a while; a day tells of
one change at most, and the day before of what stood until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator
    from datetime import date

    from cds_service.insight.tally import InForce


class Switch(NamedTuple):
    """What was in force until a day, and what came into force on it."""

    day: date
    before: InForce
    after: InForce


def switches(days: Iterable[tuple[date, Counter[InForce]]]) -> Iterator[Switch]:
    """Yield the changes between days, which come in order, by how often each decided; empty days tell nothing."""
    before: InForce | None = None
    for day, in_force in days:
        if not in_force:
            continue
        newest = max(in_force, key=lambda each: (each != before, in_force[each]))
        if before is not None and newest != before:
            yield Switch(day, before, newest)
        before = newest
