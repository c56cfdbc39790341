"""The assessment as data beside the cards, so that "no card" is never ambiguous to the people who run the service."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from cds_service.clinical.outcomes import AboveCutoff, NotAboveCutoff, NotEligible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cds_service.cards.gaps import Gap
    from cds_service.clinical.outcomes import Assessment, Decided, Indeterminate
    from cds_service.clinical.reasons import Reason

EXTENSION_NAME: Final = "org.sii-cds.assessment"


def assessment_extension(
    rule_version: str,
    assessment: Assessment,
    excluded_facts: Iterable[Reason] = (),
    gaps: Iterable[Gap] = (),
    snoozed: datetime | None = None,
) -> dict[str, Any]:
    """Describe an assessment: outcome, cut-off and rule version always; reasons, exclusions or the decision as due.

    `excluded_facts` are why Conditions and Procedures did not count, one reason for each: an unreadable or unconfirmed
    diagnosis must not vanish behind "not eligible", nor behind a decision. Undated procedures are counted among them.
    `gaps` are optional data nobody delivered. `snoozed` is when the snooze of a card that is kept back ends.
    """
    content: dict[str, Any] = {"outcome": assessment.outcome}
    if assessment.reasons:
        content["reasons"] = list(assessment.reasons)
    if isinstance(assessment, (AboveCutoff, NotAboveCutoff)):
        timed = assessment.timed
        content["sii"] = f"{assessment.sii:f}"
        content["basis"] = timed.draw.basis
        content["sampleTime"] = timed.draw.effective.isoformat()
        if timed.relation is not None:
            content["relation"] = timed.relation
            content["daysFromProcedure"] = timed.days
    if not isinstance(assessment, NotEligible):
        content |= _beside(assessment)
    facts = Counter(excluded_facts)
    if facts:
        content["chartExclusions"] = {str(reason): facts[reason] for reason in sorted(facts)}
    not_delivered = [gap.key for gap in gaps]
    if not_delivered:
        content["notDelivered"] = not_delivered
    if snoozed is not None:
        content["presentation"] = "snoozed"
        content["snoozedUntil"] = snoozed.isoformat()
    content["cutoff"] = f"{assessment.cutoff:f}"
    content["ruleVersion"] = rule_version
    return content


def _beside(assessment: Decided | Indeterminate) -> dict[str, Any]:
    """Tell of results that were not used, and of what is recorded and changes blood counts on its own (its kinds)."""
    content: dict[str, Any] = {}
    if assessment.exclusions:
        content["exclusions"] = {str(reason): count for reason, count in assessment.exclusions.items()}
    if assessment.notes.recorded:
        content["recorded"] = [fact.kind for fact in assessment.notes.recorded]
    return content
