"""Charts in which the day of the blood draw decides: too early, too old, before the procedure."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from cds_service.demo.patients import resources as codes
from cds_service.demo.patients.draws import Reporting, draw
from cds_service.demo.patients.story import Event, PatientStory, Person, decided, story, undecided

if TYPE_CHECKING:
    from datetime import date


def timing_stories(today: date) -> tuple[PatientStory, ...]:
    """Return the charts whose newest draw is not one of 28 to 90 days."""
    return (_baseline_before_ablation(today), _five_days_after_tace(today), _stale_panel(today))


def _baseline_before_ablation(today: date) -> PatientStory:
    return story(
        today,
        "demo-baseline-before-ablation",
        Person("Kenji", "Demo-Nakamura", "male", 64),
        title="Baseline before a recent ablation",
        text="Six days after the ablation no later blood count can be used yet, so the one from four days"
        " before the procedure is judged instead.",
        diagnoses=(Event(codes.INTRAHEPATIC_BILE_DUCT_CARCINOMA, 180),),
        treatments=(Event(codes.MICROWAVE_ABLATION, 6),),
        draws=(
            draw(today, 170, ("3.40", "1.60", "210"), "43", reporting=Reporting.CONVENTIONAL),
            draw(today, 10, ("4.60", "1.15", "224"), "40", reporting=Reporting.CONVENTIONAL),
            draw(today, 4, ("8.40", "0.80", "199"), reporting=Reporting.CONVENTIONAL),
        ),
        expected=decided("above-cutoff", "896.000", days_ago=10, days_from_procedure=4, relation="before"),
    )


def _five_days_after_tace(today: date) -> PatientStory:
    return story(
        today,
        "demo-five-days-after-tace",
        Person("Astrid", "Demo-Haugen", "female", 74),
        title="Five days after TACE",
        text="The newest blood count shows the reaction to TACE five days earlier, and the last one before"
        " it is 45 days older than the procedure: neither may be judged.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 70),),
        treatments=(Event(codes.TACE, 7),),
        draws=(
            draw(today, 82, ("3.10", "1.45", "168"), "38"),
            draw(today, 52, ("3.30", "1.40", "160"), "37"),
            draw(today, 2, ("8.90", "0.62", "118"), "31", at=time(5, 55)),
        ),
        expected=undecided("indeterminate", "post-procedure-window", "outside-baseline-window"),
    )


def _stale_panel(today: date) -> PatientStory:
    return story(
        today,
        "demo-stale-panel",
        Person("Hélène", "Demo-Moreau", "female", 72),
        title="The last blood count is too old",
        text="The last blood count was taken four months ago: the service asks for a new one instead of"
        " judging the old.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 310),),
        treatments=(Event(codes.TACE, 240),),
        draws=(
            draw(today, 290, ("3.60", "1.30", "175"), "39"),
            draw(today, 180, ("4.40", "1.10", "182"), "38"),
            draw(today, 120, ("4.60", "1.05", "190"), "37"),
        ),
        expected=undecided("indeterminate", "stale"),
    )
