"""The tables of a validation: what each plot rests on, the study's own table, subgroups, sites, the checklist."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from cds_service.clinical.evidence import STUDY_ALBUMIN_CONTROL, STUDY_ALBUMIN_RECURRENCE, STUDY_AUC
from cds_service.clinical.evidence import STUDY_SII_CONTROL as PUBLISHED_CONTROL
from cds_service.clinical.evidence import STUDY_SII_RECURRENCE as PUBLISHED_RECURRENCE
from cds_service.insight.cohort.validation.following import ABOVE, NOT_ABOVE
from cds_service.insight.cohort.validation.phrasing import (
    NONE,
    cell,
    number,
    p_value,
    share,
    share_with_interval,
    with_interval,
)
from cds_service.insight.cohort.validation.tripod import SOURCE, tripod_items
from cds_service.reports.content import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cds_service.insight.cohort.statistics.comparison import Summary
    from cds_service.insight.cohort.statistics.cox import CoxEffect
    from cds_service.insight.cohort.validation.following import GroupCurves
    from cds_service.insight.cohort.validation.subgroups import Part
    from cds_service.insight.cohort.validation.validate import DesignFigures, Validation

_MEASURES: Final = {
    "sii": "SII (10⁹/L)",
    "neutrophils": "Neutrophils (10⁹/L)",
    "lymphocytes": "Lymphocytes (10⁹/L)",
    "platelets": "Platelets (10⁹/L)",
    "albumin": "Albumin (g/L)",
    "age": "Age (years)",
}
_PUBLISHED: Final = {
    "sii": f"{PUBLISHED_RECURRENCE} and {PUBLISHED_CONTROL}",
    "albumin": f"{STUDY_ALBUMIN_RECURRENCE} and {STUDY_ALBUMIN_CONTROL}",
}
_SUPPRESSED: Final = "–: not determined, or hidden with a small cell."


def numeric(*titles: str) -> tuple[Column, ...]:
    """Return columns of numbers."""
    return tuple(Column(title, numeric=True) for title in titles)


def flag_table(design: DesignFigures) -> Table:
    """Return the four counts of the flag, and what follows from them."""
    found = design.classification
    cells = (None,) * 4 if found.table is None else tuple(found.table)
    tp, fp, fn, tn = cells
    rows = (
        ("Flagged, with recurrence", cell(tp)),
        ("Flagged, without", cell(fp)),
        ("Not flagged, with recurrence", cell(fn)),
        ("Not flagged, without", cell(tn)),
        ("Sensitivity", share_with_interval(found.sensitivity)),
        ("Specificity", share_with_interval(found.specificity)),
        ("Positive predictive value", share_with_interval(found.ppv)),
        ("Negative predictive value", share_with_interval(found.npv)),
        ("Relative risk", with_interval(found.relative_risk, 2)),
        (f"AUC (study: {STUDY_AUC})", with_interval(found.auc.interval)),
        ("AUC, dead without recurrence left out", with_interval(found.auc_without_deaths.interval)),
        ("Youden’s index, best", number(found.youden.j, 3)),
        ("at the observed SII", number(found.youden.cutoff)),
    )
    caption = f"At the cut-off in use, {' and '.join(design.cutoffs)} (95 % intervals). {_SUPPRESSED}"
    return Table(caption=caption, columns=(Column("Figure"), *numeric("Value")), rows=rows)


def death_table(design: DesignFigures, horizons: tuple[int, ...]) -> Table:
    """Return the share with recurrence at each horizon, death treated both ways."""
    named = ((title, design.following.curves.get(name)) for name, title in ((ABOVE, "above"), (NOT_ABOVE, "not above")))
    rows = [row for title, group in named if group is not None for row in _by_horizon(title, group, horizons)]
    return Table(
        caption="Recurrence by the end of the day, death censored and death competing. "
        "Censoring death counts too many recurrences; the difference is what it adds.",
        columns=(Column("SII group"), *numeric("Death censored", "Death competing", "Standard error")),
        rows=tuple(rows),
        empty="No group is large enough to be shown.",
    )


def _by_horizon(title: str, group: GroupCurves, horizons: tuple[int, ...]) -> Iterator[tuple[str, ...]]:
    for day in horizons:
        free, incidence = group.kaplan_meier.at(day), group.cumulative_incidence.at(day)
        yield f"{title}, day {day:,}", share(1 - free.estimate), share(incidence.estimate), share(incidence.se)


def hazard_table(design: DesignFigures) -> Table:
    """Return the tests of time to recurrence."""
    found = design.following
    rows = (
        ("Log-rank, above against not above", f"χ² {number(found.log_rank.statistic)}", p_value(found.log_rank.p)),
        ("Hazard ratio of the flag", _hazard(found.cox_flag), ""),
        ("Hazard ratio of a doubling of SII", _hazard(found.cox_log2_sii), ""),
    )
    return Table(
        caption="Time to recurrence, cause-specific: death is censored (Cox, ties after Efron; 95 % intervals)",
        columns=(Column("Test"), *numeric("Value", "P")),
        rows=rows,
    )


def _hazard(effect: CoxEffect) -> str:
    return with_interval(effect.interval, 2)


def threshold_table(design: DesignFigures) -> Table:
    """Return what each cut-off would have meant."""
    rows = tuple(
        (
            f"{row.cutoff:g}{' (in use)' if f'{row.cutoff:g}' in design.cutoffs else ''}",
            cell(row.flagged),
            number(row.per_week, 1),
            cell(row.found),
            cell(row.missed),
            number(row.flagged_for_one, 1),
        )
        for row in design.thresholds
    )
    columns = numeric("Flagged", "Per week", "Recurrences found", "Missed", "Flagged for one found")
    return Table(
        caption="Cut-offs in the patients who are followed; only those between which no small cell lies",
        columns=(Column("SII above"), *columns),
        rows=rows,
        empty="No cut-off can be told of.",
    )


def distribution_table(design: DesignFigures) -> Table:
    """Return patients with and without recurrence by span of SII."""
    bounds, events, others = design.distribution
    names = []
    if bounds:
        names = [
            f"up to {bounds[0]:g}",
            *(f"{low:g} to {high:g}" for low, high in pairwise(bounds)),
        ]
        names.append(f"above {bounds[-1]:g}")
    rows = tuple(zip(names, map(cell, events), map(cell, others), strict=True))
    return Table(
        caption="Patients by SII (above the first value, up to the second)",
        columns=(Column("SII (10⁹/L)"), *numeric("With recurrence", "Without")),
        rows=rows,
        empty="No span of SII can be told of.",
    )


def study_table(design: DesignFigures) -> tuple[Table, Table]:
    """Return the study's own table on these patients: means, and counts."""
    means = tuple(
        (
            title,
            _mean(compared.event, compared.known[0]),
            _mean(compared.no_event, compared.known[1]),
            p_value(compared.t_test.p),
            p_value(compared.welch.p),
            _PUBLISHED.get(name, ""),
        )
        for name, title in _MEASURES.items()
        if (compared := design.measures.get(name)) is not None
    )
    counts = [
        (
            f"{name}: {category}",
            cell(pair[0]) if pair else NONE,
            cell(pair[1]) if pair else NONE,
            p_value(shares.chi_squared.p),
        )
        for name, shares in design.shares.items()
        for category, pair in shares.categories.items()
    ]
    groups = numeric("With recurrence", "Without")
    return (
        Table(
            caption=f"Mean ± SD (number known). {_SUPPRESSED}",
            columns=(Column("Measure"), *groups, *numeric("P (t)", "P (Welch)"), Column("Study: with and without")),
            rows=means,
        ),
        Table(
            caption=f"Numbers, χ² without Yates’s correction. {_SUPPRESSED}",
            columns=(Column("Category"), *groups, *numeric("P")),
            rows=tuple(counts),
        ),
    )


