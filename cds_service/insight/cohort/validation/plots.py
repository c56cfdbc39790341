"""The plots of a validation, each with a sentence that says what it shows and what it does not."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Final

from cds_service.clinical.evidence import STUDY_SII_CONTROL, STUDY_SII_RECURRENCE
from cds_service.insight.cohort.statistics.values import NORMAL_95
from cds_service.insight.cohort.validation.following import ABOVE, NOT_ABOVE
from cds_service.insight.cohort.validation.phrasing import number, rows_name
from cds_service.reports.plots import (
    Bar,
    CountsBelow,
    Curve,
    CurvePoint,
    Curves,
    HorizontalBars,
    Limit,
    Range,
    ValueRanges,
)

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics import survival
    from cds_service.insight.cohort.validation.validate import DesignFigures
    from cds_service.reports.plots import Plot

GROUPS: Final = {ABOVE: "SII above the cut-off", NOT_ABOVE: "SII not above it"}
# Curves are read once in so many days: no single patient's day shows.
_STEP: Final = 61
# A table of thresholds needs two points to be a curve.
_LEAST_POINTS: Final = 2
_UNDRAWN: Final = "Nothing is drawn here: the patients are too few, or of one kind only."


def flow_plot(design: DesignFigures, prefix: str, least: int) -> Plot:
    """Show how rows of the export became patients of the figures."""
    flow, found = design.flow, design.classification
    rows = rows_name(design.name)
    counts = [("patients without an index procedure", flow.without_index_procedure)] if flow.says_without else []
    counts += [(rows, flow.rows), *flow.put_out.items(), ("entered, with SII and follow-up", design.ends.n)]
    counts += [("lost more than 90 days before the end", found.left_out), ("in the table of the flag", found.n)]
    return HorizontalBars(
        id=f"{prefix}flow",
        title="Flow of patients",
        description=(
            "How many came in, why others did not enter, and how many the flag could be compared with the outcome for. "
            "It does not show patients whom the export lacks altogether."
        ),
        item_label="Step or reason",
        value_label="Number",
        bars=tuple(
            Bar(name, float(count or 0), text="" if count is not None else f"below {least}, or hidden with it")
            for name, count in counts
        ),
    )


def explained(plot: Plot) -> Plot:
    """Say below a plot that has nothing to draw why it has not."""
    match plot:
        case Curves(curves=curves) if not any(curve.xs for curve in curves):
            return replace(plot, description=f"{plot.description} {_UNDRAWN}")
        case ValueRanges(ranges=()):
            return replace(plot, description=f"{plot.description} {_UNDRAWN}")
        case _:
            return plot


def roc_plot(design: DesignFigures, prefix: str, least: int) -> Plot:
    """Show sensitivity and specificity at every cut-off that can be told."""
    found = design.classification
    curves: tuple[Curve, ...] = ()
    if found.roc is not None:
        xs, ys = (1 - found.roc.specificity).tolist(), found.roc.sensitivity.tolist()
        curves = (Curve(name=f"SII, AUC {number(found.auc.estimate)}", xs=tuple(xs), ys=tuple(ys)),)
    marked: tuple[CurvePoint, ...] = ()
    if found.table is not None and not isnan(found.sensitivity.estimate) and not isnan(found.specificity.estimate):
        cutoff = " and ".join(design.cutoffs)
        point = CurvePoint(1 - found.specificity.estimate, found.sensitivity.estimate, f"cut-off in use, {cutoff}")
        marked = (point,)
    return Curves(
        id=f"{prefix}roc",
        title="ROC curve",
        description=(
            "How many recurrences a cut-off finds (up) for how many patients without recurrence it flags (right); the "
            f"curve joins cut-offs between which at least {least} patients lie. It does not show what the flag changes "
            "for anybody."
        ),
        x_label="1 − specificity",
        y_label="sensitivity",
        curves=curves,
        points=marked,
        x_form="share",
        y_form="share",
        diagonal=True,
    )


def survival_plots(design: DesignFigures, prefix: str, horizons: tuple[int, ...], least: int) -> tuple[Plot, ...]:
    """Show time to recurrence by group: death censored, and death competing."""
    ended = f"A curve ends where fewer than {least} are at risk; bands are 95 % intervals, day by day."
    kaplan_meier = _survival(
        design,
        f"{prefix}kaplan-meier",
        "Free of recurrence, death censored (Kaplan–Meier)",
        f"{ended} It does not show how many stay free of recurrence: the dead are treated as if they could recur.",
        "kaplan_meier",
        horizons,
        least,
    )
    incidence = _survival(
        design,
        f"{prefix}incidence",
        "With recurrence, death competing (Aalen–Johansen)",
        f"{ended} It shows how many had a recurrence by then; it does not show who died without one.",
        "cumulative_incidence",
        horizons,
        least,
    )
    return kaplan_meier, incidence


def _survival(
    design: DesignFigures, name: str, title: str, text: str, kind: str, horizons: tuple[int, ...], least: int
) -> Plot:
    shown = design.following.curves
    days = (0, *(day for day in horizons if any(day in group.at_risk for group in shown.values())))
    rows = tuple(
        (GROUPS[group], tuple(_at_risk(shown[group].at_risk.get(day), least) for day in days)) for group in shown
    )
    return Curves(
        id=name,
        title=title,
        description=text,
        x_label="days from the decision",
        y_label="share of patients",
        curves=tuple(_curve(GROUPS[group], getattr(shown[group], kind)) for group in shown),
        x_form="count",
        y_form="share",
        steps=True,
        counts=CountsBelow("Numbers at risk", tuple(map(float, days)), rows) if rows else None,
    )


def _at_risk(count: int | None, least: int) -> str:
    return f"<{least}" if count is None else str(count)


def _curve(name: str, curve: survival.Curve) -> Curve:
    if curve.end < 0:
        return Curve(name=name, xs=(), ys=())
    days = [*range(0, int(curve.end), _STEP), int(curve.end)]
    values = [curve.at(day) for day in days]
    bands = [NORMAL_95 * value.se for value in values]
    return Curve(
        name=name,
        xs=tuple(map(float, days)),
        ys=tuple(value.estimate for value in values),
        lower=tuple(max(value.estimate - band, 0.0) for value, band in zip(values, bands, strict=True)),
        upper=tuple(min(value.estimate + band, 1.0) for value, band in zip(values, bands, strict=True)),
    )


def distribution_plot(design: DesignFigures, prefix: str) -> Plot:
    """Show the quantiles of SII with recurrence and without, beside the means of the study."""
    names = {"event": "with recurrence", "no_event": "without recurrence"}
    spreads = ((names[name], spread) for name, spread in design.spreads.items())
    ranges = [
        Range(
            name,
            spread.p25,
            spread.median,
            spread.p75,
            None if isnan(spread.p5) else spread.p5,
            None if isnan(spread.p95) else spread.p95,
        )
        for name, spread in spreads
        if not isnan(spread.p25)
    ]
    low, high = float(STUDY_SII_CONTROL), float(STUDY_SII_RECURRENCE)
    return ValueRanges(
        id=f"{prefix}distribution",
        title="SII with and without recurrence",
        description=(
            "Where the middle half (thick) and nine in ten (thin) of each group lie, beside the span between the two "
            "means of the study; an end that few lie beyond is not drawn. It does not show single patients, nor why "
            "SII was high."
        ),
        item_label="Group",
        value_label="SII (10⁹/L)",
        ranges=tuple(ranges),
        band=(low, high),
        band_label="means of the study",
    )


def decision_plot(design: DesignFigures, prefix: str) -> Plot:
    """Show net benefit by the probability from which somebody would act."""
    found = design.classification
    kinds = (
        ("act on the flag", found.net_benefit),
        ("act on everybody", found.net_benefit_of_all),
        ("act on nobody", dict.fromkeys(found.net_benefit, 0.0)),
    )
    # Acting on everybody costs without bound where hardly anything justifies acting: the axis ends somewhere.
    floor = -0.1
    shown = ((name, {chance: worth for chance, worth in kind.items() if worth >= floor}) for name, kind in kinds)
    curves = tuple(Curve(name=name, xs=tuple(kind), ys=tuple(kind.values())) for name, kind in shown)
    told = found.table is not None and bool(found.table.n)
    return Curves(
        id=f"{prefix}decision",
        title="Decision curve",
        description=(
            "What acting on the flag is worth: recurrences found, less the needless actions that somebody accepts for "
            "one of them. It does not show that acting helps: no trial has asked that."
        ),
        x_label="probability of recurrence from which one would act",
        y_label="net benefit per patient",
        curves=curves if told else (),
        x_form="share",
    )


def threshold_plot(design: DesignFigures, prefix: str) -> Plot:
    """Show what other cut-offs would find and flag."""
    rows, found = design.thresholds, design.classification
    curves: tuple[Curve, ...] = ()
    if len(rows) >= _LEAST_POINTS and found.n and found.events:
        xs = tuple(row.cutoff for row in rows)
        curves = (
            Curve(name="recurrences found, of all", xs=xs, ys=tuple(row.found / found.events for row in rows)),
            Curve(name="patients flagged, of all", xs=xs, ys=tuple(row.flagged / found.n for row in rows)),
        )
    return Curves(
        id=f"{prefix}thresholds",
        title="Other cut-offs",
        description=(
            "What would be found and who would be flagged at other cut-offs. It does not show that another cut-off is "
            "better: chosen on these patients it would look too good."
        ),
        x_label="cut-off (SII, 10⁹/L)",
        y_label="share",
        curves=curves,
        x_form="count",
        y_form="share",
        limits=tuple(Limit(float(cutoff), "in use") for cutoff in design.cutoffs) if curves else (),
    )
