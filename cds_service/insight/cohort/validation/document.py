"""The validation as a document that a tumour board can read: the answer, plots first, each with its table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cds_service.clinical.evidence import STUDY_CITATION, STUDY_DOI, STUDY_PATIENTS
from cds_service.insight.cohort.validation.phrasing import NO_ROWS, design_name, number
from cds_service.insight.cohort.validation.plots import (
    decision_plot,
    distribution_plot,
    explained,
    flow_plot,
    roc_plot,
    survival_plots,
    threshold_plot,
)
from cds_service.insight.cohort.validation.tables import (
    death_table,
    design_table,
    disagreement_table,
    distribution_table,
    flag_table,
    hazard_table,
    part_table,
    study_table,
    threshold_table,
    tripod_table,
)
from cds_service.reports.content import Document, Figure, Figures, Notice, Points, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.cohort.validation.recommending import Answer
    from cds_service.insight.cohort.validation.validate import DesignFigures, Validation
    from cds_service.reports.content import Tone
    from cds_service.reports.plots import Plot

_TONES: Final[dict[Answer, Tone]] = {"keep": "fine", "not-supported": "bad", "too-few-events": "warning"}
# What cannot be known from an export, however carefully it is read.
_LIMITS: Final = (
    "Earlier statuses and values: an export holds what is recorded now, not what the chart said on the day.",
    "Recurrences that were found elsewhere or never coded; how often patients were looked at differs.",
    "Residual tumour after the procedure, which the study excluded, unless it is recorded.",
    "Why a patient was lost: whoever moved away and whoever died elsewhere look alike.",
    "What was done because SII was high: if cards were shown, they may have changed the outcome.",
    "That acting on the flag helps. The study is an association, and so is this page.",
)


def cohort_document(validation: Validation, version: str) -> Document:
    """Return the document. `version` names the program that computed it."""
    leading = validation.leading
    return Document(
        kind="Cohort validation",
        title="SII above the cut-off and recurrence on these patients",
        lead=(
            f"The study ({STUDY_CITATION}, doi {STUDY_DOI}; {STUDY_PATIENTS} patients, one centre), repeated after "
            "interventional therapy of primary liver cancer: does the cut-off in use tell who has a recurrence or a "
            "metastasis?"
        ),
        facts=_facts(validation),
        notices=tuple(_notices(validation)),
        sections=() if leading is None else tuple(_sections(validation, leading)),
        footer=f"Made by sii-cds {version} cohort validate. The page names no patient, no day, and no fewer than "
        f"{validation.wanted.least} people. It runs nothing and loads nothing.",
    )


def _facts(validation: Validation) -> tuple[str, ...]:
    years = validation.years
    facts = [f"decisions of {years[0]} to {years[1]}"] if years else []
    facts += [f"follow-up {validation.follow_up:,} days", f"sites: {validation.sites}"]
    if validation.rule_versions:
        facts.append(f"rule {', '.join(validation.rule_versions)}")
    return tuple(facts)


def _notices(validation: Validation) -> Iterator[Notice]:
    if validation.leading is None:
        yield Notice(NO_ROWS)
    yield from map(Notice, validation.remarks)


def _sections(validation: Validation, leading: DesignFigures) -> Iterator[Section]:
    wanted = validation.wanted
    yield _answer(validation, leading)
    yield from _pictures(leading, "", wanted.horizons, wanted.least)
    yield Section(
        id="study",
        title="The study’s table on these patients",
        text="Of the patients who are followed, by recurrence within follow-up.",
        blocks=study_table(leading),
    )
    yield from _parts(leading)
    if len(validation.designs) > 1:
        yield from _designs(validation, leading)
    if validation.disagreements is not None:
        yield Section(
            id="disagreements",
            title="Recorded, and recomputed from the export",
            text="Decisions of the service that a recomputation disagrees with, by what explains it.",
            blocks=(disagreement_table(validation.disagreements),),
        )
    yield Section(id="limits", title="What an export cannot tell", blocks=(Points(_LIMITS),))
    yield Section(
        id="tripod",
        title="TRIPOD+AI",
        text="Where each item of the checklist is answered; “site” is for the hospital to write.",
        blocks=(tripod_table(),),
    )
    yield _basis(validation)


def _answer(validation: Validation, design: DesignFigures) -> Section:
    found, given, least = design.classification, design.recommendation, validation.wanted.least
    loss = given.loss
    figures = (
        Figure("Patients who entered", _short(design.ends.n, least), design.name),
        Figure("Recurrences", _short(design.ends.events, least), f"deaths before: {_short(design.ends.deaths, least)}"),
        Figure("AUC", number(found.auc.estimate), _interval(found.auc.interval[1:])),
        Figure("Sensitivity", _percent(found.sensitivity.estimate), _interval(found.sensitivity[1:], 100)),
        Figure("Specificity", _percent(found.specificity.estimate), _interval(found.specificity[1:], 100)),
        Figure(
            "Loss by keeping the cut-off",
            number(loss.loss.estimate) if loss else "–",
            f"of Youden’s index {_interval(loss.loss[1:])}; optimism {number(loss.optimism)}" if loss else "",
        ),
    )
    return Section(
        id="answer",
        title="Recommendation",
        text=f"For the design {design_name(design.name)}. Nobody’s cut-off is changed by this page.",
        blocks=(Notice(given.text, _TONES[given.answer]), Points(given.reasons), Figures(figures)),
    )


def _short(number_of: int | None, least: int) -> str:
    return f"<{least}, or hidden" if number_of is None else f"{number_of:,}"


def _percent(value: float) -> str:
    text = number(value * 100, 0)
    return text if text == "–" else f"{text} %"


def _interval(limits: tuple[float, ...], scale: int = 1) -> str:
    low, high = (number(limit * scale, 2 if scale == 1 else 0) for limit in limits)
    return "" if "–" in (low, high) else f"{low} to {high}"


def _pictures(design: DesignFigures, prefix: str, horizons: tuple[int, ...], least: int) -> Iterator[Section]:
    parts: tuple[tuple[str, str, str, tuple[Table | Plot, ...]], ...] = (
        ("flow-of-patients", "Who came in", "", (flow_plot(design, prefix, least),)),
        (
            "discrimination",
            "Does SII tell them apart?",
            "",
            (roc_plot(design, prefix, least), flag_table(design)),
        ),
        (
            "time",
            "When do recurrences come?",
            "",
            (*survival_plots(design, prefix, horizons, least), death_table(design, horizons), hazard_table(design)),
        ),
        (
            "values",
            "How SII is distributed",
            "",
            (distribution_plot(design, prefix), distribution_table(design)),
        ),
        ("worth", "Is acting on the flag worth it?", "", (decision_plot(design, prefix),)),
        (
            "other-cutoffs",
            "What would other cut-offs do?",
            "",
            (threshold_plot(design, prefix), threshold_table(design)),
        ),
    )
    for name, title, text, blocks in parts:
        told = tuple(block if isinstance(block, Table) else explained(block) for block in blocks)
        yield Section(id=f"{prefix}{name}", title=title, text=text, blocks=told)


def _parts(design: DesignFigures) -> Iterator[Section]:
    if design.subgroups:
        parts = [(f"{name}: ", members) for name, members in design.subgroups.items()]
        text = "Differences are not tested: intervals that overlap show none, and small groups show none either."
        table = part_table("The flag by group.", "Group", parts)
        yield Section(id="subgroups", title="Subgroups", text=text, blocks=(table,))
    if design.sites:
        table = part_table("The flag by site, in the order in which folders were named.", "Site", [("", design.sites)])
        yield Section(id="sites", title="By site", blocks=(table,))


def _designs(validation: Validation, leading: DesignFigures) -> Iterator[Section]:
    others = [design for design in validation.designs if design is not leading]
    times = Points(tuple(design_name(design.name) for design in validation.designs))
    yield Section(id="designs", title="Other times of the decision", blocks=(times, design_table(validation)))
    wanted = validation.wanted
    for design in others:
        prefix = f"{design.name.replace(':', '-')}-"
        pictures = (
            flow_plot(design, prefix, wanted.least),
            roc_plot(design, prefix, wanted.least),
            *survival_plots(design, prefix, wanted.horizons, wanted.least),
        )
        tables = (flag_table(design), death_table(design, wanted.horizons), hazard_table(design))
        answer = Notice(design.recommendation.text, _TONES[design.recommendation.answer])
        named = [_titled(block, design.name) for block in (*map(explained, pictures), *tables)]
        yield Section(id=f"{prefix}design", title=f"Design {design.name}", blocks=(answer, *named))


def _titled(block: Table | Plot, design: str) -> Table | Plot:
    """Add the design to a title that stands for another one, too: a reader who hears the page must tell them apart."""
    if isinstance(block, Table):
        return replace(block, caption=f"{design}: {block.caption}")
    return replace(block, title=f"{block.title}, {design}")


def _basis(validation: Validation) -> Section:
    wanted = validation.wanted
    several = any(design.several_rows_a_patient for design in validation.designs)
    points = [
        f"Everybody is used to evaluate; nothing is developed. Bootstrap: {wanted.resamples:,} resamples of patients, "
        f"seed {wanted.seed}.",
        f"Cells below {wanted.least} are hidden, and so many beside them that they cannot be computed; a curve ends "
        f"where fewer than {wanted.least} are at risk.",
        "An event within follow-up stands against none: dead without recurrence, or followed to within 90 days of the "
        "end. Whoever was lost earlier is left out of the table of the flag, and counted in the flow.",
        "Several sites are pooled; log-rank and hazard ratios are stratified by site.",
    ]
    if several:
        points.append(
            "Some patients stand in several rows. Resamples draw them together; the other intervals take rows as "
            "independent and are too narrow."
        )
    return Section(id="basis", title="What this rests on", blocks=(Points(tuple(points)),))
