"""Results to blood draws: which neutrophils, lymphocytes and platelets were taken together.

Equal specimen references make one draw. Otherwise the three lie within the site's span of minutes; a time known to
the day only goes with any time of that day. The order in which results arrive never matters.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cds_service.clinical.models import Analyte, BloodCounts, BloodDraw, ExcludedResult
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii
from cds_service.normalization.one_draw import DrawBuilder, Members
from cds_service.normalization.time_windows import draws_by_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from cds_service.clinical.models import LabResult
    from cds_service.normalization.observations import Reading
    from fhir_mappings.models import DifferentialLimits

COUNTED = (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS)


def pair_draws(
    reading: Reading,
    same_draw: timedelta,
    limits: DifferentialLimits,
    *,
    truncated: bool,
) -> BloodCounts:
    """Form every complete draw, newest first, and keep what is left over with the reasons.

    Results excluded only beside their partner (fraction-mislabelled, a differential above 101 %) join `excluded`.
    """
    builder = DrawBuilder(limits)
    counted = [r for r in reading.results if r.analyte in COUNTED]
    draws, rest = _draws_by_specimen(counted, builder)
    if {r.analyte for r in rest} >= set(COUNTED):
        draws += draws_by_time(rest, same_draw, builder)
    used = {_identity(r) for draw in draws for r in draw.results}
    refused = {r: reason for r, reason in builder.refused.items() if _identity(r) not in used}
    unpaired = [r for r in rest if _identity(r) not in used and r not in refused]
    return BloodCounts(
        draws=_newest_first(draws),
        unpaired=tuple(unpaired),
        pairing_reasons=tuple(sorted(builder.reasons)),
        excluded=(*reading.excluded, *(_as_excluded(r, reason) for r, reason in refused.items())),
        truncated=truncated,
    )


def _draws_by_specimen(results: Iterable[LabResult], builder: DrawBuilder) -> tuple[list[BloodDraw], list[LabResult]]:
    groups: defaultdict[str, list[LabResult]] = defaultdict(list)
    for result in results:
        groups[result.origin.specimen].append(result)
    rest = groups.pop("", [])
    draws: list[BloodDraw] = []
    for group in groups.values():
        draw = builder.build(Members.of(group))
        if draw is None:
            rest += group
        else:
            draws.append(draw)
    return draws, rest


def _newest_first(draws: list[BloodDraw]) -> tuple[BloodDraw, ...]:
    """Sort draws; where the newest moment holds draws of different SII, nobody can tell which one counts."""
    ordered = sorted(draws, key=lambda d: (d.effective.order, d.neutrophils.origin.reference), reverse=True)
    distinct: list[BloodDraw] = []
    for draw in ordered:
        if not distinct or distinct[-1].effective.order != draw.effective.order:
            distinct.append(draw)
        elif not distinct[-1].problems and (draw.problems or compute_sii(draw) != compute_sii(distinct[-1])):
            distinct[-1] = _conflicting(distinct[-1])
    return tuple(distinct)


def _conflicting(draw: BloodDraw) -> BloodDraw:
    return BloodDraw(draw.neutrophils, draw.lymphocytes, draw.platelets, (Reason.CONFLICTING_RESULTS,))


def _identity(result: LabResult) -> tuple[object, ...]:
    """Identify a result also after its share was read as a fraction."""
    return result.origin, result.analyte, result.basis, result.reported, result.effective


def _as_excluded(result: LabResult, reason: Reason) -> ExcludedResult:
    return ExcludedResult(result.analyte, reason, result.origin.reference, result.effective)
