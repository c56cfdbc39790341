"""The same figures in parts of the patients: sites, and groups by sex, age and therapy. Small parts are not told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cds_service.insight.cohort.statistics.classification import BinaryTable, sensitivity, specificity, tabulate_flags
from cds_service.insight.cohort.statistics.discrimination import auc
from cds_service.insight.cohort.validation.composition import categories
from cds_service.insight.cohort.validation.suppression import shown_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cds_service.insight.cohort.statistics.discrimination import AUC
    from cds_service.insight.cohort.statistics.values import Flags, Interval
    from cds_service.insight.cohort.validation.patients import Patients


class Part(NamedTuple):
    """What the flag did in a part of the patients who are followed."""

    table: BinaryTable
    sensitivity: Interval
    specificity: Interval
    auc: AUC


def by_site(patients: Patients, least: int) -> dict[str, Part | None]:
    """Return the figures of each site, numbered in the order in which they were named; None for one too small."""
    followed = patients.only(patients.followed)
    sites = {f"site {site + 1}": followed.site == site for site in np.unique(patients.site).tolist()}
    return _parts(followed, sites, least)


def by_variable(patients: Patients, names: Iterable[str], least: int) -> dict[str, dict[str, Part | None]]:
    """Return the figures of each category of each variable; None for a category that is too small."""
    followed = patients.only(patients.followed)
    parts = {}
    for name in names:
        labels = categories(followed, name)
        members = {label: np.array([one == label for one in labels], dtype=bool) for label in sorted(set(labels))}
        parts[name] = _parts(followed, members, least)
    return parts


def _parts(followed: Patients, members: Mapping[str, Flags], least: int) -> dict[str, Part | None]:
    tables = {name: tabulate_flags(followed.flagged[own], followed.recurred[own]) for name, own in members.items()}
    shown = shown_groups(tables, least)
    return {name: _part(followed.only(own), tables[name]) if name in shown else None for name, own in members.items()}


def _part(patients: Patients, table: BinaryTable) -> Part:
    return Part(table, sensitivity(table), specificity(table), auc(patients.sii, patients.recurred))
