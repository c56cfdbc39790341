"""What is particular to a patient, as notes: each of a kind, which has its words in every language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cds_service.cards import numbers
from cds_service.cards.gaps import Gap
from cds_service.cards.markdown import escape
from cds_service.clinical.outcomes import AboveCutoff

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.outcomes import Decided, Doubts, UnusedBlood
    from cds_service.clinical.rule import Rule

# Of the albumin its own line speaks.
_GAPS: Final = {
    Gap.PATIENT: "patient-not-delivered",
    Gap.CONDITIONS: "conditions-not-delivered",
    Gap.SOME_CONDITIONS: "conditions-incomplete",
    Gap.PROCEDURES: "procedures-not-delivered",
    Gap.SOME_PROCEDURES: "procedures-incomplete",
}


class Note(NamedTuple):
    """One thing to say: its kind, which is a key of the texts, and the values of its placeholders in markdown."""

    kind: str
    values: dict[str, Any] = {}  # noqa: RUF012  never changed: a NamedTuple is frozen, and so is its use

    def in_full(self, texts: Texts) -> str:
        """Return the note as the full detail says it."""
        return texts.notes[self.kind].format(**self.values)

    def in_brief(self, texts: Texts) -> str:
        """Return the note in as few words as there are for its kind."""
        return texts.brief_notes.get(self.kind, texts.notes[self.kind]).format(**self.values)


def of_delivery(gaps: Collection[Gap]) -> list[Note]:
    """Name what was not delivered."""
    return [Note(kind) for gap, kind in _GAPS.items() if gap in gaps]


def of_doubts(doubts: Doubts, texts: Texts) -> list[Note]:
    """Name what may make the decision another one."""
    notes = _newer_blood(doubts, texts)
    if doubts.unplaced_counts:
        notes.append(Note("unplaced-blood"))
    if doubts.undated_procedures:
        notes.append(Note("undated-procedures"))
    if doubts.unreadable:
        notes.append(Note("unreadable"))
    return notes


def of_cutoff(assessment: Decided, rule: Rule, cutoff_source: str) -> list[Note]:
    """Say that the cut-off is the site's own."""
    if assessment.cutoff == rule.published_cutoff:
        return []
    return [Note("site-cutoff", {"cutoff": f"{assessment.cutoff:f}", "source": escape(cutoff_source)})]


def of_nearness(assessment: Decided, rule: Rule) -> list[Note]:
    """Say that SII is as near to the cut-off as laboratories are imprecise."""
    near = abs(assessment.sii - assessment.cutoff) <= rule.imprecision
    return [Note("near-cutoff")] if near else []


def of_platelets(assessment: Decided) -> list[Note]:
    """Say what an SII that is not above the cut-off may come from."""
    return [] if isinstance(assessment, AboveCutoff) else [Note("low-platelets")]


def _newer_blood(doubts: Doubts, texts: Texts) -> list[Note]:
    """Say for each day why its blood was not used, newest first, with the time of the newest blood of that day."""
    days: dict[date, list[UnusedBlood]] = {}
    for unused in sorted(doubts.newer, key=lambda unused: unused.taken.order, reverse=True):
        days.setdefault(unused.taken.day, []).append(unused)
    return [
        Note(
            "newer-blood",
            {
                "date": numbers.moment(of_day[0].taken),
                "reasons": texts.sentence_space.join(texts.reasons[unused.reason] for unused in of_day),
            },
        )
        for of_day in days.values()
    ]
