"""What is counted of the patients of a cohort, whatever engine assessed them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.insight.cohort.assessing import AssessedPatient


@dataclass(slots=True)
class Tally:
    """What was counted of patients: of each design its rows by outcome and reason.

    `patients` are those of the export. Of those without an index procedure there are no rows, but recorded ones.
    """

    patients: int = 0
    with_index_procedure: int = 0
    index_procedures: int = 0
    unclear: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, assessed: AssessedPatient) -> None:
        """Count a patient."""
        self.patients += assessed.is_in_export
        self.with_index_procedure += assessed.index_procedures > 0
        self.index_procedures += assessed.index_procedures
        self.unclear += assessed.unclear
        for row in assessed.rows:
            name = f"{row.outcome}:{row.reason}" if row.reason else row.outcome
            self.outcomes.setdefault(row.design, Counter())[name] += 1

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        self.patients += other.patients
        self.with_index_procedure += other.with_index_procedure
        self.index_procedures += other.index_procedures
        self.unclear += other.unclear
        for design, counts in other.outcomes.items():
            self.outcomes.setdefault(design, Counter()).update(counts)

    def flow(self, designs: Iterable[str]) -> dict[str, Any]:
        """Return the flow of patients, in an order that depends on nothing but names."""
        return {
            design: {
                "index_procedures": self.index_procedures,
                "outcomes": dict(sorted(self.outcomes.get(design, Counter()).items())),
            }
            for design in sorted(designs)
        }
