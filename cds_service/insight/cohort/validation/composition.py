"""Who the patients are: the study's own table, and the flow that led to them. Small groups are not told of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.insight.cohort.statistics.comparison import (
    Summary,
    chi_squared,
    student_t,
    summarize,
    welch_t,
)
from cds_service.insight.cohort.statistics.values import NO_TEST, Test
from cds_service.insight.cohort.validation.entered import DECIDED, MEASURES
from cds_service.insight.cohort.validation.suppression import is_small, shown_count, shown_counts, shown_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cds_service.insight.cohort.statistics.values import Flags, Numbers
    from cds_service.insight.cohort.validation.cohort import Flow
    from cds_service.insight.cohort.validation.patients import Patients

NOT_RECORDED: Final = "not recorded"
OLDER_FROM: Final = 65
_MOST_CATEGORIES: Final = 8


@dataclass(frozen=True, slots=True)
class Compared:
    """A measure in patients with and without recurrence; None for a group that is too small.

    `known` is of how many with and without recurrence the measure is known; None where few lack it.
    """

    event: Summary | None
    no_event: Summary | None
    known: tuple[int | None, int | None]
    t_test: Test
    welch: Test


@dataclass(frozen=True, slots=True)
class Shares:
    """Patients with and without recurrence in each category; None for a category that is too small."""

    categories: Mapping[str, tuple[int, int] | None]
    chi_squared: Test


@dataclass(frozen=True, slots=True)
class ShownFlow:
    """The flow of one design; None for what is too small. `decided` are outcomes of rows that entered.

    `rows` is one for each index procedure, but in the design `recorded` one for each decision. `says_without`: the
    folders say how many patients of the export have no index procedure, and so no row.
    """

    says_without: bool
    without_index_procedure: int | None
    index_procedures: int | None
    rows: int | None
    put_out: Mapping[str, int | None]
    decided: Mapping[str, int | None]


def compare_measures(patients: Patients, least: int) -> dict[str, Compared]:
    """Compare SII and what it is made of, albumin and age, in the patients who are followed."""
    followed = patients.only(patients.followed)
    columns = {"sii": followed.sii, **{name: followed.measures[name] for name in MEASURES}}
    return {name: _compared(values, followed.recurred, least) for name, values in columns.items()}


def _compared(values: Numbers, recurred: Flags, least: int) -> Compared:
    known = ~np.isnan(values)
    event, no_event = (summarize(values[known & group]) for group in (recurred, ~recurred))
    if is_small(event.n, least) or is_small(no_event.n, least):
        return Compared(None, None, (None, None), NO_TEST, NO_TEST)
    lacking = [int(np.count_nonzero(group & ~known)) for group in (recurred, ~recurred)]
    told = [None if is_small(few, least) else group.n for few, group in zip(lacking, (event, no_event), strict=True)]
    return Compared(event, no_event, (told[0], told[1]), student_t(event, no_event), welch_t(event, no_event))


def compare_shares(patients: Patients, names: Iterable[str], least: int) -> dict[str, Shares]:
    """Compare the categories of each variable (`sex`, `age`, `therapy`) in the patients who are followed."""
    followed = patients.only(patients.followed)
    return {name: _shares(categories(followed, name), followed.recurred, least) for name in names}


def _shares(labels: tuple[str, ...], recurred: Flags, least: int) -> Shares:
    counts = {name: _by_event(labels, name, recurred) for name in sorted(set(labels))}
    shown = shown_groups(counts, least)
    known = [pair for name, pair in counts.items() if name != NOT_RECORDED]
    test = chi_squared(known) if known and shown == set(counts) else NO_TEST
    return Shares({name: pair if name in shown else None for name, pair in counts.items()}, test)


def _by_event(labels: tuple[str, ...], name: str, recurred: Flags) -> tuple[int, int]:
    mine = np.array([label == name for label in labels], dtype=bool)
    return int(np.count_nonzero(mine & recurred)), int(np.count_nonzero(mine & ~recurred))


def categories(patients: Patients, variable: str) -> tuple[str, ...]:
    """Return the category of each row: as recorded, or of age two groups. The rarest beyond eight are one."""
    if variable == "age":
        return tuple(_age_group(age) for age in patients.measures["age"].tolist())
    labels = tuple(label or NOT_RECORDED for label in patients.labels[variable])
    by_size = sorted(set(labels), key=lambda label: (-labels.count(label), label))
    kept = set(by_size[:_MOST_CATEGORIES])
    return tuple(label if label in kept else "other" for label in labels)


def _age_group(age: float) -> str:
    if np.isnan(age):
        return NOT_RECORDED
    return f"{OLDER_FROM} and older" if age >= OLDER_FROM else f"under {OLDER_FROM}"


def show_flow(flow: Flow, entered: int, least: int) -> ShownFlow:
    """Return the flow; how many entered is told elsewhere, so each of its two parts adds up to a known total."""
    put_out = flow.outcomes.copy()
    for outcome, number in flow.entered.items():
        put_out[outcome, ""] -= number
    reasons = {_named(*key): number for key, number in (+put_out).items()}
    total = flow.outcomes.total()
    hidden = is_small(total, least) or is_small(total - entered, least)
    procedures, without = flow.index_procedures, flow.without_index_procedure
    return ShownFlow(
        without is not None,
        None if without is None else shown_count(without, least),
        None if hidden or is_small(procedures, least) else procedures,
        None if hidden else total,
        shown_counts(dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))), least),
        shown_counts(dict(sorted(flow.entered.items())), least),
    )


def _named(outcome: str, reason: str) -> str:
    """Name what kept a row out; a decided one is a later decision of the same, or has no outcome in the export."""
    if outcome in DECIDED and not reason:
        return f"{outcome}, not entered"
    return f"{outcome}: {reason}" if reason else outcome
