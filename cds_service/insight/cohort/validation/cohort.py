"""Folders put together: the patients of each design over all sites, and the flow that led to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.errors import CohortFolderError
from cds_service.insight.cohort.validation.entered import LABELS, MEASURES
from cds_service.insight.cohort.validation.folders import DesignRows, read_folders
from cds_service.insight.cohort.validation.patients import Patients

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from decimal import Decimal
    from pathlib import Path

    from cds_service.insight.cohort.statistics.values import Events
    from cds_service.insight.cohort.validation.folders import Folder

RECORDED: Final = "recorded"


@dataclass(frozen=True, slots=True)
class Flow:
    """How index procedures came to rows: counts of all rows by outcome and reason, and of those that entered.

    `without_index_procedure` counts patients who have no row; None where a folder does not say.
    """

    without_index_procedure: int | None
    index_procedures: int
    outcomes: Counter[tuple[str, str]]
    entered: Counter[str]


@dataclass(frozen=True, slots=True)
class Design:
    """One way to choose the decision. `cutoffs` are those in use, most frequent first."""

    name: str
    patients: Patients
    flow: Flow
    cutoffs: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everything that was read: designs in the order of the reference, the number of sites, remarks on the input."""

    designs: tuple[Design, ...]
    sites: int
    follow_up: int
    rule_versions: tuple[str, ...]
    years: tuple[int, int] | None
    disagreements: Counter[str] | None
    remarks: tuple[str, ...]


def read_cohort(paths: Sequence[Path], follow_up: int | None) -> Cohort:
    """Read folders and put them together; follow-up is the shortest of theirs, or a shorter one.

    Raises CohortFolderError where a folder cannot be used, or `follow_up` is longer than one of them.
    """
    folders = read_folders(paths)
    shortest = min(folder.follow_up for folder in folders)
    if follow_up is not None and follow_up > shortest:
        raise CohortFolderError(
            f"--follow-up {follow_up} is longer than the {shortest} days that cohort assess followed; "
            "it can be shortened only"
        )
    days = shortest if follow_up is None else follow_up
    names = sorted({name for folder in folders for name in folder.designs}, key=_order)
    by_site = [[folder.designs.get(name, DesignRows()) for folder in folders] for name in names]
    lacking = [folder.without_index_procedure for folder in folders]
    without = None if None in lacking else sum(filter(None, lacking))
    designs = tuple(_design(name, sites, days, without) for name, sites in zip(names, by_site, strict=True))
    counted = [folder.disagreements for folder in folders if folder.disagreements is not None]
    return Cohort(
        designs,
        len(folders),
        days,
        tuple(sorted(set().union(*(folder.rule_versions for folder in folders)))),
        _years(folders),
        sum(counted, Counter[str]()) if counted else None,
        _remarks(folders),
    )


def _order(design: str) -> tuple[int, int, str]:
    """Nearest to the study first, then what the bedside would do, then what it did."""
    kind, _, days = design.partition(":")
    kinds = ("baseline", "landmark", "draw", RECORDED)
    return (kinds.index(kind) if kind in kinds else len(kinds), int(days) if days.isdecimal() else 0, design)


def _design(name: str, sites: list[DesignRows], follow_up: int, without: int | None) -> Design:
    rows = [row for site in sites for row in site.entered]
    site = np.repeat(np.arange(len(sites)), [len(one.entered) for one in sites]).astype(np.int64)
    patients = Patients(
        np.array([row.sii for row in rows], dtype=np.float64),
        np.array([row.flagged for row in rows], dtype=bool),
        np.array([row.time for row in rows], dtype=np.float64),
        np.array([row.event for row in rows], dtype=np.int64),
        site,
        _numbered(zip(site.tolist(), (row.patient for row in rows), strict=True)),
        np.array([row.decision for row in rows], dtype=np.int64),
        max(follow_up, int(max((row.time for row in rows), default=0))),
        {title: np.array([row.measures[place] for row in rows]) for place, title in enumerate(MEASURES)},
        {title: tuple(row.labels[place] for row in rows) for place, title in enumerate(LABELS)},
    ).within(follow_up)
    flow = Flow(
        without,
        sum(one.index_procedures for one in sites),
        sum((one.outcomes for one in sites), Counter[tuple[str, str]]()),
        sum((one.entered_outcomes for one in sites), Counter[str]()),
    )
    cutoffs = Counter(row.cutoff for row in rows)
    return Design(name, patients, flow, tuple(sorted(cutoffs, key=lambda value: (-cutoffs[value], value))))


def _numbered(names: Iterable[Hashable]) -> Events:
    """Number names from 0 in the order in which they first come."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _years(folders: list[Folder]) -> tuple[int, int] | None:
    """Return the first and last year of decisions: the report shows no day."""
    days = [row.decision for folder in folders for rows in folder.designs.values() for row in rows.entered]
    return (date.fromordinal(min(days)).year, date.fromordinal(max(days)).year) if days else None


def _remarks(folders: list[Folder]) -> tuple[str, ...]:
    named = [(f"Site {number}: " if len(folders) > 1 else "", folder) for number, folder in enumerate(folders, 1)]
    remarks = [f"{site}{remark}" for site, folder in named for remark in folder.remarks]
    people = Counter(patient for folder in folders for patient in _patients(folder))
    if any(times > 1 for times in people.values()):
        remarks.append("Some patients stand in several folders under the same name and count once in each of them.")
    return tuple(remarks)


def _patients(folder: Folder) -> set[str]:
    return {row.patient for rows in folder.designs.values() for row in rows.entered}