def _mean(group: Summary | None, known: int | None) -> str:
    if group is None or not group.n:
        return NONE
    return f"{number(group.mean)} ± {number(group.sd)} ({cell(known)})"


def part_table(caption: str, first: str, parts: Iterable[tuple[str, Mapping[str, Part | None]]]) -> Table:
    """Return the figures of parts of the patients."""
    rows = tuple((f"{variable}{name}", *_part(part)) for variable, members in parts for name, part in members.items())
    columns = numeric("Patients", "Recurrences", "Sensitivity", "Specificity", "AUC")
    return Table(caption=f"{caption} {_SUPPRESSED}", columns=(Column(first), *columns), rows=rows)


def _part(part: Part | None) -> tuple[str, ...]:
    if part is None:
        return (NONE,) * 5
    shares = (share_with_interval(part.sensitivity), share_with_interval(part.specificity))
    return (cell(part.table.n), cell(part.table.events), *shares, with_interval(part.auc.interval, 2))


def design_table(validation: Validation) -> Table:
    """Return the designs beside each other."""
    rows = tuple(
        (
            design.name,
            cell(design.ends.n),
            cell(design.ends.events),
            cell(design.ends.deaths),
            with_interval(design.classification.auc.interval),
            share_with_interval(design.classification.sensitivity),
            share_with_interval(design.classification.specificity),
            _hazard(design.following.cox_flag),
            design.recommendation.answer,
        )
        for design in validation.designs
    )
    columns = numeric("Entered", "Recurrences", "Deaths before", "AUC", "Sensitivity", "Specificity", "Hazard ratio")
    return Table(
        caption=f"The same figures when the decision is taken at other times. {_SUPPRESSED}",
        columns=(Column("Design"), *columns, Column("Answer")),
        rows=rows,
    )


def disagreement_table(found: Mapping[str, int | None]) -> Table:
    """Return how many recorded decisions a recomputation disagrees with, by explanation."""
    return Table(
        caption=f"disagreements.csv names each of them. {_SUPPRESSED}",
        columns=(Column("Explanation"), *numeric("Decisions")),
        rows=tuple((explanation, cell(number_of)) for explanation, number_of in found.items()),
        empty="There is none.",
    )


def tripod_table() -> Table:
    """Return the checklist: where each item is answered, or that the site has to answer it."""
    return Table(
        caption=SOURCE,
        columns=(Column("Item"), Column("Section"), Column("Topic"), Column("Where")),
        rows=tuple(tripod_items()),
        stacks=True,
        brief=0,
    )
