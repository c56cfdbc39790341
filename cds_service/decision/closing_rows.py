"""Procedures that do not qualify and after which blood is not used: for the person who asks where a draw went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_service.clinical.closed_days import CLOSING_KINDS, days_closed_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set
    from datetime import date

    from cds_service.clinical.chart_facts import OperationFact
    from cds_service.clinical.policy import ClinicalPolicy


class ClosingRows:
    """The rows of an explanation for what closes days: operations, and what was begun and not completed."""

    def __init__(self, operations: Iterable[OperationFact], policy: ClinicalPolicy, today: date) -> None:
        """Keep the operations that close days; what others do decides nothing."""
        self._operations = [operation for operation in operations if operation.kind in CLOSING_KINDS]
        self._policy = policy
        self._today = today

    @property
    def told(self) -> frozenset[str]:
        """Return the references of all of them; the code where there is none."""
        return frozenset(operation.reference or operation.code for operation in self._operations)

    def of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Return what to add to the row of an excluded Procedure: the days that it closes all the same."""
        told = (row["reference"], row["code"])
        return next(({"note": self._days(o)} for o in self._operations if (o.reference, o.code) == told), {})

    def beside(self, told: Set[str]) -> Iterator[dict[str, Any]]:
        """Yield a row for each operation of which no other row tells."""
        for operation in self._operations:
            if (operation.reference or operation.code) not in told:
                yield {
                    "reference": operation.reference,
                    "code": operation.code,
                    "therapy": operation.kind,
                    "performed": operation.performed.isoformat() if operation.performed else None,
                    "treatment": "does not qualify",
                    "note": self._days(operation),
                }

    def _days(self, operation: OperationFact) -> str:
        time = operation.performed
        if time is None or not time.is_precise:
            return "closes no days: its day is not known"
        closed = days_closed_by(time, self._policy.post_procedure_exclusion_days, self._today)
        return f"blood drawn from {closed.first} to {closed.last} is not used"
