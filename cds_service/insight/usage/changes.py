"""What was changed in the period of a report: rule, mapping tables, limits, and whether cards are shown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from cds_service.insight.switches import switches
from cds_service.reports.content import Column, Table
from cds_service.reports.counts import counted
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, tzinfo

    from cds_service.insight.tally import InForce
    from cds_service.insight.usage.statistics import Statistics

# Limits told of one change, and characters of a value or a name: more of them would fill the page.
_MOST_LIMITS: Final = 4
_LONGEST_VALUE: Final = 30
_MOST_CLIENTS: Final = 2


class Change(NamedTuple):
    """Something that came into force on a day, at these clients."""

    day: date
    clients: tuple[str, ...]
    what: str


def changes(statistics: Statistics, zone: tzinfo) -> list[Change]:
    """Return what was changed in the period, the newest first; the same change at several clients is one.

    Its day is the first on which a client was answered under it.
    """
    since = statistics.since.astimezone(zone).date() if statistics.since is not None else None
    found: dict[tuple[InForce, InForce, int], dict[str, date]] = {}
    for client, days in sorted(statistics.in_force.items()):
        # What is changed to and fro is told each time.
        times: Counter[tuple[InForce, InForce]] = Counter()
        for day, before, after in switches(sorted(days.items())):
            times[before, after] += 1
            if since is None or day >= since:
                found.setdefault((before, after, times[before, after]), {})[client] = day
    told = [
        Change(min(seen.values()), tuple(seen), "; ".join(_differences(before, after, statistics.limits)))
        for (before, after, _), seen in found.items()
    ]
    return sorted(told, reverse=True)


def changes_table(told: list[Change]) -> Table:
    """Lay changes out for a page."""
    return Table(
        caption="What came into force, the newest first",
        stacks=True,
        columns=(Column("Day"), Column("Clients"), Column("Change")),
        rows=tuple((change.day.isoformat(), _clients(change.clients), change.what) for change in told),
        empty="Nothing: one rule, one set of mapping tables and one configuration decided all the time.",
    )


def _clients(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(_shortened, names[:_MOST_CLIENTS]))
    return shown if len(names) <= _MOST_CLIENTS else f"{shown} and {len(names) - _MOST_CLIENTS} more"


def _differences(before: InForce, after: InForce, limits: Mapping[str, bytes]) -> Iterator[str]:
    old, new = before.version, after.version
    if old.rule != new.rule:
        yield f"rule version {_shortened(old.rule)} → {_shortened(new.rule)}"
    if old.mappings != new.mappings:
        yield f"mapping tables {_shortened(old.mappings)} → {_shortened(new.mappings)}"
    if before.mode != after.mode:
        yield f"cards: {before.mode} → {after.mode} mode"
    if old.configuration != new.configuration:
        known = [_policy(limits.get(version.configuration)) for version in (old, new)]
        hashes = f"{_shortened(old.configuration)} → {_shortened(new.configuration)}"
        yield f"configuration {hashes}: {', '.join(_limits(*known))}"


def _limits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Name the limits that differ. Cards, clients and operation are known by the hash of the configuration alone."""
    if not old or not new:
        yield "its limits are not in this log"
        return
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    for name in names[:_MOST_LIMITS]:
        pair = " → ".join(_shortened(_plain(policy.get(name))) for policy in (old, new))
        yield f"{_shortened(name.replace('_', ' '))} {pair}"
    if len(names) > _MOST_LIMITS:
        yield f"and {counted(len(names) - _MOST_LIMITS, 'further limit')}"
    if not names:
        yield "cards, clients or operation; no limit of the rule"


def _policy(recorded: bytes | None) -> Mapping[str, Any]:
    """Return the recorded limits; none where the log holds none, or what no configuration can be."""
    try:
        found = msgspec.json.decode(recorded or b"{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _shortened(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
