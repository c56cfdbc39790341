"""A record is at most so large, whatever a caller sends: names, ids and lists that no chart needs are cut, and said so.

A caller decides how many entries a Bundle has. So each list of results, Conditions and Procedures ends at five hundred,
with counts of the rest; every kind of exclusion, by analyte and reason, stands in it all the same, for that is what the
monitor looks for. Charts are bounded where they are kept. What remains are texts: an id of a megabyte is no id, yet
JSON. Records of usual size are only measured.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from cds_service.audit.chain import encode_payload
from cds_service.audit.entries import condition_entry, excluded_entry, procedure_entry
from cds_service.audit.records import NO_CHART, ConfigurationRecord, FeedbackRecord, HookRecord, ViewRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.audit.records import AuditRecord
    from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
    from cds_service.clinical.models import ExcludedResult


# A line that a crash cuts short is kept as base64 in the record that seals it: that one stays below a megabyte, too.
MOST_BYTES: Final = 700_000
# Characters of a text, and entries of a list, tried one after the other. At the last, the six members that are lists
# hold no more than 6 × 16 × 8 texts of 64 characters, which JSON may spell with six bytes each.
_STEPS: Final = ((2_000, 500), (500, 100), (64, 16))
_CUT: Final = "…"

_Record = TypeVar("_Record", bound=HookRecord | ViewRecord | FeedbackRecord)


def encode_bounded(record: AuditRecord) -> bytes:
    """Encode a record; one that would be too large says in `left_out` what it lacks."""
    payload = encode_payload(record)
    if len(payload) <= MOST_BYTES or isinstance(record, ConfigurationRecord):
        return payload
    if not isinstance(record, FeedbackRecord):
        # A part of a chart would be recomputed to something else.
        record = msgspec.structs.replace(record, chart=NO_CHART, chart_too_large=bool(bytes(record.chart)))
    for characters, entries in _STEPS:
        payload = encode_payload(_shortened(record, characters, entries))
        if len(payload) <= MOST_BYTES:
            break
    return payload


def _shortened(record: _Record, characters: int, entries: int) -> _Record:
    left_out, cut = dict(record.left_out), [0]
    members: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(record).items():
        if isinstance(value, tuple) and len(value) > entries:
            left_out[name] = left_out.get(name, 0) + len(value) - entries
            value = value[:entries]
        members[name] = _with_short_texts(value, characters, cut)
    if cut[0]:
        left_out["texts"] = cut[0]
    return msgspec.structs.replace(record, **{**members, "left_out": left_out})


def _with_short_texts(value: Any, characters: int, cut: list[int]) -> Any:
    """Cut the texts of a member, and count them in `cut`."""
    if isinstance(value, str) and len(value) > characters:
        cut[0] += 1
        return value[:characters] + _CUT
    if isinstance(value, tuple):
        return tuple([_with_short_texts(one, characters, cut) for one in value])
    if isinstance(value, msgspec.Struct):
        members = msgspec.structs.asdict(value)
        return type(value)(**{name: _with_short_texts(one, characters, cut) for name, one in members.items()})
    return value


MOST_LISTED: Final = 500


def listed_members(
    excluded: Sequence[ExcludedResult], conditions: Sequence[ConditionFact], procedures: Sequence[ProcedureFact]
) -> dict[str, Any]:
    """Return the members of a hook record that list what the chart held, and what they leave out."""
    lengths = {"excluded": len(excluded), "conditions": len(conditions), "procedures": len(procedures)}
    return {
        "exclusions": dict(Counter(str(result.reason) for result in excluded)),
        "excluded": tuple(map(excluded_entry, _some_of_each_kind(excluded))),
        "conditions": tuple(map(condition_entry, islice(conditions, MOST_LISTED))),
        "procedures": tuple(map(procedure_entry, islice(procedures, MOST_LISTED))),
        "left_out": {name: length - MOST_LISTED for name, length in lengths.items() if length > MOST_LISTED},
    }


def _some_of_each_kind(excluded: Sequence[ExcludedResult]) -> Sequence[ExcludedResult]:
    """Return as many as are listed, in their order, and the first of each analyte and reason among them."""
    if len(excluded) <= MOST_LISTED:
        return excluded
    firsts: dict[tuple[str | None, str], int] = {}
    for place, result in enumerate(excluded):
        firsts.setdefault((result.analyte, result.reason), place)
    chosen = set(islice(firsts.values(), MOST_LISTED))
    others = (place for place in range(len(excluded)) if place not in chosen)
    chosen.update(islice(others, MOST_LISTED - len(chosen)))
    return [excluded[place] for place in sorted(chosen)]
