"""The synthetic patients of the demo, built relative to a day so that their stories stay fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.demo.patients.decided import decided_stories
from cds_service.demo.patients.laboratory import laboratory_stories
from cds_service.demo.patients.not_eligible import not_eligible_stories
from cds_service.demo.patients.story import PatientStory
from cds_service.demo.patients.timing import timing_stories

if TYPE_CHECKING:
    from datetime import date

__all__ = ["PatientStory", "build_stories"]


def build_stories(today: date) -> tuple[PatientStory, ...]:
    """Return every synthetic patient, with all dates counted back from `today`."""
    return (
        *decided_stories(today),
        *timing_stories(today),
        *laboratory_stories(today),
        *not_eligible_stories(today),
    )
