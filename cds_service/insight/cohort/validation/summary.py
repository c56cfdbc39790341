"""A validation in a dozen lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.insight.cohort.validation.phrasing import count, design_name, share_with_interval, with_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.cohort.validation.validate import DesignFigures, Validation

NO_ROWS: Final = "The folders hold no assessed row: there is nothing to validate."


def summary_lines(validation: Validation) -> Iterator[str]:
    """Yield the lines."""
    if validation.leading is None:
        yield NO_ROWS
    for design in validation.designs:
        yield from _design(design, validation.wanted.least)
    for remark in validation.remarks:
        yield f"Note: {remark}"
    if validation.disagreements_looked_for:
        found = count(validation.disagreements, validation.wanted.least)
        yield f"Recorded decisions that a recomputation from the export disagrees with: {found}"


def _design(design: DesignFigures, least: int) -> Iterator[str]:
    found, ends = design.classification, design.ends
    yield design_name(design.name)
    yield (
        f"  decisions that entered: {count(ends.n, least)}; recurrences: {count(ends.events, least)}; "
        f"deaths before: {count(ends.deaths, least)}"
    )
    if ends.n != 0:
        yield f"  AUC {with_interval(found.auc.interval)}"
        sensitivity, specificity = share_with_interval(found.sensitivity), share_with_interval(found.specificity)
        yield f"  at {' and '.join(design.cutoffs)}: sensitivity {sensitivity}, specificity {specificity}"
    yield f"  {design.recommendation.text}"
    yield from (f"    - {reason}" for reason in design.recommendation.reasons)
