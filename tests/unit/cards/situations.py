"""Twelve situations in which a clinician meets a card, and how many words it has in each language.

Write the table of docs/clinical.md anew: `python -m tests.unit.cards.situations`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from cds_service.cards.brief import words
from cds_service.cards.markdown import table
from cds_service.cards.wording import LANGUAGES, texts_in
from cds_service.clinical.chart_facts import OperationFact
from cds_service.clinical.models import Analyte
from cds_service.clinical.noted import ChartNotes, RecordedFact, Suspicion
from cds_service.clinical.reasons import Reason
from tests.unit.cards.assessments import (
    OPTIONS,
    TAKEN,
    card,
    decided,
    draw_of_shares,
    draw_of_units,
    indeterminate,
    reported,
)
from tests.unit.cards.test_wording import SITE, draw_in_parts
from tests.unit.clinical.values import POLICY, at, day, done, draw, excluded, result

if TYPE_CHECKING:
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.hooks.response import Card

ALBUMIN = result(Analyte.ALBUMIN, "38", at(day(21)))
UNITS = ("K/uL", "10*9/L", "10⁹/L")
NEWER = excluded(Analyte.PLATELETS, Reason.UNIT_UNKNOWN, at(day(1)))
INFECTION = ChartNotes(recorded=(RecordedFact("infection", "A41.9", day(25), day(25)),))
SUSPECTED = ChartNotes(suspected=(Suspicion("recurrence", "C22.0"),), recent_procedures=3)
OPERATED = ChartNotes(closing=(OperationFact("liver-resection", "", "47120", True, done(at(day(50)))),))

SITUATIONS: Final[dict[str, tuple[Assessment, ClinicalPolicy]]] = {
    "above, ordinary": (decided(draw_of_units(*UNITS), albumin=[ALBUMIN]), POLICY),
    "above, close to the cut-off": (decided(draw(TAKEN, ("406", "1", "1")), albumin=[ALBUMIN]), POLICY),
    "above, infection recorded": (replace(decided(albumin=[ALBUMIN]), notes=INFECTION), POLICY),
    "above, recurrence suspected, third procedure": (replace(decided(albumin=[ALBUMIN]), notes=SUSPECTED), POLICY),
    "above, differential as percentages, albumin in other units": (
        decided(
            draw_of_shares(("70", "%", "0.70"), ("25", "%", "0.25")),
            albumin=[reported(Analyte.ALBUMIN, "4.1", "g/dL", "41")],
        ),
        POLICY,
    ),
    "above, band forms and a note of the laboratory": (decided(draw_in_parts(), albumin=[ALBUMIN]), POLICY),
    "above, chart cut off, newer blood not used": (
        decided(albumin=[ALBUMIN], pages_missing=True, excluded=(NEWER,)),
        POLICY,
    ),
    "above a cut-off of the site": (decided(draw(TAKEN, ("900", "1", "1")), albumin=[ALBUMIN], policy=SITE), SITE),
    "not above, but above before the procedure": (
        decided(draw(TAKEN, ("100", "3", "1.5")), draw(at(day(70))), albumin=[ALBUMIN]),
        POLICY,
    ),
    "indeterminate, blood too old": (indeterminate(Reason.STALE, taken={Reason.STALE: at(day(120))}), POLICY),
    "indeterminate, too soon after an operation": (
        indeterminate(Reason.POST_PROCEDURE_WINDOW, taken={Reason.POST_PROCEDURE_WINDOW: TAKEN}, notes=OPERATED),
        POLICY,
    ),
    "indeterminate, five reasons": (
        indeterminate(
            Reason.MISSING_NEUTROPHILS,
            Reason.UNIT_UNKNOWN,
            Reason.STATUS_NOT_ACCEPTED,
            Reason.IMPRECISE_TIME,
            Reason.CODE_CONFLICT,
        ),
        POLICY,
    ),
}


def card_of(situation: str, language: str, detail: Literal["short", "full"] = "short") -> Card:
    """Build the card of a situation."""
    assessment, policy = SITUATIONS[situation]
    return card(assessment, policy, replace(OPTIONS, language=language, detail=detail))


def before_inputs(situation: str, language: str) -> str:
    """Return what stands before the table of inputs; without one, all but where to read on."""
    texts, found = texts_in(language), card_of(situation, language).detail or ""
    return found.partition(f"\n\n| {texts.inputs_columns_brief[0]} |")[0].removesuffix(texts.read_on)


def counts(situation: str, language: str) -> tuple[int, int, int]:
    """Count words before the inputs, of the short card and of the full one."""
    short, full = (card_of(situation, language, detail).detail or "" for detail in ("short", "full"))
    return words(before_inputs(situation, language)), words(short), words(full)


def word_table() -> str:
    """Return the table of docs/clinical.md."""
    columns = ("Situation", *(f"{language}: before the inputs, short, full" for language in LANGUAGES))
    rows = [
        (situation, *(", ".join(map(str, counts(situation, language))) for language in LANGUAGES))
        for situation in SITUATIONS
    ]
    return table(columns, rows)


if __name__ == "__main__":
    sys.stdout.buffer.write(f"{word_table()}\n".encode())
