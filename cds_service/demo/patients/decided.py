"""Charts the rule can decide: high, low, and both sides of the cut-off."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from cds_service.demo.patients import resources as codes
from cds_service.demo.patients.draws import Reporting, draw
from cds_service.demo.patients.story import Event, PatientStory, Person, decided, story

if TYPE_CHECKING:
    from datetime import date


def decided_stories(today: date) -> tuple[PatientStory, ...]:
    """Return the charts with a usable blood draw after the procedure."""
    return (
        _high_after_ablation(today),
        _low_after_tace(today),
        _just_above_cutoff(today),
        _exactly_at_cutoff(today),
    )


def _high_after_ablation(today: date) -> PatientStory:
    return story(
        today,
        "demo-high-after-ablation",
        Person("Ines", "Demo-Almeida", "female", 63),
        title="High SII after ablation",
        text="Three months after microwave ablation the newest blood count gives an SII far above the"
        " cut-off; the peak two days after the procedure is the procedure's own doing and is not used.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 240),),
        treatments=(Event(codes.MICROWAVE_ABLATION, 95),),
        draws=(
            draw(today, 232, ("3.60", "1.62", "188"), "41"),
            draw(today, 98, ("4.05", "1.40", "201"), "39"),
            draw(today, 93, ("9.80", "0.71", "165"), at=time(6, 40)),
            draw(today, 36, ("4.90", "1.12", "208"), "37"),
            draw(today, 6, ("5.10", "0.98", "214"), "36"),
        ),
        expected=decided("above-cutoff", "1113.673", days_ago=6, days_from_procedure=89),
    )


def _low_after_tace(today: date) -> PatientStory:
    return story(
        today,
        "demo-low-after-tace",
        Person("Otto", "Demo-Brandt", "male", 71),
        title="Low SII after TACE",
        text="After two TACE sessions the SII stays below the cut-off; cirrhosis keeps the platelets low,"
        " which pulls SII down, so the absence of a card does not mean a low risk.",
        diagnoses=(Event(codes.CIRRHOSIS, 900), Event(codes.LIVER_CELL_CARCINOMA, 150)),
        treatments=(Event(codes.TACE, 130), Event(codes.TACE, 64)),
        draws=(
            draw(today, 133, ("2.90", "1.25", "96"), "33", reporting=Reporting.CONVENTIONAL),
            draw(today, 66, ("2.60", "1.30", "88"), "32", reporting=Reporting.CONVENTIONAL),
            draw(today, 60, ("6.40", "0.72", "79"), reporting=Reporting.CONVENTIONAL),
            draw(today, 21, ("2.45", "1.21", "92"), "33", reporting=Reporting.CONVENTIONAL),
            draw(today, 5, ("2.30", "1.18", "94"), "34", reporting=Reporting.CONVENTIONAL),
        ),
        expected=decided("not-above-cutoff", "183.220", days_ago=5, days_from_procedure=59),
    )


def _just_above_cutoff(today: date) -> PatientStory:
    return story(
        today,
        "demo-just-above-cutoff",
        Person("Lucia", "Demo-Castellano", "female", 58),
        title="Just above the cut-off",
        text="An SII of 405.9 is above 405.08 by far less than laboratory imprecision moves it; the card is"
        " shown and says how close it is.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 170),),
        treatments=(Event(codes.RADIOFREQUENCY_ABLATION, 75),),
        draws=(
            draw(today, 160, ("2.20", "1.30", "172"), "42"),
            draw(today, 78, ("2.31", "1.10", "168"), "40"),
            draw(today, 44, ("2.40", "1.05", "166"), "40"),
            draw(today, 7, ("2.46", "1.00", "165"), "39"),
        ),
        expected=decided("above-cutoff", "405.900", days_ago=7, days_from_procedure=68),
    )


def _exactly_at_cutoff(today: date) -> PatientStory:
    return story(
        today,
        "demo-exactly-at-cutoff",
        Person("Marc", "Demo-Dubois", "male", 66),
        title="Exactly at the cut-off",
        text="205 x 2.47 / 1.25 is 405.08, exactly the cut-off: the rule says above, so equal is not above.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 200),),
        treatments=(Event(codes.HAIC, 88),),
        draws=(
            draw(today, 91, ("2.90", "1.40", "198"), "38"),
            draw(today, 50, ("2.60", "1.30", "200"), "38"),
            draw(today, 9, ("2.47", "1.25", "205"), "38"),
        ),
        expected=decided("not-above-cutoff", "405.080", days_ago=9, days_from_procedure=79),
    )
