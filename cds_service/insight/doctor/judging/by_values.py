"""Codes that are not read, are not named like ours, and whose values lie where ours do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte
from cds_service.insight.doctor.judging.thresholds import LEAST_PATIENTS, LEAST_VALUES_NAMELESS
from cds_service.insight.doctor.judging.values import canonical, kinds_of, typical_of
from cds_service.insight.doctor.laboratory_survey import meaning_of
from cds_service.insight.doctor.masking import median

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.laboratory_survey import CodeTally, UnitTally


class Likeness(NamedTuple):
    """A code whose values are like those of an analyte.

    `named_otherwise`: its name is that of another test. A code without one, or with a name that says nothing, may be
    ours.
    """

    tally: CodeTally
    analyte: str
    basis: str
    unit: UnitTally
    named_otherwise: bool


def likenesses(tally: CodeTally, case: Case) -> Iterator[Likeness]:
    """Yield each analyte and basis in whose reference interval the median of a code's values lies."""
    named_otherwise = case.names.is_another_test(tally.all_names)
    seen = set()
    for unit in tally.units.values():
        if len(unit.values.values) < LEAST_VALUES_NAMELESS or len(unit.patients) < LEAST_PATIENTS:
            continue
        for kind in kinds_of(unit, case):
            factor = meaning_of(unit, kind, case.mappings).factor
            for analyte in Analyte if factor is not None else ():
                typical = typical_of(analyte, kind, case) if (analyte, kind) in case.mappings.plausible else None
                middle = median(canonical(unit, float(factor or 1)))
                fits = typical is not None and typical.reference[0] <= middle <= typical.reference[1]
                if fits and (analyte, kind) not in seen:
                    seen.add((analyte, kind))
                    yield Likeness(tally, str(analyte), kind, unit, named_otherwise)
