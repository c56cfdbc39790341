"""Compare what a story claims with what the service found."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cds_service.demo.answers import Assessment
    from cds_service.demo.patients import PatientStory


def differences(story: PatientStory, found: Assessment) -> tuple[str, ...]:
    """Return one sentence for each claim of the story that the assessment does not meet.

    Reasons and exclusions beyond the claimed ones are no difference: the story names those it is about.
    """
    claimed = story.expected
    pairs: list[tuple[str, object, object]] = [
        ("outcome", claimed.outcome, found.outcome),
        ("SII", claimed.sii, found.sii),
        ("basis", claimed.basis, found.basis),
        ("relation", claimed.relation, found.relation),
        ("days from procedure", claimed.days_from_procedure, found.days_from_procedure),
        ("day of the draw", _claimed_day(story), _day(found.sample_time)),
    ]
    different = [f"{what}: expected {want}, found {got}" for what, want, got in pairs if want != got]
    different += [f"reason {reason} expected" for reason in sorted(claimed.reasons - set(found.reasons))]
    different += [
        f"exclusion {reason}: expected {count}, found {found.exclusions.get(reason, 0)}"
        for reason, count in claimed.exclusions.items()
        if found.exclusions.get(reason, 0) != count
    ]
    return tuple(different)


def _claimed_day(story: PatientStory) -> date | None:
    ago = story.expected.days_ago
    return None if ago is None else story.built_for - timedelta(days=ago)


def _day(iso: str | None) -> date | None:
    return date.fromisoformat(iso[:10]) if iso else None
