"""What may make a decision another one is said on its card, and changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.support.charts import (
    LYMPHOCYTES,
    NEUTROPHILS,
    PLATELETS,
    Json,
    bundle,
    condition,
    days_ago,
    draw,
    hook_request,
    observation,
    procedure,
)
from tests.unit.decision.asking import SITE, decision

UNDATED = "**Not every interventional procedure has a readable date:**"
UNREADABLE = "**Some diagnoses or procedures could not be read:**"
NEWER = "**Newer blood counts of"
UNPLACED = "**Some blood counts could not be read or dated:** they may be newer than those used here."
NOTES = {UNDATED, UNREADABLE, NEWER, UNPLACED}
NO_DATE = {"procedure-date-missing": 1}
BAD = {"malformed": 1}
OLD = draw(when=days_ago(60))
UNFIT = (
    observation(NEUTROPHILS, 9, "furlong", when=days_ago(1)),
    observation(LYMPHOCYTES, 1, "furlong", when=days_ago(1)),
    observation(PLATELETS, 300, when=days_ago(1)),
)


def treated(**members: Any) -> Json:
    """A chart with a procedure of 300 days ago, and another one."""
    return hook_request(procedures=bundle(procedure(when=days_ago(300)[:10]), procedure(**{"id": "other", **members})))


# The chart; what does not count of Conditions and Procedures; the note on the card.
CASES: list[tuple[Json, Json, str, str]] = [
    (hook_request(), {}, "", "nothing is in doubt"),
    (treated(performedDateTime=None, performedString="last week"), NO_DATE, UNDATED, "an undated procedure"),
    (treated(performedDateTime="2026-11-31"), NO_DATE, UNDATED, "no day of the calendar"),
    (treated(performedDateTime="0001-01-01"), NO_DATE, UNDATED, "a placeholder"),
    (treated(performedDateTime=123), BAD, UNREADABLE, "a procedure that cannot be read"),
    (treated(status="stopped", performedDateTime=None), {"status-not-accepted": 1}, "", "undated, and not done"),
    (
        hook_request(conditions=bundle(condition(), condition("C78.7", recordedDate=5))),
        BAD,
        UNREADABLE,
        "a metastasis that cannot be read",
    ),
    (
        hook_request(*OLD, *UNFIT),
        {},
        "**Newer blood counts of 2026-11-22 18:00 UTC+08:00 were not used.**",
        "newer blood, no use",
    ),
    (
        hook_request(*draw(when=days_ago(1)), observation(PLATELETS, 150, when=days_ago(1 - 2 / 24))),
        {},
        "**Newer blood counts of 2026-11-22 20:00 UTC+08:00 were not used.**",
        "platelets of two hours later: another time of the day that the summary names",
    ),
    (hook_request(*OLD, *draw(when="2026-11", oid="month")), {}, UNPLACED, "newer blood, perhaps: no day"),
    (hook_request(*OLD, *draw(effectiveDateTime=None)), {}, UNPLACED, "no time at all"),
    (hook_request(*OLD, *draw(when=days_ago(1), modifierExtension=[{"url": "x"}])), {}, UNPLACED, "no reading it"),
    (hook_request(*OLD, *draw(effectiveDateTime=None, subject={"reference": "Patient/p2"})), {}, "", "of another"),
]


@pytest.mark.parametrize(("body", "excluded", "note", "reason"), CASES, ids=lambda value: str(value)[:30])
def test_decided_card_says_what_is_in_doubt(body: Json, excluded: Json, note: str, reason: str) -> None:
    told, text = told_and_shown(body)

    assert told["outcome"] == "above-cutoff", "doubts change no decision"
    assert told.get("chartExclusions", {}) == excluded, reason
    assert note in text, reason
    assert not [other for other in NOTES if other in text and not note.startswith(other)], reason


def test_decided_card_gives_the_reasons_of_newer_blood_in_their_own_words() -> None:
    _, text = told_and_shown(hook_request(*OLD, *UNFIT))

    assert (
        "were not used.** No usable neutrophils (count or percentage). No usable lymphocytes (count or percentage). "
        "A result has a unit that is not in the reviewed table.\n"
    ) in text


def test_decided_card_gives_each_reason_of_newer_blood_under_its_own_day() -> None:
    baseline, complete = draw(when="2026-10-10T08:00:00Z"), draw(when="2026-10-25T08:00:00Z")
    platelets = observation(PLATELETS, 150, when="2026-11-20T10:00:00Z")

    _, text = told_and_shown(
        hook_request(*baseline, *complete, platelets, procedures=bundle(procedure(when="2026-10-20")))
    )

    assert [line for line in text.splitlines() if NEWER in line] == [
        "**Newer blood counts of 2026-11-20 18:00 UTC+08:00 were not used.** "
        "No usable neutrophils (count or percentage). No usable lymphocytes (count or percentage).",
        "**Newer blood counts of 2026-10-25 16:00 UTC+08:00 were not used.** "
        "Blood was or may have been drawn too soon after a procedure: counts are unsettled.",
    ]


def test_decided_card_says_doubts_before_its_inputs() -> None:
    _, text = told_and_shown(treated(performedDateTime="2026-11-31"))

    assert text.index(UNDATED) < text.index("| Test |")


def test_card_that_is_not_above_says_them_too() -> None:
    options = replace(SITE, cards=replace(SITE.cards, show_not_above_cutoff=True))
    low = draw(100, 1, 2, when=days_ago(60))

    told, text = told_and_shown(hook_request(*low, *UNFIT), options)

    assert told["outcome"] == "not-above-cutoff"
    assert NEWER in text


def told_and_shown(body: Json, site: Any = SITE) -> tuple[dict[str, Any], str]:
    found = decision(body, site)
    (card,) = CardBuilder(SII.voice, site.cards, site.policy, "m").build(found.assessment, lambda: "u", found.gaps)
    return assessment_extension(
        RULE_VERSION, found.assessment, found.facts.excluded_reasons, found.gaps
    ), card.detail or ""
