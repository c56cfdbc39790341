"""What a card names of the chart beside the draw, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from cds_service.clinical.chart_facts import OperationFact, ProcedureTime


class RecordedFact(NamedTuple):
    """Something recorded that changes blood counts on its own; days are None when undated."""

    kind: str
    code: str
    first_day: date | None
    last_day: date | None


class Suspicion(NamedTuple):
    """A diagnosis of spread or recurrence that is suspected and not confirmed."""

    category: str
    code: str


class ChartNotes(NamedTuple):
    """What the card names of the chart.

    `closing` are operations, and procedures that were not completed, after which blood is not used; `unplaced` those
    whose day is not known, so that they close none. `recent_procedures` counts qualifying ones of the last year.
    `between` lie between the draw used as a baseline and the latest procedure. `diagnosed_later`: a procedure was done
    before liver cancer was recorded. `may_be_of_another_cancer`: a metastasis in the liver stands before the procedure,
    beside another cancer. `too_soon_after` is the procedure that keeps the newest draw from being used, `days` how many
    days before it; `no_day_between` tells that it and the one before leave no day on which blood can be used.
    """

    recorded: tuple[RecordedFact, ...] = ()
    suspected: tuple[Suspicion, ...] = ()
    closing: tuple[OperationFact, ...] = ()
    unplaced: tuple[OperationFact, ...] = ()
    recent_procedures: int = 0
    between: tuple[ProcedureTime, ...] = ()
    diagnosed_later: bool = False
    may_be_of_another_cancer: bool = False
    too_soon_after: ProcedureTime | None = None
    days: int | None = None
    no_day_between: bool = False
