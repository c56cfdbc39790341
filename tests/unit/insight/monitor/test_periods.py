"""Which days are judged and learned from."""

from datetime import date

import pytest

from cds_service.errors import PeriodError
from cds_service.insight.monitor.periods import Wanted, choose_periods

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("wanted", "first_record", "expected", "reason"),
    [
        (
            Wanted(),
            date(2025, 1, 1),
            ("2025-12-16", "2026-02-09", "2026-02-10", "2026-03-09"),
            "four weeks until yesterday against the eight weeks before; today is not complete",
        ),
        (
            Wanted(),
            date(2026, 1, 25),
            ("2025-12-22", "2026-02-15", "2026-02-16", "2026-03-09"),
            "a young log: 21 whole days to learn from, the rest to judge",
        ),
        (
            Wanted(),
            date(2026, 3, 1),
            ("2026-01-12", "2026-03-08", "2026-03-09", "2026-03-09"),
            "too young: a single day, and no client will have a baseline for it",
        ),
        (
            Wanted(until=date(2026, 3, 20)),
            date(2025, 1, 1),
            ("2025-12-16", "2026-02-09", "2026-02-10", "2026-03-09"),
            "days to come are not judged",
        ),
        (
            Wanted(baseline_since=date(2025, 11, 1), baseline_until=date(2025, 12, 31)),
            date(2025, 1, 1),
            ("2025-11-01", "2025-12-31", "2026-02-10", "2026-03-09"),
            "a stated clean period",
        ),
        (
            Wanted(baseline_until=date(2026, 2, 28)),
            date(2025, 1, 1),
            ("2026-01-04", "2026-02-28", "2026-03-01", "2026-03-09"),
            "what is judged begins after a stated baseline",
        ),
        (
            Wanted(since=date(2026, 3, 1), baseline_days=180),
            date(2025, 1, 1),
            ("2025-09-02", "2026-02-28", "2026-03-01", "2026-03-09"),
            "a longer baseline for a small hospital",
        ),
    ],
)
def test_periods_are_chosen(wanted: Wanted, first_record: date, expected: tuple[str, ...], reason: str) -> None:
    found = choose_periods(wanted, TODAY, first_record)

    shown = (found.baseline_first, found.baseline_last, found.first, found.last)
    assert tuple(day.isoformat() for day in shown) == expected, reason


@pytest.mark.parametrize(
    ("wanted", "said", "reason"),
    [
        (Wanted(since=TODAY), "no complete day", "only today"),
        (Wanted(since=date(2026, 3, 1), until=date(2026, 2, 1)), "no complete day", "the wrong way round"),
        (Wanted(baseline_since=date(2026, 3, 1), baseline_until=date(2026, 2, 1)), "before it begins", ""),
        (Wanted(since=date(2026, 3, 1), baseline_until=date(2026, 3, 1)), "must end before", "judged by itself"),
        (Wanted(since=date.min), "no log reaches to", "nothing lies before it to learn from"),
        (Wanted(until=date.min), "no log reaches to", "four weeks to judge would begin before the calendar"),
        (Wanted(baseline_since=date.min), "no log reaches to", "two thousand years to learn from"),
        (Wanted(baseline_until=date.min), "no log reaches to", "eight weeks would begin before the calendar"),
        (Wanted(baseline_until=date.max), "no log reaches to", "nothing lies behind it to judge"),
        (Wanted(since=date(26, 3, 1)), "no log reaches to", "a year written short"),
        (
            Wanted(since=date(2026, 3, 8), left_out=frozenset({date(2026, 3, 8), date(2026, 3, 9)})),
            "all days from 2026-03-08 to 2026-03-09 are left out",
            "nothing remains",
        ),
    ],
)
def test_periods_that_leave_nothing_are_refused(wanted: Wanted, said: str, reason: str) -> None:
    with pytest.raises(PeriodError, match=said):
        choose_periods(wanted, TODAY, date(2025, 1, 1))


def test_periods_days_left_out_neither_teach_nor_are_judged() -> None:
    left_out = frozenset({date(2026, 1, 1), date(2026, 3, 2)})
    found = choose_periods(Wanted(left_out=left_out), TODAY, date(2025, 1, 1))

    assert (len(found.baseline_days(date(2025, 1, 1))), len(found.judged_days())) == (55, 27)
    assert not left_out & {*found.baseline_days(date(2025, 1, 1)), *found.judged_days()}
