"""What the card of an indeterminate outcome says: why, since when, and which blood can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.clinical.chart_facts import ProcedureTime
from cds_service.clinical.reasons import Reason
from tests.unit.cards.assessments import TAKEN, card, detail, indeterminate
from tests.unit.clinical.values import POLICY, at, day, done

WINDOW, NO_P = Reason.POST_PROCEDURE_WINDOW, Reason.MISSING_PLATELETS


def test_detail_of_an_indeterminate_outcome_lists_reasons_with_their_dates() -> None:
    found = indeterminate(
        WINDOW, NO_P, Reason.UNIT_UNKNOWN, taken={WINDOW: at("2026-02-01"), NO_P: TAKEN}, newest_result=TAKEN
    )

    assert card(found).detail == (
        "**The systemic immune-inflammation index (SII) could not be assessed for this patient.** "
        "This says nothing about the risk of recurrence.\n"
        "\n"
        "* 2026-02-01: Blood was or may have been drawn too soon after a procedure: counts are unsettled.\n"
        "* 2026-02-18: No usable platelet count.\n"
        "* A result has a unit that is not in the reviewed table.\n"
        "\n"
        "Newest blood count in the data: 2026-02-18 07:15 CST.\n"
        "\n"
        "Latest interventional procedure: 2026-01-09. SII is read from blood drawn on or after 2026-02-06 and at most "
        "90 days old; else from blood drawn from 2025-12-10 until the latest procedure.\n"
        "\n"
        "Rule 2.0.0, mappings mappings-1. Decision support for professionals; not a diagnosis."
    )


def test_detail_of_an_indeterminate_outcome_gives_the_windows_of_the_site() -> None:
    policy = replace(POLICY, post_procedure_exclusion_days=13, max_age_days=60, baseline_window_days=1)

    text = detail(indeterminate(WINDOW, policy=policy), policy)

    assert "on or after 2026-01-23 and at most 60 days old; else from blood drawn from 2026-01-08 until the" in text


@pytest.mark.parametrize(
    ("latest", "expected", "reason"),
    [
        (
            ProcedureTime(at("2026-01-01"), at("2026-12-31"), "2026", "2026"),
            "Latest interventional procedure: 2026. Blood drawn within that time is not read: the procedure may have "
            "come before it. SII is read from blood drawn on or after 2027-01-28",
            "known to the year: whatever its day, and the same tomorrow",
        ),
        (
            done(at("2026-03-01"), at("2026-04-01")),
            "Latest interventional procedure: 2026-03-01 to 2026-04-01. Blood drawn within that time is not read: the "
            "procedure may have come before it. SII is read from blood drawn on or after 2026-04-29",
            "a Period that ends ahead",
        ),
        (
            done(at("2026-03-01"), at("9999-12-31")),
            "Latest interventional procedure: 2026-03-01 to 9999-12-31. Blood drawn within that time is not read: the "
            "procedure may have come before it. SII is read from blood drawn on or after 9999-12-31",
            "one without an end, as some systems write it",
        ),
    ],
)
def test_detail_of_an_indeterminate_outcome_tells_the_procedure_as_recorded(
    latest: ProcedureTime, expected: str, reason: str
) -> None:
    assert expected in detail(indeterminate(WINDOW, latest_procedure=latest)), reason


READ = "SII is read from blood drawn "


@pytest.mark.parametrize(
    ("ages", "expected", "reason"),
    [
        (
            {"closing": (50,)},
            "on or after 2026-02-16 and at most 90 days old; else from blood drawn from 2025-12-10 until the latest "
            "procedure.",
            "a resection within the days of the procedure closes later ones",
        ),
        (
            {"closing": (20,)},
            "from 2026-02-06 to 2026-02-17 or on or after 2026-03-18 and at most 90 days old; else from blood drawn "
            "from 2025-12-10 until the latest procedure.",
            "a later one leaves days before it",
        ),
        (
            {"earlier": (75,)},
            "on or after 2026-02-06 and at most 90 days old; else from blood drawn from 2025-12-10 to 2025-12-24.",
            "an earlier one ends the days before the latest",
        ),
        ({"earlier": (87, 90)}, "on or after 2026-02-06 and at most 90 days old.\n", "no day before it is open"),
        (
            {"earlier": (88, 90)},
            "on or after 2026-02-06 and at most 90 days old; else from blood drawn from 2026-01-09 until the latest "
            "procedure.",
            "nothing but the hours before it",
        ),
    ],
)
def test_detail_of_an_indeterminate_outcome_names_the_days_that_all_procedures_leave(
    ages: dict[str, tuple[int, ...]], expected: str, reason: str
) -> None:
    others: dict[str, Any] = {name: tuple(done(at(day(age))) for age in of_kind) for name, of_kind in ages.items()}

    text = detail(indeterminate(WINDOW, **others))

    assert READ + expected in text, reason


def test_detail_of_an_indeterminate_outcome_leaves_out_what_is_unknown() -> None:
    text = detail(indeterminate(Reason.PROCEDURE_DATE_MISSING, latest_procedure=None, newest_result=None))

    assert "Newest blood count" not in text
    assert "Latest interventional procedure" not in text
    assert "* The procedure that may be the latest one carries no date that can be read." in text
