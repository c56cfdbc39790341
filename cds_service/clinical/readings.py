"""The readings of one draw: neutrophils and lymphocytes of each basis and method, with and without their parts.

A decision stands only if every reading of the draw gives it (docs/decisions/0029).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte
from cds_service.clinical.reasons import Reason
from cds_service.clinical.rule import index_of, is_above, shown_beside

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

    from cds_service.clinical.models import Basis, BloodDraw, LabResult, Reading
    from cds_service.clinical.rule import Criterion


class ReadingSII(NamedTuple):
    """SII of one reading in 10*9/L, rounded as it is shown, and what tells the reading from others.

    `parts` are those of the neutrophils and lymphocytes that were added up.
    """

    sii: Decimal
    basis: Basis
    manual: bool
    parts: tuple[Analyte, ...]


def problems_under(draw: BloodDraw, criterion: Criterion) -> tuple[Reason, ...]:
    """Return what makes a draw undecidable under a criterion: its own problems, else readings on both sides of it."""
    if draw.problems or not draw.others:
        return draw.problems
    above = criterion.is_met(draw)
    agreed = all(is_above(_value(draw, reading, criterion), criterion.cutoff) == above for reading in draw.others)
    return () if agreed else (Reason.DIFFERENTIAL_INCONSISTENT,)


def notable_readings(draw: BloodDraw, criterion: Criterion) -> tuple[ReadingSII, ...]:
    """Return the readings that a reader should know of beside the printed one: those far from it, and with parts."""
    return tuple(_shown(draw, reading, criterion) for reading in draw.others if reading.is_notable)


def all_readings(draw: BloodDraw, criterion: Criterion) -> tuple[ReadingSII, ...]:
    """Return every reading of a draw whose readings differ about the cut-off, the printed one first; else none."""
    if draw.problems or problems_under(draw, criterion) == ():
        return ()
    neutrophils, lymphocytes = draw.neutrophils, draw.lymphocytes
    parts = _parts(neutrophils, lymphocytes)
    printed = ReadingSII(criterion.shown(draw), draw.basis, neutrophils.manual, parts)
    return (printed, *(_shown(draw, reading, criterion) for reading in draw.others))


def _shown(draw: BloodDraw, reading: Reading, criterion: Criterion) -> ReadingSII:
    neutrophils, lymphocytes = reading.neutrophils.whole(), reading.lymphocytes.whole()
    parts = _parts(neutrophils, lymphocytes)
    shown = shown_beside(_value(draw, reading, criterion), criterion.cutoff)
    return ReadingSII(shown, neutrophils.basis, neutrophils.manual, parts)


def _parts(*results: LabResult) -> tuple[Analyte, ...]:
    whole = {Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES}
    return tuple(part.analyte for result in results for part in result.parts if part.analyte not in whole)


def _value(draw: BloodDraw, reading: Reading, criterion: Criterion) -> Fraction:
    return index_of(criterion.index, draw.platelets, reading.neutrophils.whole(), reading.lymphocytes.whole())
