"""The readings of one draw: neutrophils and lymphocytes of each basis and method, with and without their parts.

A decision stands only if every reading of the draw gives it (docs/decisions/0029).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii, is_above, shown_sii

if TYPE_CHECKING:
    from decimal import Decimal

    from cds_service.clinical.models import Basis, BloodDraw, LabResult, Reading


class ReadingSII(NamedTuple):
    """SII of one reading in 10*9/L, rounded as it is shown, and what tells the reading from others.

    `parts` are those of the neutrophils and lymphocytes that were added up.
    """

    sii: Decimal
    basis: Basis
    manual: bool
    parts: tuple[Analyte, ...]


def problems_under(draw: BloodDraw, cutoff: Decimal) -> tuple[Reason, ...]:
    """Return what makes a draw undecidable under a cut-off: its own problems, else readings on both sides of it."""
    if draw.problems or not draw.others:
        return draw.problems
    above = is_above(compute_sii(draw), cutoff)
    agreed = all(is_above(_sii(draw, reading), cutoff) == above for reading in draw.others)
    return () if agreed else (Reason.DIFFERENTIAL_INCONSISTENT,)


def notable_readings(draw: BloodDraw, cutoff: Decimal) -> tuple[ReadingSII, ...]:
    """Return the readings that a reader should know of beside the printed one: those far from it, and with parts."""
    return tuple(_shown(draw, reading, cutoff) for reading in draw.others if reading.is_notable)


def all_readings(draw: BloodDraw, cutoff: Decimal) -> tuple[ReadingSII, ...]:
    """Return every reading of a draw whose readings differ about the cut-off, the printed one first; else none."""
    if draw.problems or problems_under(draw, cutoff) == ():
        return ()
    neutrophils, lymphocytes = draw.neutrophils, draw.lymphocytes
    parts = _parts(neutrophils, lymphocytes)
    printed = ReadingSII(shown_sii(compute_sii(draw), cutoff), draw.basis, neutrophils.manual, parts)
    return (printed, *(_shown(draw, reading, cutoff) for reading in draw.others))


def _shown(draw: BloodDraw, reading: Reading, cutoff: Decimal) -> ReadingSII:
    neutrophils, lymphocytes = reading.neutrophils.whole(), reading.lymphocytes.whole()
    parts = _parts(neutrophils, lymphocytes)
    return ReadingSII(shown_sii(_sii(draw, reading), cutoff), neutrophils.basis, neutrophils.manual, parts)


def _parts(*results: LabResult) -> tuple[Analyte, ...]:
    whole = {Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES}
    return tuple(part.analyte for result in results for part in result.parts if part.analyte not in whole)


def _sii(draw: BloodDraw, reading: Reading) -> Fraction:
    ratio = Fraction(reading.neutrophils.whole().quantity.value) / Fraction(reading.lymphocytes.whole().quantity.value)
    return Fraction(draw.platelets.quantity.value) * ratio
