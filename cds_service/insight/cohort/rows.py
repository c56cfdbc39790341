"""The row of a cohort: one decision about one patient, and what became of the patient after it.

`cohort assess` writes these rows and `cohort validate` reads them, and nothing else passes between the two.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import date

# Outcomes of a row that are none of the rule's: the rule was not asked.
UNDATABLE: Final = "undatable"
LEFT_BEFORE: Final = "left-before"

# How follow-up ended.
NO_EVENT: Final = 0
RECURRENCE: Final = 1
DEATH: Final = 2


class AssessedRow(NamedTuple):
    """A decision as of a day, with what it was made of, and follow-up from that day on.

    `outcome` is one of the rule's, or `undatable` or `left-before`; `reason` holds its reason codes joined by commas.
    `sii` in 10*9/L, unrounded to 28 significant digits; `relation` and `days` as in the answer to a hook. `time` is
    whole days from the decision, `event` 1 for recurrence or metastasis, 2 for death before, 0 for neither; both None
    where `entered` is 0. `entered` is 1 for a decided row that can be placed in time. Neutrophils, lymphocytes and
    platelets are those that SII was computed from (10*9/L; shares of the leukocytes where `basis` is percent), albumin
    is in g/L. `age` in whole years. `therapy` is that of the index procedure. `record` is the number of the audit
    record that a decision was taken from.
    """

    patient: str
    design: str
    decision: date
    outcome: str
    reason: str = ""
    sii: Decimal | None = None
    relation: str = ""
    days: int | None = None
    time: int | None = None
    event: int | None = None
    entered: int = 0
    cutoff: Decimal | None = None
    basis: str = ""
    sex: str = ""
    age: int | None = None
    therapy: str = ""
    neutrophils: Decimal | None = None
    lymphocytes: Decimal | None = None
    platelets: Decimal | None = None
    albumin: Decimal | None = None
    record: int | None = None
    rule_version: str = ""
    mapping_version: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the row as texts, empty where there is no value."""
        return tuple(map(_cell, self))


COLUMNS: Final = AssessedRow._fields
# Columns that sort the rows.
SORTED_BY: Final = ("patient", "design", "decision")
WHOLE_NUMBERS: Final = frozenset({"days", "time", "event", "entered", "age", "record"})


def _cell(value: str | date | Decimal | int | None) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
