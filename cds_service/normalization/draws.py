"""Results to blood draws: which neutrophils, lymphocytes and platelets were taken together.

Equal specimen references make one draw, unless their results lie too far apart to be of one specimen. Otherwise the
three lie within the site's span of minutes; a time known to the day only goes with any time of that day. The order in
which results arrive never matters.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cds_service.clinical.models import Analyte, BloodCounts, BloodDraw, ExcludedResult
from cds_service.clinical.reasons import Reason
from cds_service.clinical.rule import index_of
from cds_service.normalization.clumps import without_clumped
from cds_service.normalization.differential_readings import SummedResult
from cds_service.normalization.observed import ObservedResult, specimen_key
from cds_service.normalization.one_draw import DrawBuilder, Members
from cds_service.normalization.time_windows import draws_by_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date, timedelta

    from cds_service.clinical.models import DatedResult
    from cds_service.clinical.rule import Index
    from cds_service.normalization.observations import Reading
    from fhir_mappings.models import DifferentialLimits

_Order = tuple["date", float]

# Blood of one specimen was taken at one time; servers may give each result the time of its analysis instead.
_LONGEST_SPECIMEN_SECONDS = 24 * 60 * 60


def pair_draws(
    reading: Reading,
    same_draw: timedelta,
    limits: DifferentialLimits,
    index: Index,
    *,
    truncated: bool,
) -> BloodCounts:
    """Form every complete draw, newest first, and keep what is left over with the reasons.

    Draws of one moment conflict unless they have one `index`, which is all that the rule makes of them.

    Results excluded only beside their partner (fraction-mislabelled, a differential above 101 %) join `excluded`.
    """
    builder = DrawBuilder(limits)
    counted = [r for r in reading.results if r.measure.kind[0] is not Analyte.ALBUMIN]
    clumped: list[ExcludedResult] = []
    if reading.clumps:
        counted, clumped = without_clumped(counted, reading.clumps, same_draw)

    def is_one_draw(results: Sequence[ObservedResult]) -> bool:
        """Several complete draws, hours apart, are no specimen's: a correction of one must not enter another."""
        return len(draws_by_time(results, same_draw, DrawBuilder(limits))) <= 1

    draws, rest = _draws_by_specimen(counted, builder, is_one_draw)
    draws_of_rest = draws_by_time(rest, same_draw, builder) if _may_hold_a_draw({r.analyte for r in rest}) else []
    draws += draws_of_rest
    left_over = _LeftOver(draws_of_rest if not builder.refused else draws, builder)
    return BloodCounts(
        draws=_newest_first(draws, index),
        unpaired=left_over.unpaired(rest),
        pairing_reasons=tuple(sorted(builder.reasons)),
        excluded=(*reading.excluded, *clumped, *left_over.excluded()),
        truncated=truncated,
        unreadable_clumps=tuple(found.effective for found in reading.clumps if not found.is_readable),
    )


class _LeftOver:
    """What stands in no draw: results refused beside their partner, and results without a partner."""

    def __init__(self, draws: Sequence[BloodDraw], builder: DrawBuilder) -> None:
        parts = (part for draw in draws for part in draw.parts)
        self._used = {one.identity for part in parts for one in _members(part)}
        self._refused = {
            edition: (result, reason)
            for edition, (result, reason) in builder.refused.items()
            if result.identity not in self._used
        }

    def excluded(self) -> Iterator[ExcludedResult]:
        """Exclude what was refused and is used nowhere else."""
        for result, reason in self._refused.values():
            origin = result.origin
            yield ExcludedResult(result.analyte, reason, origin.reference, origin.version, result.effective)

    def unpaired(self, rest: Sequence[ObservedResult]) -> tuple[ObservedResult, ...]:
        """Leave out what draws or exclusions hold."""
        if not self._used and not self._refused:
            return tuple(rest)
        return tuple(r for r in rest if r.identity not in self._used and r.edition not in self._refused)


