"""The validation of a cohort: for each design all figures, small groups suppressed, and a recommendation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.insight.cohort.statistics.values import DEATH
from cds_service.insight.cohort.validation.classifying import Classification, classify
from cds_service.insight.cohort.validation.composition import (
    Compared,
    Shares,
    ShownFlow,
    compare_measures,
    compare_shares,
    show_flow,
)
from cds_service.insight.cohort.validation.cutoffs import Distribution, Spread, distribution, spreads, thresholds
from cds_service.insight.cohort.validation.following import Following, follow
from cds_service.insight.cohort.validation.recommending import Recommendation, recommend
from cds_service.insight.cohort.validation.subgroups import Part, by_site, by_variable
from cds_service.insight.cohort.validation.suppression import is_small, shown_count, shown_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.insight.cohort.statistics.thresholds import ThresholdRow
    from cds_service.insight.cohort.validation.cohort import Cohort, Design
    from cds_service.insight.cohort.validation.patients import Patients

SUBGROUPS: Final = ("sex", "age", "therapy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the caller asks for: days to show, the smallest count to tell, resamples, seed and subgroups."""

    horizons: tuple[int, ...] = (365, 730, 1_095, 1_826)
    least: int = 10
    resamples: int = 2_000
    seed: int = 1
    subgroups: tuple[str, ...] = SUBGROUPS


@dataclass(frozen=True, slots=True)
class Ends:
    """How follow-up ended, in rows and patients; None for what is too small."""

    n: int | None
    patients: int | None
    events: int | None
    deaths: int | None
    censored: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignFigures:
    """Everything that is told of one design."""

    name: str
    cutoffs: tuple[str, ...]
    ends: Ends
    several_rows_a_patient: bool
    classification: Classification
    following: Following
    measures: Mapping[str, Compared]
    shares: Mapping[str, Shares]
    flow: ShownFlow
    thresholds: tuple[ThresholdRow, ...]
    distribution: Distribution
    spreads: Mapping[str, Spread]
    subgroups: Mapping[str, Mapping[str, Part | None]]
    sites: Mapping[str, Part | None]
    recommendation: Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The figures of all designs, and what they rest on. `disagreements` counts recorded decisions
    that a recomputation disagrees with, by explanation: None where none were looked for."""

    designs: tuple[DesignFigures, ...]
    wanted: Wanted
    sites: int
    follow_up: int
    rule_versions: tuple[str, ...]
    years: tuple[int, int] | None
    disagreements: Mapping[str, int | None] | None
    remarks: tuple[str, ...]

    @property
    def leading(self) -> DesignFigures | None:
        """Return the design nearest to the study that has patients; the first of all where none has."""
        filled = [design for design in self.designs if design.ends.n != 0]
        return next(iter(filled or self.designs), None)


def validate(cohort: Cohort, wanted: Wanted) -> Validation:
    """Compute the figures of every design; nothing that is returned tells of fewer people than `wanted.least`."""
    found = cohort.disagreements
    return Validation(
        designs=tuple(_figures(design, wanted, cohort.sites) for design in cohort.designs),
        wanted=wanted,
        sites=cohort.sites,
        follow_up=cohort.follow_up,
        rule_versions=cohort.rule_versions,
        years=cohort.years,
        disagreements=None if found is None else shown_counts(dict(sorted(found.items())), wanted.least),
        remarks=cohort.remarks,
    )


def _figures(design: Design, wanted: Wanted, sites: int) -> DesignFigures:
    patients, least = design.patients, wanted.least
    return DesignFigures(
        name=design.name,
        cutoffs=tuple(f"{cutoff.normalize():f}" for cutoff in design.cutoffs),
        ends=_ends(patients, least),
        several_rows_a_patient=patients.several_rows_a_patient,
        classification=classify(patients, least),
        following=follow(patients, wanted.horizons, least),
        measures=compare_measures(patients, least),
        shares=compare_shares(patients, SUBGROUPS, least),
        flow=show_flow(design.flow, len(patients), least),
        thresholds=thresholds(patients, design.cutoffs, least),
        distribution=distribution(patients, design.cutoffs, least),
        spreads=spreads(patients, least),
        subgroups=by_variable(patients, wanted.subgroups, least),
        sites=by_site(patients, least) if sites > 1 else {},
        recommendation=recommend(patients, wanted.resamples, wanted.seed, least),
    )


def _ends(patients: Patients, least: int) -> Ends:
    n = len(patients)
    counts = {
        "events": int(np.count_nonzero(patients.recurred)),
        "deaths": int(np.count_nonzero(patients.events == DEATH)),
    }
    counts["censored"] = n - counts["events"] - counts["deaths"]
    shown: dict[str, int | None] = dict.fromkeys(counts)
    if is_small(counts["events"], least):
        shown = shown_counts(counts, least)
    elif not is_small(n - counts["events"], least):
        # Events stand in other tables too: they hide nothing here.
        without = {name: counts[name] for name in ("deaths", "censored")}
        shown = {"events": counts["events"], **shown_counts(without, least)}
    people = int(patients.patient.max()) + 1 if n else 0
    hidden = is_small(n, least) or is_small(people, least) or is_small(n - people, least)
    return Ends(shown_count(n, least), None if hidden else people, **shown)
