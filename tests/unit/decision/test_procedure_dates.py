"""From the recorded date of a procedure to the card: nothing is before a procedure that may already have begun."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_service.cards.builder import CardBuilder
from cds_service.cli.explain_text import as_text
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.support.charts import NOW, Json, bundle, condition, draw, hook_request, observation, procedure
from tests.unit.decision.asking import SITE, assessment, decision, explanation

WINDOW = {"outcome": "indeterminate", "reasons": ["post-procedure-window"]}
NEUTROPHILS, PLATELETS, LYMPHOCYTES = "751-8", "777-3", "731-0"


def chart(drawn: str, *procedures: str) -> Json:
    """A chart with one draw; a procedure is a date, or a Period as start/end."""
    return hook_request(*draw(when=drawn), procedures=bundle(*map(dated, range(len(procedures)), procedures)))


def dated(number: int, performed: str) -> Json:
    start, _, end = performed.partition("/")
    members: Json = {"id": f"pr{number}", "performedDateTime": None if end else performed}
    return procedure(**members | ({"performedPeriod": {"start": start, "end": end}} if end else {}))


def placed(relation: str, days: int) -> Json:
    return {"outcome": "above-cutoff", "relation": relation, "daysFromProcedure": days}


# The clock stands at 2026-11-23, 18:00 at the site. Draw; procedures; what the assessment says; what the card says.
CASES: list[tuple[str, tuple[str, ...], Json, str, str]] = [
    ("2026-11-16", ("2026",), WINDOW, "procedure: 2026.", "known to the year: it may have been the day before"),
    ("2026-10-20", ("2026-10",), WINDOW, "procedure: 2026-10.", "known to the month likewise"),
    (
        "2026-10-20T10:00:00Z",
        ("2026-10-20T08:00:00Z/2026-10-20T12:00:00Z",),
        WINDOW,
        "procedure: 2026-10-20.",
        "while it lasted",
    ),
    (
        "2026-10-20T07:59:00Z",
        ("2026-10-20T08:00:00Z/2026-10-20T12:00:00Z",),
        placed("before", 0),
        "on the day of the latest interventional procedure (2026-10-20), before it began.",
        "before it began",
    ),
    (
        "2026-10-01",
        ("2026-08-01/2026-10-15",),
        WINDOW,
        "procedure: 2026-08-01 to 2026-10-15.",
        "within a Period of weeks",
    ),
    (
        "2026-11-12",
        ("2026-08-01/2026-10-15",),
        placed("after", 28),
        "at least 28 days after the latest interventional procedure (2026-08-01 to 2026-10-15).",
        "after it",
    ),
    (
        "2026-10-31",
        ("2026-11",),
        placed("before", 23),
        "at most 23 days before the latest interventional procedure (2026-11).",
        "before this month, which ends today",
    ),
    (
        "2026-11-20",
        ("2026-01-15", "2026-11-10/2026-12-01"),
        WINDOW,
        "procedure: 2026-11-10 to 2026-12-01.",
        "completed, with an end ahead: not forgotten for an older one",
    ),
    (
        "2026-11-20",
        ("2026-01-15", "2026-11-24/2026-12-01"),
        placed("after", 309),
        "309 days after the latest interventional procedure (2026-01-15).",
        "one that begins ahead does not count",
    ),
]


@pytest.mark.parametrize(("drawn", "procedures", "told", "shown", "reason"), CASES)
def test_draw_beside_a_procedure_is_placed_and_told_as_recorded(
    drawn: str, procedures: tuple[str, ...], told: Json, shown: str, reason: str
) -> None:
    found, text = assessed(chart(drawn, *procedures))

    assert {name: found[name] for name in told} == told, reason
    assert shown in text, reason


def test_draw_with_a_part_that_tells_no_time_is_not_before_a_procedure_of_its_day() -> None:
    blood = (
        observation(NEUTROPHILS, 9, when="2026-10-20"),
        observation(LYMPHOCYTES, 1, when="2026-10-20T07:00:00Z"),
        observation(PLATELETS, 200, when="2026-10-20T07:00:00Z"),
    )

    found, _ = assessed(hook_request(*blood, procedures=bundle(procedure(when="2026-10-20T08:30:00Z"))))

    assert {name: found[name] for name in WINDOW} == WINDOW


@pytest.mark.parametrize("performed", ["2026", "2026-10", "2026-11", "2026-08-01/2026-10-15", "2026-11-10/2026-12-01"])
def test_card_names_no_day_that_nobody_recorded(performed: str) -> None:
    _, text = assessed(chart("2026-10-16", performed))

    sentence = next(line for line in text.splitlines() if "Latest interventional procedure" in line).split(" SII")[0]
    assert re.findall(r"[\d-]{4,}", sentence) == performed.split("/")
    assert NOW.date().isoformat() not in text


@pytest.mark.parametrize(
    ("recorded", "outcome", "reason"),
    [
        ("2026-07-31", "above-cutoff", "before the procedure began"),
        ("2026-08-01", "above-cutoff", "on the day it began: what it was for"),
        ("2026-09-01", "not-eligible", "while it lasted: nobody knows that the procedure treated it"),
    ],
)
def test_metastasis_is_known_unless_before_the_procedure_began(recorded: str, outcome: str, reason: str) -> None:
    spread = condition("C78.7", onsetDateTime=recorded)
    body = chart("2026-11-20", "2026-08-01/2026-10-15")
    body["prefetch"]["conditions"] = bundle(condition(), spread)

    assert assessment(body)["outcome"] == outcome, reason


@pytest.mark.parametrize("placeholder", ["0001-01-01", "0001-01-01T00:00:00Z", "1753-01-01"])
def test_placeholder_for_an_unknown_day_dates_no_procedure(placeholder: str) -> None:
    assert assessment(chart("2026-11-20", placeholder))["reasons"] == ["procedure-date-missing"]


@pytest.mark.parametrize(
    ("performed", "told"),
    [
        ("2026", "ablation/microwave 2026: counted"),
        ("2026-08-01/2026-10-15", "ablation/microwave 2026-08-01 to 2026-10-15: counted"),
    ],
)
def test_explanation_tells_the_date_of_a_procedure_as_recorded(performed: str, told: str) -> None:
    found = explanation(chart("2026-11-20", performed)) | {"crossCheck": []}

    assert [row["performed"] for row in found["eligibility"]["procedures"]] == [performed]
    assert told in as_text(found)


def assessed(body: Json) -> tuple[dict[str, Any], str]:
    found = decision(body)
    (card,) = CardBuilder(SII.voice, SITE.cards, SITE.policy, "m").build(found.assessment, lambda: "u", found.gaps)
    return assessment(body), card.detail or ""
