"""The patients of one part: assessed one by one, counted, and their rows written sorted to files of the part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.insight.cohort.assessing import assess_patient
from cds_service.insight.cohort.rooms import record_order, row_order, write_cells
from cds_service.insight.cohort.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.insight.cohort.assessing import Plan
    from cds_service.insight.cohort.export_heads import Kind
    from cds_service.insight.cohort.rooms import Cells, Rooms


class PartRows:
    """Assesses the patients of a part. What was assessed is kept until it is written."""

    def __init__(self, plan: Plan, rooms: Rooms) -> None:
        """Know nobody yet."""
        self.tally = Tally()
        self._plan = plan
        self._rooms = rooms
        self._rows: list[Cells] = []
        self._disagreements: list[Cells] = []

    @property
    def waiting(self) -> int:
        """Rows that are not written yet."""
        return len(self._rows) + len(self._disagreements)

    def add(self, patient: str, lines: Iterable[tuple[Kind, bytes]]) -> None:
        """Assess a patient from all lines."""
        assessed = assess_patient(patient, lines, self._plan)
        self.tally.count(assessed)
        self._rows += [row.cells for row in assessed.rows]
        self._disagreements += assessed.disagreements

    def write(self, name: str) -> None:
        """Write what waits, sorted, to new files of that name. Raises OSError."""
        write_cells(self._rooms.rows / name, sorted(self._rows, key=row_order))
        if self._disagreements:
            write_cells(self._rooms.disagreements / name, sorted(self._disagreements, key=record_order))
        self._rows, self._disagreements = [], []
