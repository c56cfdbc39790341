"""Charts in which the laboratory's way of reporting decides: units, gaps and withdrawn results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cds_service.demo.patients import resources as codes
from cds_service.demo.patients.draws import Reporting, draw
from cds_service.demo.patients.story import Event, PatientStory, Person, decided, story, undecided

if TYPE_CHECKING:
    from datetime import date

_MISSING_ALL = ("missing-neutrophils", "missing-lymphocytes", "missing-platelets")


def laboratory_stories(today: date) -> tuple[PatientStory, ...]:
    """Return the charts that need careful reading of the results."""
    return (
        _counts_per_microliter(today),
        _percent_differential(today),
        _platelets_missing(today),
        _zero_lymphocytes(today),
        _withdrawn_panels(today),
        _results_of_another_patient(today),
    )


def _counts_per_microliter(today: date) -> PatientStory:
    return story(
        today,
        "demo-counts-per-microliter",
        Person("Claire", "Demo-Fontaine", "female", 69),
        title="Counts per microlitre",
        text="This laboratory reports cells per microlitre; read as 10⁹/L the SII would be a thousand times too high.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 145),),
        treatments=(Event(codes.TACE, 52),),
        draws=(
            draw(today, 140, ("3.90", "1.50", "177"), "41", reporting=Reporting.PER_MICROLITER),
            draw(today, 55, ("4.10", "1.30", "182"), "40", reporting=Reporting.PER_MICROLITER),
            draw(today, 12, ("4.20", "1.10", "182"), "38", reporting=Reporting.PER_MICROLITER),
        ),
        expected=decided("above-cutoff", "694.909", days_ago=12, days_from_procedure=40),
    )


def _percent_differential(today: date) -> PatientStory:
    percent = Reporting.PERCENT_DIFFERENTIAL
    return story(
        today,
        "demo-percent-differential",
        Person("Jonas", "Demo-Grünwald", "male", 61),
        title="Differential in percent only",
        text="Neutrophils and lymphocytes come as percentages; their ratio, and with it SII, is the same as"
        " from absolute counts.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 130),),
        treatments=(Event(codes.MICROWAVE_ABLATION, 110),),
        draws=(
            draw(today, 113, ("61", "29", "201"), "40", reporting=percent),
            draw(today, 60, ("64", "27", "196"), "39", reporting=percent),
            draw(today, 8, ("68", "24", "190"), "39", reporting=percent),
        ),
        expected=decided("above-cutoff", "538.333", days_ago=8, days_from_procedure=102, basis="percent"),
    )


def _platelets_missing(today: date) -> PatientStory:
    return story(
        today,
        "demo-platelets-missing",
        Person("Sofie", "Demo-Eriksen", "female", 54),
        title="No platelet count",
        text="The platelets clumped in the tube and the laboratory gave no count: the service says what is"
        " missing instead of staying silent.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 90),),
        treatments=(Event(codes.MICROWAVE_ABLATION, 70),),
        draws=(
            draw(today, 62, ("5.60", "0.90", None)),
            replace(draw(today, 4, ("3.10", "1.20", None), "40"), clumped=True),
        ),
        expected=undecided("indeterminate", "data-absent", "missing-platelets", exclusions={"data-absent": 1}),
    )


def _zero_lymphocytes(today: date) -> PatientStory:
    return story(
        today,
        "demo-zero-lymphocytes",
        Person("Maja", "Demo-Lindqvist", "female", 49),
        title="No lymphocytes counted",
        text="The newest count found no lymphocytes, so SII is undefined; the older count is not put in its"
        " place, because the newer finding must not be hidden.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 100),),
        treatments=(Event(codes.MICROWAVE_ABLATION, 58),),
        draws=(
            draw(today, 60, ("3.20", "1.30", "190"), "40"),
            draw(today, 25, ("3.00", "0.40", "170"), "36"),
            draw(today, 3, ("2.80", "0", "143"), "33"),
        ),
        expected=undecided("indeterminate", "zero-lymphocytes"),
    )


def _withdrawn_panels(today: date) -> PatientStory:
    return story(
        today,
        "demo-withdrawn-panels",
        Person("Emre", "Demo-Kaya", "male", 59),
        title="Withdrawn results",
        text="The laboratory marked both blood counts as entered in error; their high values stay in the"
        " chart but must not lead to a warning.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 80),),
        treatments=(Event(codes.TACE, 61),),
        draws=tuple(
            replace(mistaken, status="entered-in-error")
            for mistaken in (
                draw(today, 63, ("7.10", "0.95", "288")),
                draw(today, 5, ("7.70", "0.90", "301")),
            )
        ),
        expected=undecided(
            "indeterminate", "status-not-accepted", *_MISSING_ALL, exclusions={"status-not-accepted": 6}
        ),
    )


def _results_of_another_patient(today: date) -> PatientStory:
    return story(
        today,
        "demo-results-of-another-patient",
        Person("Mila", "Demo-Petrov", "female", 60),
        title="Another patient's results mixed in",
        text="The newest blood count in this chart belongs to somebody else; only the patient's own count"
        " of a month ago is judged.",
        diagnoses=(Event(codes.LIVER_CELL_CARCINOMA, 110),),
        treatments=(Event(codes.RADIOFREQUENCY_ABLATION, 66),),
        draws=(
            draw(today, 69, ("2.60", "1.50", "170"), "42"),
            draw(today, 30, ("2.50", "1.45", "178"), "41"),
            replace(draw(today, 3, ("6.80", "0.80", "322")), filed_for="demo-somebody-else"),
        ),
        expected=decided(
            "not-above-cutoff",
            "306.897",
            days_ago=30,
            days_from_procedure=36,
            exclusions={"subject-mismatch": 3},
        ),
    )
