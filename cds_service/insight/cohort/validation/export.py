"""A validation as the figures that others rely on: the form of `validation.json`."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from cds_service.insight.cohort.validation.following import ABOVE, NOT_ABOVE
from cds_service.insight.cohort.validation.phrasing import NO_ROWS
from cds_service.insight.cohort.validation.tripod import tripod_items

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.insight.cohort.statistics.discrimination import AUC
    from cds_service.insight.cohort.statistics.values import Interval
    from cds_service.insight.cohort.validation.classifying import Classification
    from cds_service.insight.cohort.validation.composition import Compared, Shares, ShownFlow
    from cds_service.insight.cohort.validation.following import Following
    from cds_service.insight.cohort.validation.recommending import Recommendation
    from cds_service.insight.cohort.validation.subgroups import Part
    from cds_service.insight.cohort.validation.validate import DesignFigures, Validation

Json = dict[str, Any]


def as_data(validation: Validation) -> Json:
    """Return the figures as `validation.json` holds them; null where there is none, or it is suppressed."""
    wanted, leading = validation.wanted, validation.leading
    data: Json = _without_nan(
        {
            "designs": {design.name: _design(design, wanted.horizons) for design in validation.designs},
            "recommendation": _recommendation(validation, leading),
            "settings": {
                "sites": validation.sites,
                "follow_up": validation.follow_up,
                "horizons": list(wanted.horizons),
                "min_cell": wanted.least,
                "bootstrap": wanted.resamples,
                "seed": wanted.seed,
                "subgroups": list(wanted.subgroups),
            },
            "years": validation.years,
            "rule_versions": list(validation.rule_versions),
            "disagreements": None if validation.disagreements is None else dict(validation.disagreements),
            "remarks": list(validation.remarks),
            "tripod_ai": [item._asdict() for item in tripod_items()],
        }
    )
    return data


def _design(figures: DesignFigures, horizons: tuple[int, ...]) -> Json:
    ends = figures.ends
    return {
        "n": ends.n,
        "patients": ends.patients,
        "events": ends.events,
        "deaths": ends.deaths,
        "censored": ends.censored,
        "cutoffs": list(figures.cutoffs),
        **_classification(figures.classification),
        **_following(figures.following, horizons),
        "measures": {name: _compared(compared) for name, compared in figures.measures.items()},
        "shares": {name: _shares(shares) for name, shares in figures.shares.items()},
        "thresholds": [row._asdict() for row in figures.thresholds],
        "distribution": figures.distribution._asdict(),
        "quantiles": {name: spread._asdict() for name, spread in figures.spreads.items()},
        "subgroups": {name: _parts(parts) for name, parts in figures.subgroups.items()},
        "sites": _parts(figures.sites),
        "flow": _flow(figures.flow),
        "recommendation": _answer(figures.recommendation),
    }


def _classification(found: Classification) -> Json:
    table = found.table
    cells = dict.fromkeys(("tp", "fp", "fn", "tn")) if table is None else table._asdict()
    return {
        "binary": {"n": found.n, "events": found.events, **cells, "left_out": found.left_out},
        "auc": _auc(found.auc),
        "auc_without_deaths": _auc(found.auc_without_deaths),
        "sensitivity": found.sensitivity._asdict(),
        "specificity": found.specificity._asdict(),
        "ppv": found.ppv._asdict(),
        "npv": found.npv._asdict(),
        "youden": {"cutoff": found.youden.cutoff, "index": found.youden.j},
        "relative_risk": found.relative_risk._asdict(),
        "t_test": found.t_test._asdict(),
        "welch": found.welch._asdict(),
        "net_benefit": {f"{chance:g}": value for chance, value in found.net_benefit.items()},
        "net_benefit_of_all": {f"{chance:g}": value for chance, value in found.net_benefit_of_all.items()},
    }


def _auc(area: AUC) -> Json:
    return {**_interval(area.interval), "se": area.se}


def _interval(interval: Interval) -> Json:
    return interval._asdict()


def _following(found: Following, horizons: tuple[int, ...]) -> Json:
    curves: Json = {"kaplan_meier": {}, "cumulative_incidence": {}, "at_risk": {}}
    for name in (ABOVE, NOT_ABOVE):
        group = found.curves.get(name)
        for kind in ("kaplan_meier", "cumulative_incidence"):
            curve = getattr(group, kind, None)
            empty = {"estimate": None, "se": None}
            curves[kind][name] = {str(day): empty if curve is None else curve.at(day)._asdict() for day in horizons}
        curves["at_risk"][name] = {} if group is None else {str(day): count for day, count in group.at_risk.items()}
    cox = {"flag": found.cox_flag._asdict(), "log2_sii": found.cox_log2_sii._asdict()}
    return {**curves, "log_rank": found.log_rank._asdict(), "cox": cox}


def _compared(compared: Compared) -> Json:
    groups = {}
    for name, group, known in zip(
        ("event", "no_event"), (compared.event, compared.no_event), compared.known, strict=True
    ):
        groups[name] = {
            "n": known,
            "mean": None if group is None else group.mean,
            "sd": None if group is None else group.sd,
        }
    return {**groups, "t_test": compared.t_test._asdict(), "welch": compared.welch._asdict()}


def _shares(shares: Shares) -> Json:
    counts = {name: pair or (None, None) for name, pair in shares.categories.items()}
    return {
        "categories": {name: {"event": pair[0], "no_event": pair[1]} for name, pair in counts.items()},
        "chi_squared": shares.chi_squared._asdict(),
    }


def _parts(parts: Mapping[str, Part | None]) -> Json:
    return {name: None if part is None else _part(part) for name, part in parts.items()}


def _part(part: Part) -> Json:
    return {
        "binary": {"n": part.table.n, "events": part.table.events, **part.table._asdict()},
        "sensitivity": part.sensitivity._asdict(),
        "specificity": part.specificity._asdict(),
        "auc": _auc(part.auc),
    }


def _flow(flow: ShownFlow) -> Json:
    return {
        "without_index_procedure": flow.without_index_procedure,
        "index_procedures": flow.index_procedures,
        "rows": flow.rows,
        "left_out": dict(flow.put_out),
        "entered": dict(flow.decided),
    }


def _answer(found: Recommendation) -> Json:
    loss = found.loss
    return {
        "answer": found.answer,
        "text": found.text,
        "reasons": list(found.reasons),
        "youden_loss": None if loss is None else {**_interval(loss.loss), "resamples": loss.resamples},
        "optimism": None if loss is None else loss.optimism,
    }


def _recommendation(validation: Validation, leading: DesignFigures | None) -> Json:
    if leading is None:
        return {"design": None, "answer": "too-few-events", "text": NO_ROWS, "reasons": [], "designs": {}}
    answers = {design.name: design.recommendation.answer for design in validation.designs}
    return {"design": leading.name, **_answer(leading.recommendation), "designs": answers}


def _without_nan(value: Any) -> Any:
    """JSON has neither nan nor infinity: both become null."""
    match value:
        case dict():
            return {key: _without_nan(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_nan(inner) for inner in value]
        case float():
            return value if isfinite(value) else None
        case _:
            return value
