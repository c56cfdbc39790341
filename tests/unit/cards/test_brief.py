"""The short detail: few words before the inputs, nothing twice, nothing passed over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cds_service.cards.brief import MOST_WORDS, words
from cds_service.cards.gaps import Gap
from cds_service.cards.wording import texts_in
from cds_service.clinical.models import Analyte
from cds_service.clinical.noted import ChartNotes, RecordedFact, Suspicion
from tests.unit.cards.assessments import OPTIONS, TAKEN, card, decided, draw_of_shares, draw_of_units, indeterminate
from tests.unit.cards.test_wording import EVERY_NOTE, EVERYTHING
from tests.unit.clinical.values import POLICY, at, day, draw, result

if TYPE_CHECKING:
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.policy import ClinicalPolicy

SHORT = replace(OPTIONS, detail="short")
TEXTS = texts_in("en")
INFECTION = ChartNotes(recorded=(RecordedFact("infection", "A41.9", day(25), day(25)),))


def brief(assessment: Assessment, policy: ClinicalPolicy = POLICY) -> str:
    return card(assessment, policy, SHORT).detail or ""


def before_inputs(text: str) -> str:
    return text.partition("\n\n| Test |")[0]


def test_brief_of_an_ordinary_card_reads() -> None:
    albumin = result(Analyte.ALBUMIN, "38", at(day(21)))

    assert brief(decided(draw_of_units("K/uL", "10*9/L", "10⁹/L"), albumin=[albumin])) == (
        "**SII 700 ×10⁹/L is above the cut-off 405.08 ×10⁹/L.** In the study cited below, patients with a high SII had "
        "recurrence or metastasis more often after interventional therapy for primary liver cancer.\n"
        "\n"
        "**Timing:** blood drawn 40 days after the latest interventional procedure (2026-01-09).\n"
        "\n"
        "| Test | Result | Blood drawn | Code |\n"
        "| --- | --- | --- | --- |\n"
        "| Platelets | 210 ×10⁹/L | 2026-02-18 07:15 CST | LOINC 777-3 |\n"
        "| Neutrophils | 6 ×10⁹/L | 2026-02-18 07:15 CST | LOINC 777-3 |\n"
        "| Lymphocytes | 1.8 ×10⁹/L | 2026-02-18 07:15 CST | LOINC 777-3 |\n"
        "| Albumin | 38 g/L | 2026-02-17 | LOINC 777-3 |\n"
        "\n"
        "**Evidence:** Yu L et al., J Gastrointest Oncol 2023: n = 272, single center, retrospective, AUC 0.795; "
        "no external validation.\n"
        "\n"
        "**Not checked:** residual disease; and what changes blood counts independently of the tumor: infection, "
        "steroids, G-CSF, transfusion, splenectomy, recent operation, pregnancy, other cancer.\n"
        "\n"
        "Decision support for professionals, not a diagnosis. Formula, evidence and limits: see the link below."
    )


@pytest.mark.parametrize(("assessment", "policy"), EVERYTHING)
def test_brief_of_any_assessment_keeps_to_its_words(assessment: Assessment, policy: ClinicalPolicy) -> None:
    found = before_inputs(brief(assessment, policy)).removesuffix(TEXTS.read_on)

    # All reasons or all notes at once: no chart has them.
    everything = len(assessment.reasons) > 12 or getattr(assessment, "notes", None) == EVERY_NOTE
    # Without inputs there is room for what explains a reason.
    most = MOST_WORDS + 20 if assessment.outcome == "indeterminate" else MOST_WORDS
    assert words(found) <= most or everything


@pytest.mark.parametrize(
    ("assessment", "said", "reason"),
    [
        (replace(decided(), notes=INFECTION), "infection (A41\\.9, 2026-02-13)", "a recorded confounder"),
        (
            replace(decided(), notes=ChartNotes(suspected=(Suspicion("recurrence", "C22.0"),))),
            "**Suspected in the chart, not confirmed:** recurrence (C22\\.0)",
            "a suspicion",
        ),
        (decided(pages_missing=True), "**The chart holds more entries than were delivered:**", "a truncated chart"),
        (decided(draw(TAKEN, ("406", "1", "1"))), "**Close to the cut-off:**", "near the cut-off"),
        (
            decided(draw(TAKEN, ("100", "3", "1.5")), draw(at(day(70)))),
            "**Before the procedure:** SII 700 on 2025-12-30.",
            "above before the procedure",
        ),
        (
            decided(draw_of_shares(("70", "%", "0.70"), ("25", "%", "0.25"))),
            "| Neutrophils | 70 % |",
            "shares of the leukocytes",
        ),
        (decided(), "**Albumin:** no usable result in the data.", "no albumin"),
    ],
)
def test_brief_says_what_is_particular_to_the_patient(assessment: Assessment, said: str, reason: str) -> None:
    assert said in brief(assessment), reason


@pytest.mark.parametrize("gap", list(Gap))
def test_brief_names_every_gap(gap: Gap) -> None:
    (full,) = [card(decided(), options=OPTIONS, gaps=(gap,)).detail]
    (short,) = [card(decided(), options=SHORT, gaps=(gap,)).detail]

    assert short != brief(decided())
    assert full


def test_brief_without_room_names_what_it_does_not_say() -> None:
    found = before_inputs(brief(replace(decided(pages_missing=True), notes=EVERY_NOTE, clumps_unreadable=True)))

    assert "**The chart holds more entries than were delivered:**" in found, "the weightiest is said"
    assert "**Also to be noted:**" in found
    for kind in ("closing", "several-procedures", "another-cancer", "clumps-unreadable"):
        assert TEXTS.note_names[kind] in found, kind


def test_brief_leaves_advice_and_formula_to_the_full_detail() -> None:
    found = brief(decided())

    assert "Consider" not in found
    assert "platelets ×" not in found


def test_brief_says_nothing_twice() -> None:
    lines = [line for line in brief(decided()).splitlines() if line]

    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("text", "count", "reason"),
    [
        ("", 0, "nothing"),
        ("**SII 700 ×10⁹/L is**", 4, "markup is no word"),
        ("* 2026-02-18: No usable.", 3, "nor is a bullet"),
        ("治疗后无残留病灶", 4, "two characters of Chinese are a word"),
        ("SII 700高于临界值", 5, "both"),
    ],
)
def test_words_are_counted(text: str, count: int, reason: str) -> None:
    assert words(text) == count, reason


def test_brief_of_an_indeterminate_outcome_reads() -> None:
    assert brief(indeterminate()).endswith(
        "Latest interventional procedure: 2026-01-09. SII is read from blood drawn on or after 2026-02-06 and at most "
        "90 days old; else from blood drawn from 2025-12-10 until the latest procedure.\n"
        "\n"
        "Decision support for professionals, not a diagnosis. Formula, evidence and limits: see the link below."
    )