def _members(part: DatedResult) -> tuple[ObservedResult, ...]:
    """Return the results behind a part of a draw: itself, or those that it was added up from."""
    if isinstance(part, SummedResult):
        return part.parts
    return (part,) if isinstance(part, ObservedResult) else ()


def _may_hold_a_draw(analytes: set[Analyte]) -> bool:
    neutrophils = Analyte.NEUTROPHILS in analytes or {Analyte.SEGMENTED, Analyte.BANDS} <= analytes
    return neutrophils and {Analyte.LYMPHOCYTES, Analyte.PLATELETS} <= analytes


def _draws_by_specimen(
    results: Iterable[ObservedResult], builder: DrawBuilder, is_one_draw: Callable[[Sequence[ObservedResult]], bool]
) -> tuple[list[BloodDraw], list[ObservedResult]]:
    by_text: defaultdict[str, list[ObservedResult]] = defaultdict(list)
    for result in results:
        specimen = result.observation.specimen
        by_text[(specimen.reference or "") if specimen is not None else ""].append(result)
    groups: defaultdict[str, list[ObservedResult]] = defaultdict(list)
    for text, group in by_text.items():
        groups[specimen_key(text)] += group
    rest = groups.pop("", [])
    draws: list[BloodDraw] = []
    for group in groups.values():
        draw = builder.build(Members.of(group)) if _may_be_one_specimen(group, is_one_draw) else None
        if draw is None:
            rest += group
        else:
            draws.append(draw)
    return draws, rest


def _may_be_one_specimen(
    results: Sequence[ObservedResult], is_one_draw: Callable[[Sequence[ObservedResult]], bool]
) -> bool:
    """Tell whether results of one reference lie at most 24 hours apart; known by the day only, on neighboring days.

    They must not be several draws either, each of them complete.

    Otherwise it is a placeholder ("Specimen/blood"), or a reference that was copied, and says nothing.
    """
    first = results[0].effective
    for result in results:
        if result.effective is not first:
            break
    else:
        # Times are read once, so that those of one specimen mostly are one.
        return True
    times = [result.effective for result in results]
    moments = [time.order[1] for time in times if time.instant is not None]
    if moments and max(moments) - min(moments) > _LONGEST_SPECIMEN_SECONDS:
        return False
    days = [time.day.toordinal() for time in times]
    without_time = [time.day.toordinal() for time in times if time.instant is None]
    if without_time and max(max(without_time) - min(days), max(days) - min(without_time)) > 1:
        return False
    return is_one_draw(results)


def _newest_first(draws: list[BloodDraw], index: Index) -> tuple[BloodDraw, ...]:
    """Sort draws; where one moment holds draws that say different things, nobody can tell which one counts."""
    by_moment: defaultdict[_Order, list[BloodDraw]] = defaultdict(list)
    for draw in draws:
        by_moment[draw.effective.order].append(draw)
    return tuple(_settle(by_moment[moment], index) for moment in sorted(by_moment, reverse=True))


def _settle(draws: list[BloodDraw], index: Index) -> BloodDraw:
    """Return the draw that stands for all of one moment; which one it is does not depend on their order."""
    if len(draws) == 1:
        return draws[0]
    first = min(draws, key=lambda draw: [(r.quantity.value, r.reported, r.origin) for r in draw.results])
    if all(draw.problems == first.problems and (first.problems or _say_the_same(draw, first, index)) for draw in draws):
        others = tuple(reading for draw in draws for reading in draw.others)
        return BloodDraw(*_formula(first), first.problems, others, first.beside) if others else first
    return BloodDraw(first.neutrophils, first.lymphocytes, first.platelets, (Reason.CONFLICTING_RESULTS,))


def _formula(draw: BloodDraw) -> tuple[DatedResult, DatedResult, DatedResult]:
    platelets, neutrophils, lymphocytes = draw.parts
    return neutrophils, lymphocytes, platelets


def _say_the_same(one: BloodDraw, other: BloodDraw, index: Index) -> bool:
    """Tell whether two draws have the same index, exactly; lymphocytes are not zero."""
    return index_of(index, *one.results) == index_of(index, *other.results)
