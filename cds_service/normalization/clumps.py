"""Platelet clumps: findings about them, and the platelet counts that they make too low.

A finding belongs to the blood that was drawn within the span of one draw, or on its day where a time is missing, or
that names the same specimen. A repeated count of that hour is excluded too: nobody can tell from which tube it came.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, EffectiveTime, ExcludedResult
from cds_service.clinical.reasons import Reason
from fhir_mappings.findings import ABSENT, PRESENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from cds_service.normalization.observed import ObservedResult
    from cds_service.normalization.shapes import DescribedConceptLike, MeasurementLike, ObservationLike
    from fhir_mappings.findings import ClumpTable


class ClumpFinding(NamedTuple):
    """That platelets of one blood are clumped, or (`is_readable` False) that nobody can tell whether they are."""

    effective: EffectiveTime
    specimen: str
    is_readable: bool


def is_clump_code(measurement: MeasurementLike, table: ClumpTable) -> bool:
    """Tell whether a measurement asks for platelet clumps."""
    codings = measurement.code.coding if measurement.code is not None else ()
    return any(table.is_asked_by(coding.system or "", coding.code or "") for coding in codings)


def clump_state(measurement: MeasurementLike, table: ClumpTable) -> str:
    """Return present, absent, or an empty text for a value that cannot be read."""
    finding = measurement.finding
    if isinstance(finding, bool):
        return PRESENT if finding else ABSENT
    if isinstance(finding, str):
        return table.of_text(finding)
    return next(filter(None, (_of_concept(concept, table) for concept in finding or ())), "")


def tells_clumps(observation: ObservationLike, table: ClumpTable) -> bool:
    """Tell whether the interpretation of a platelet count says that they are clumped."""
    for concept in observation.interpretations:
        texts = [concept.text, *(coding.display for coding in concept.coding)]
        if any(text and table.is_interpretation(text) for text in texts):
            return True
        if any(table.is_asked_by(coding.system or "", coding.code or "") for coding in concept.coding):
            return True
    return False


def without_clumped(
    results: Sequence[ObservedResult], findings: Iterable[ClumpFinding], same_draw: timedelta
) -> tuple[list[ObservedResult], list[ExcludedResult]]:
    """Take out the platelet counts of blood in which clumps were found."""
    clumped = _Clumped([finding for finding in findings if finding.is_readable], same_draw.total_seconds())
    kept: list[ObservedResult] = []
    excluded: list[ExcludedResult] = []
    for result in results:
        if result.analyte is Analyte.PLATELETS and clumped.covers(result):
            origin = result.origin
            reason = Reason.PLATELET_CLUMPING
            excluded.append(ExcludedResult(result.analyte, reason, origin.reference, origin.version, result.effective))
        else:
            kept.append(result)
    return kept, excluded


class _Clumped:
    """The blood in which clumps were found, by moment, day and specimen."""

    def __init__(self, findings: Sequence[ClumpFinding], span: float) -> None:
        self._span = span
        self._moments = sorted(f.effective.order[1] for f in findings if f.effective.instant is not None)
        self._days = {f.effective.day for f in findings}
        self._days_alone = {f.effective.day for f in findings if f.effective.instant is None}
        self._specimens = {(f.specimen, f.effective.day) for f in findings if f.specimen}

    def covers(self, result: ObservedResult) -> bool:
        taken = result.effective
        if taken.instant is None:
            return taken.day in self._days
        if taken.day in self._days_alone or (result.specimen, taken.day) in self._specimens:
            return True
        moment = taken.order[1]
        first = bisect_left(self._moments, moment - self._span)
        return first < bisect_right(self._moments, moment + self._span)


def _of_concept(concept: DescribedConceptLike, table: ClumpTable) -> str:
    for coding in concept.coding:
        found = table.of_code(coding.system or "", coding.code or "")
        if found or (coding.display and (found := table.of_text(coding.display))):
            return found
    return table.of_text(concept.text) if concept.text else ""
