"""Small groups of people kept out of what leaves the hospital.

A cell is small when it counts somebody, but fewer than `least`. One that is small is hidden, and so many others of its
table that it cannot be had by subtraction from the totals (complementary suppression: Hundepool A et al., Statistical
Disclosure Control, 2012, chapter 4). Nought is shown: it counts nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from typing import TypeVar

    from cds_service.insight.cohort.statistics.values import Flags, Numbers

    Name = TypeVar("Name", bound=Hashable)


def is_small(count: int, least: int) -> bool:
    """Tell whether a count is of somebody, but of fewer than `least`."""
    return 0 < count < least


def shown_groups(cells: Mapping[Name, Sequence[int]], least: int) -> set[Name]:
    """Return the groups of which every cell may be shown, where the sum of each cell over all groups is known.

    Hidden are groups with a small cell, and of the others the smallest, until what is hidden adds up to no small cell.
    """
    hidden = {name for name, counts in cells.items() if any(is_small(count, least) for count in counts)}
    by_size = sorted(cells.items(), key=lambda item: sum(item[1]))
    rest = [name for name, counts in by_size if name not in hidden and any(counts)]
    while hidden and rest and _pool_is_small([cells[name] for name in hidden], least):
        hidden.add(rest.pop(0))
    return set(cells) - hidden


def shown_counts(counts: Mapping[Name, int], least: int) -> dict[Name, int | None]:
    """Return counts that add up to a known total; None for those that are hidden."""
    shown = shown_groups({name: (count,) for name, count in counts.items()}, least)
    return {name: count if name in shown else None for name, count in counts.items()}


def shown_count(count: int, least: int) -> int | None:
    """Return a count of its own; None if it is small."""
    return None if is_small(count, least) else count


def shown_cutoffs(
    sii: Numbers, event: Flags, cutoffs: Iterable[float], least: int, *, first: float | None = None
) -> list[float]:
    """Return, rising, those cut-offs between which and beyond which no small cell lies.

    Counts at two cut-offs tell by subtraction who lies between them. `first` is considered before all others, then
    those nearest to it; without it from the highest down.
    """
    falling = sorted(set(cutoffs), reverse=True)
    considered = falling if first is None else [*falling, first]
    counts = dict(zip(considered, _above(sii, event, considered), strict=True))
    everybody = (int(np.count_nonzero(event)), int(np.count_nonzero(~event)))
    start, start_counts = np.inf, (0, 0)
    kept: list[float] = []
    if first is not None and _fits((0, 0), counts[first], everybody, least):
        start, start_counts, kept = first, counts[first], [first]
    lowest = start_counts
    for cutoff in (one for one in falling if one < start):
        if _fits(lowest, counts[cutoff], everybody, least):
            kept, lowest = [*kept, cutoff], counts[cutoff]
    highest = start_counts
    for cutoff in (one for one in reversed(falling) if one > start):
        if _fits((0, 0), counts[cutoff], highest, least):
            kept, highest = [*kept, cutoff], counts[cutoff]
    return sorted(kept)


def _above(sii: Numbers, event: Flags, cutoffs: Sequence[float]) -> list[tuple[int, int]]:
    """Count those with and without the event above each cut-off: sorted once, so that no pair is looked at."""
    groups = (np.sort(sii[event]), np.sort(sii[~event]))
    above = [len(group) - np.searchsorted(group, cutoffs, side="right") for group in groups]
    return [(int(events), int(others)) for events, others in zip(*above, strict=True)]


def _fits(inner: tuple[int, int], point: tuple[int, int], outer: tuple[int, int], least: int) -> bool:
    """Tell whether a point between two known ones leaves no small cell on either side."""
    sides = [*zip(inner, point, strict=True), *zip(point, outer, strict=True)]
    return not any(is_small(more - less, least) for less, more in sides)


def _pool_is_small(hidden: Sequence[Sequence[int]], least: int) -> bool:
    return any(is_small(sum(column), least) for column in zip(*hidden, strict=True))
