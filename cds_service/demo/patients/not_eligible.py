"""Charts of patients the rule was not made for: no card, whatever their SII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.demo.patients import resources as codes
from cds_service.demo.patients.draws import draw
from cds_service.demo.patients.story import Event, PatientStory, Person, story, undecided

if TYPE_CHECKING:
    from datetime import date


def not_eligible_stories(today: date) -> tuple[PatientStory, ...]:
    """Return the charts with a high SII that lead to no card."""
    return (_liver_metastases(today), _recurrence_known(today), _no_interventional_procedure(today))


def _liver_metastases(today: date) -> PatientStory:
    return story(
        today,
        "demo-liver-metastases",
        Person("Nadia", "Demo-Ivanova", "female", 67),
        title="Liver metastases",
        text="The ablated lesions were metastases of a colon cancer, not primary liver cancer; the published"
        " cut-off does not apply.",
        diagnoses=(Event(codes.COLON_CANCER, 700), Event(codes.LIVER_METASTASES, 120)),
        treatments=(Event(codes.LESION_DESTRUCTION, 80),),
        draws=(
            draw(today, 83, ("4.80", "1.20", "260"), "40"),
            draw(today, 10, ("5.20", "1.05", "281"), "38"),
        ),
        expected=undecided("not-eligible", "no-primary-liver-cancer"),
    )


def _recurrence_known(today: date) -> PatientStory:
    return story(
        today,
        "demo-recurrence-known",
        Person("Pieter", "Demo-Jansen", "male", 70),
        title="Recurrence already known",
        text="Recurrence was diagnosed after the ablation; a warning that it may come would only disturb.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 240), Event(codes.LOCAL_RECURRENCE, 25)),
        treatments=(Event(codes.RADIOFREQUENCY_ABLATION, 210),),
        draws=(
            draw(today, 215, ("3.00", "1.40", "150"), "41"),
            draw(today, 120, ("3.80", "1.20", "158"), "39"),
            draw(today, 28, ("4.90", "1.00", "171"), "36"),
        ),
        expected=undecided("not-eligible", "recurrence-known"),
    )


def _no_interventional_procedure(today: date) -> PatientStory:
    return story(
        today,
        "demo-no-interventional-procedure",
        Person("Erik", "Demo-Olsen", "male", 57),
        title="No interventional procedure yet",
        text="The tumour was resected and TACE is only planned; the study looked at patients after"
        " interventional therapy.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 130),),
        treatments=(Event(codes.LIVER_RESECTION, 100), Event(codes.TACE, None)),
        draws=(
            draw(today, 104, ("4.10", "1.30", "221"), "43"),
            draw(today, 9, ("4.70", "1.00", "240"), "39"),
        ),
        expected=undecided("not-eligible", "no-interventional-procedure"),
    )
