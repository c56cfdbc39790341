"""The stories of synthetic patients: every way in, every way out, and every trap of a chart read in hindsight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from math import exp, log, sqrt
from random import Random

from tests.support.cohort.histories import Draw, History
from tests.support.cohort.synthetic_resources import (
    ANGIOSARCOMA,
    BONE_METASTASIS,
    CHEMOEMBOLIZATION,
    HCC_SNOMED,
    LIVER_BIOPSY,
    LIVER_SECONDARY,
    ORGAN_EMBOLIZATION,
    STATUS_SYSTEM,
    at_hour,
    coded,
    condition,
    procedure,
)

Story = Callable[[History, Random], None]

# Yu 2023: recurrence of 112 of 272; SII by outcome, mean and standard deviation.
EVENT_SHARE = 112 / 272
SII = {True: (535.23, 174.05), False: (357.84, 120.21)}
NOTHING_MEASURED = "missing-neutrophils,missing-lymphocytes,missing-platelets"


def drawn(random: Random, day: int, mean_and_sd: tuple[float, float], **members: bool) -> Draw:
    """Counts as a laboratory prints them, of a log-normal SII."""
    mean, deviation = mean_and_sd
    spread = log(1 + (deviation / mean) ** 2)
    sii = random.lognormvariate(log(mean) - spread / 2, sqrt(spread))
    ratio = exp(random.gauss(log(2.6), 0.3))
    lymphocytes = random.uniform(0.8, 2.4)
    platelets = min(max(round(sii / ratio), 20), 900)
    return Draw(day, platelets, _printed(ratio * lymphocytes), _printed(lymphocytes), day, **members)


def _printed(value: float) -> Decimal:
    return Decimal(max(round(value * 100), 30)) / 100


def ordinary(history: History, random: Random) -> None:
    """A draw before, some after, then recurrence, death or neither."""
    recurs = random.random() < EVENT_SHARE
    days = [-random.randrange(1, 31), random.randrange(28, 45), random.randrange(50, 90)]
    days += [random.randrange(100, 1_500) for _ in range(random.randrange(3))]
    history.draws = [drawn(random, day, SII[recurs]) for day in sorted({*days})]
    history.sex = random.choice(("male", "male", "male", "female"))
    history.last = random.randrange(300, 2_400)
    if recurs:
        history.recurrence = random.randrange(100, 1_800)
        history.recurrence_code = random.choice((LIVER_SECONDARY, BONE_METASTASIS))
    if random.random() < 0.2:
        history.death = random.randrange(120, 2_300)


def percentages(history: History, random: Random) -> None:
    ordinary(history, random)
    history.draws = [
        Draw(
            day, random.randrange(80, 300), Decimal(random.randrange(500, 700)) / 10, Decimal("25.5"), day, shares=True
        )
        for day in (-3, 40, 80)
    ]


def recurred_before_the_landmark(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.death = random.randrange(46, 91), None


def died_before_the_landmark(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.death = None, random.randrange(46, 91)
    history.last = history.death
    history.draws = [draw for draw in history.draws if draw.day < 45]


def lost_before_the_landmark(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence = history.death = None
    history.last = random.randrange(45, 91)
    history.draws = [draw for draw in history.draws if draw.day < 45]


def recurred_the_day_after_the_landmark(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.death = 91, None


def recorded_late(history: History, random: Random) -> None:
    """The recurrence began before the landmark and was written down after it: nobody knew."""
    ordinary(history, random)
    history.recurrence, history.recurrence_onset, history.death = random.randrange(95, 200), 60, None


def recorded_on_the_index_day(history: History, random: Random) -> None:
    """What the procedure was for is no event."""
    ordinary(history, random)
    history.recurrence, history.death = None, None
    history.extra.append(
        condition(f"{history.patient}-for", history.patient, LIVER_SECONDARY, recordedDate=history.index.isoformat())
    )


def suspected(history: History, random: Random) -> None:
    """A suspicion is no event."""
    ordinary(history, random)
    history.recurrence = history.death = None
    unsure = coded((STATUS_SYSTEM + "condition-ver-status", "provisional"))
    history.extra.append(
        condition(
            f"{history.patient}-maybe",
            history.patient,
            LIVER_SECONDARY,
            recordedDate=history.day(200).isoformat(),
            verificationStatus=unsure,
        )
    )
    history.last = max(history.last, 200)


def died_after_recurrence(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.death = 400, 700


def recurred_and_died_on_one_day(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence = history.death = 500


def recurred_after_follow_up(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.death, history.last = 2_200, None, 2_300


def died_without_a_date(history: History, random: Random) -> None:
    ordinary(history, random)
    history.death, history.undatable = None, True
    history.patient_members["deceasedBoolean"] = True


def recurred_without_a_date(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.undatable = None, True
    history.extra.append(condition(f"{history.patient}-undated", history.patient, LIVER_SECONDARY))


def status_of_today(history: History, random: Random) -> None:
    """The diagnosis of then says today that the cancer came back, and not when."""
    ordinary(history, random)
    history.recurrence, history.undatable = None, True
    history.cancer_members["clinicalStatus"] = coded((STATUS_SYSTEM + "condition-clinical", "recurrence"))


def metastasis_before(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.refused = None, "metastasis-known"
    day = history.day(-100).isoformat()
    history.extra.append(condition(f"{history.patient}-bone", history.patient, BONE_METASTASIS, recordedDate=day))


def under_age(history: History, random: Random) -> None:
    ordinary(history, random)
    history.birth, history.refused = history.day(-365 * 16), "under-age"


def no_cancer(history: History, random: Random) -> None:
    """A fibroid, say, whose code counts for nothing."""
    ordinary(history, random)
    history.recurrence, history.refused = None, "no-primary-liver-cancer"
    history.cancer = ("http://hl7.org/fhir/sid/icd-10-cm", "K76.0")


def other_histology(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.refused = None, "histology-not-studied"
    history.cancer = ANGIOSARCOMA


def other_organ(history: History, random: Random) -> None:
    """A code of many uses, and the organ is named: it begins follow-up by its code, and the rule refuses it."""
    ordinary(history, random)
    history.recurrence, history.refused = None, "no-interventional-procedure"
    history.therapy = ORGAN_EMBOLIZATION
    history.therapy_members["bodySite"] = [coded(("http://snomed.info/sct", "78961009"), "Spleen")]


def record_replaced(history: History, random: Random) -> None:
    ordinary(history, random)
    history.refused = "record-replaced"
    history.patient_members["link"] = [{"other": {"reference": "Patient/elsewhere"}, "type": "replaced-by"}]


def died_on_the_index_day(history: History, random: Random) -> None:
    """No event after the procedure: the rule's matter, which is asked at the end of that day."""
    ordinary(history, random)
    history.recurrence, history.death, history.refused = None, 0, "deceased"
    history.last = 0
    history.draws = [draw for draw in history.draws if draw.day < 0]


