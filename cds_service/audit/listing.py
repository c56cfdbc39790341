"""What a record lists of results, Conditions and Procedures: all where they are few, and counts of the rest.

A caller decides how many entries a Bundle has. So each list ends at five hundred; every kind of exclusion, by analyte
and reason, stands in it all the same, for that is what the monitor looks for.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from cds_service.audit.entries import condition_entry, excluded_entry, procedure_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
    from cds_service.clinical.models import ExcludedResult

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
