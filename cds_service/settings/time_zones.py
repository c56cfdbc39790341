"""The name of a time zone, and what to say about a word that is none.

A proposal that is followed sets the clock of the service, so it is made for slips of the pen only: EST is near to CEST,
Asia/Beirut to Asia/Beijing, and Etc/GMT+2 (west of Greenwich, by POSIX) to GMT+2.
"""

from __future__ import annotations

import re
import zoneinfo
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

from cds_service.settings.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

# Files of the zone database that are no zones: the machine's own setting, and clocks that count leap seconds.
_NO_ZONES: Final = ("localtime", "posixrules", "posix/", "right/", "Factory")
# IANA time zone database, file backward: links to America/Panama, America/Phoenix and Pacific/Honolulu.
_WITHOUT_SUMMER_TIME: Final = frozenset({"EST", "MST", "HST"})
# File etcetera: "positive signs west of Greenwich".
_AWAY_FROM_GREENWICH: Final = re.compile(r"Etc/GMT([+-])0*([1-9]\d?)")
_SAME_EVERYWHERE: Final = frozenset({"UTC", "GMT"})
# zone1970.tab of the IANA time zone database: "CN  Asia/Shanghai  Beijing Time".
_ASKED_FOR: Final = {"beijing": "Asia/Shanghai", "asia/beijing": "Asia/Shanghai", "china": "Asia/Shanghai"}
_SLIP_OF_THE_PEN: Final = 0.88
_LONGEST: Final = 60

_ABBREVIATION: Final = re.compile("[A-Za-z]{2,5}")
_OFFSET: Final = re.compile(r"(?:UTC|GMT|Z)?\s*[+\u2212-]\s*\d{1,2}(?::?\d{2})?", re.IGNORECASE)
_OF_WINDOWS: Final = re.compile(r".+ (?:Standard|Daylight|Summer) Time", re.IGNORECASE)
_THE_FORM: Final = 'write the name of the IANA database, such as "Europe/Zurich"'


def time_zone(name: str) -> str:
    """Return the name of an IANA time zone as it is. Raises ValueError with a sentence for anything else."""
    if not _is_zone(name):
        raise ValueError(f"{shown(name)} {_what_it_is(name)}")
    return name


def zone_caution(name: str) -> str | None:
    """Say what is easily meant otherwise about a zone of the database; None for the zone of a place."""
    if name in _WITHOUT_SUMMER_TIME:
        return (
            f'"{name}" is a clock without summer time; where clocks change name the place, such as "America/New_York"'
        )
    if found := _AWAY_FROM_GREENWICH.fullmatch(name):
        hours = f"{found[2]} hour{'' if found[2] == '1' else 's'}"
        side = "behind" if found[1] == "+" else "ahead of"
        return f'"{name}" is {hours} {side} UTC all year: the sign counts to the west; better name the place'
    return None


def _is_zone(name: str) -> bool:
    if name.startswith(_NO_ZONES):
        return False
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _what_it_is(name: str) -> str:
    # CET, EET and the like are zones of the database, and MEZ or CST are not: no name of this kind is proposed.
    meant = _meant(name, zoneinfo.available_timezones())
    if meant is not None:
        return f'is not a time zone (did you mean "{meant}"?)'
    if _ABBREVIATION.fullmatch(name):
        return f"is no time zone but an abbreviation, and does not tell when clocks change; {_THE_FORM}"
    if _OFFSET.fullmatch(name):
        return f"is no time zone but an offset, and does not tell when clocks change; {_THE_FORM}"
    if _OF_WINDOWS.fullmatch(name):
        return f"is a name that only Windows knows; {_THE_FORM}"
    return f"is not a time zone; {_THE_FORM}"


def _meant(name: str, zones: Iterable[str]) -> str | None:
    folded = name.casefold().replace(" ", "_")
    if len(folded) > _LONGEST:
        return None
    if folded in _ASKED_FOR:
        return _ASKED_FOR[folded]
    by_folded = {zone.casefold(): zone for zone in zones if _may_be_proposed(zone)}
    if folded in by_folded:
        return by_folded[folded]
    places = [zone for key, zone in by_folded.items() if key.rpartition("/")[2] == folded]
    if len(places) == 1:
        return places[0]
    near = [(SequenceMatcher(None, folded, key).ratio(), zone) for key, zone in by_folded.items() if "/" in key]
    likeness, zone = max(near, default=(0.0, ""))
    return zone if likeness >= _SLIP_OF_THE_PEN else None


def _may_be_proposed(zone: str) -> bool:
    return zone in _SAME_EVERYWHERE or ("/" in zone and not zone.startswith(("Etc/", *_NO_ZONES)))