def no_blood(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence = history.death = None
    history.draws, history.last = [], 900
    history.silent = {"baseline": NOTHING_MEASURED, "landmark:90": NOTHING_MEASURED, "draw": NOTHING_MEASURED}


def only_closed_days(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence = history.death = None
    history.draws, history.last = [drawn(random, 10, SII[False])], 900
    history.silent = {
        "baseline": NOTHING_MEASURED,
        "landmark:90": "post-procedure-window",
        "draw": "post-procedure-window",
    }


def zero_lymphocytes(history: History, random: Random) -> None:
    """A complete draw that says nothing is not passed over for an older one, and is no usable one."""
    ordinary(history, random)
    history.recurrence = history.death = None
    history.draws = [Draw(50, 200, Decimal("3.5"), Decimal(0), 50, spoilt=True)]
    history.last, history.undecided = 900, 50
    history.silent = {
        "baseline": NOTHING_MEASURED,
        "draw": "zero-lymphocytes",
        "landmark:90": "zero-lymphocytes",
    }


def issued_late(history: History, random: Random) -> None:
    """Drawn before the landmark, issued after it: the draw before decides."""
    ordinary(history, random)
    history.recurrence = history.death = None
    history.draws = [drawn(random, 40, SII[False]), drawn(random, 80, SII[True])._replace(known=93)]
    history.last = 900
    history.silent = {"baseline": NOTHING_MEASURED}


def treated_again(history: History, random: Random) -> None:
    """A second procedure on day 60 makes the draw of day 40 the one before it, and closes the days after."""
    ordinary(history, random)
    history.again, history.death, history.recurrence = 60, None, None
    history.draws = [drawn(random, day, SII[False]) for day in (-5, 40, 70)]
    history.last = 1_000


def treated_over_days(history: History, random: Random) -> None:
    """A course of three days counts by its last one."""
    ordinary(history, random)
    start, end = at_hour(history.day(-2)), at_hour(history.index)
    history.therapy_members["performedPeriod"] = {"start": start, "end": end}
    history.draws = [draw._replace(day=min(draw.day, -4), known=min(draw.day, -4)) if draw.day < 0 else draw
                     for draw in history.draws]  # fmt: skip


def other_codes(history: History, random: Random) -> None:
    ordinary(history, random)
    history.cancer, history.therapy = HCC_SNOMED, CHEMOEMBOLIZATION


def diagnosed_after(history: History, random: Random) -> None:
    """Nobody had written the cancer down on the day of the procedure; on the landmark it is known."""
    ordinary(history, random)
    history.cancer_members["recordedDate"] = history.day(20).isoformat()
    history.refused_at = {"baseline": "no-primary-liver-cancer"}


def biopsied(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.has_index, history.therapy = None, False, LIVER_BIOPSY


def begun_and_stopped(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.has_index = None, False
    history.therapy_members["status"] = "stopped"


def treated_on_no_day(history: History, random: Random) -> None:
    """A procedure without a date begins nothing."""
    ordinary(history, random)
    history.recurrence, history.has_index = None, False
    history.therapy_members["performedDateTime"] = None


def never_treated(history: History, random: Random) -> None:
    ordinary(history, random)
    history.recurrence, history.has_index = None, False
    history.therapy_members["status"] = "not-done"


def planned_in_the_past(history: History, random: Random) -> None:
    """An older procedure of the same code that somebody entered in error."""
    ordinary(history, random)
    wrong = procedure(
        f"{history.patient}-error",
        history.patient,
        history.therapy,
        status="entered-in-error",
        performedDateTime=at_hour(history.index - timedelta(days=200)),
    )
    history.extra.append(wrong)


COMMON: tuple[Story, ...] = (ordinary,) * 7 + (percentages, other_codes, treated_over_days)
RARE: tuple[Story, ...] = (
    recurred_before_the_landmark,
    died_before_the_landmark,
    lost_before_the_landmark,
    recurred_the_day_after_the_landmark,
    recorded_late,
    recorded_on_the_index_day,
    suspected,
    died_after_recurrence,
    recurred_and_died_on_one_day,
    recurred_after_follow_up,
    died_without_a_date,
    recurred_without_a_date,
    status_of_today,
    metastasis_before,
    under_age,
    no_cancer,
    other_histology,
    other_organ,
    record_replaced,
    died_on_the_index_day,
    no_blood,
    only_closed_days,
    zero_lymphocytes,
    issued_late,
    treated_again,
    diagnosed_after,
    biopsied,
    begun_and_stopped,
    treated_on_no_day,
    never_treated,
    planned_in_the_past,
)


def cohort(patients: int, seed: int) -> list[History]:
    """Make histories: every rare story at least once where there are enough patients, the common ones otherwise."""
    random = Random(seed)  # noqa: S311
    found = []
    for number in range(patients):
        rare = number < len(RARE) or random.random() < 0.25
        story = RARE[number % len(RARE)] if rare else random.choice(COMMON)
        index = date(2012, 1, 1) + timedelta(days=random.randrange(1_400))
        history = History(story.__name__, f"p{number:06d}", index)
        story(history, random)
        found.append(history)
    return found
