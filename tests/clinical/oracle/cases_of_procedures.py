"""The charts of the oracle with several procedures, with dates of every precision, and with metastases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clinical.oracle.cases import chart, day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clinical.oracle.judgement import Case


def cases_of_procedures() -> dict[str, Iterator[Case]]:
    """All charts that are about when patients were treated, by their kind."""
    return {
        "several": several_procedures(),
        "span": procedures_of_some_days(),
        "tie": procedures_that_end_together(),
        "metastasis": metastases(),
        "begun": procedures_begun(),
        "follow": follow_up(),
        "elsewhere": metastases_elsewhere(),
    }


def several_procedures() -> Iterator[Case]:
    for procedures, drawn, why in (
        ((60, 120), 40, "too soon after the latest"), ((60, 120), 32, "28 days after the latest"),
        ((60, 120), 65, "baseline of the latest"), ((60, 80), 65, "too soon after the earlier one"),
        ((60, 93), 65, "28 days after the earlier one"), ((60, 92), 65, "27 days after the earlier one"),
        ((60, 70, 90), 75, "too soon after the first"), ((60, 140), 95, "long before the latest"),
        ((120, 60), 65, "the order sent does not matter"), ((10, 200), 100, "long before the latest, long after"),
        ((10, 40), 12, "27 and more days after one, two days before the other"), ((0,), 20, "treated today"),
    ):  # fmt: skip
        yield chart(why, procedures=" ".join(map(day, procedures)), drawn=day(drawn))


def procedures_of_some_days() -> Iterator[Case]:
    """Procedures that are known to the month or year, or lasted: before them is before their first moment."""
    for procedures, drawn, why in (
        ("2026", day(7), "this year: it may have been after the draw or before it"),
        ("2026", "2025-12-31", "this year, and a draw of the last: too long before today"),
        ("2025", "2026-01-27", "last year, and 27 days"), ("2025", "2026-10-27", "last year, long ago"),
        ("2026-10", "2026-10-20", "within the month"), ("2026-10", "2026-10-01", "on its first day"),
        ("2026-10", "2026-10-31", "on its last day"), ("2026-10", "2026-09-30", "31 days before its last day"),
        ("2026-09", "2026-08-31", "30 days before its last day"), ("2026-11", "2026-10-31", "this month: until today"),
        ("2026-11", "2026-11-01", "this month, on its first day"),
        ("2026-08-01/2026-10-15", "2026-10-01", "within a Period of weeks"),
        ("2026-08-01/2026-10-15", "2026-11-11", "27 days after its end"),
        ("2026-08-01/2026-10-15", "2026-11-12", "28 days after its end"),
        ("2026-10-10/2026-10-15", "2026-10-09", "before it began, six days before its end"),
        ("2026-10-10/2026-10-15", "2026-10-10", "on the day it began"),
        ("2026-08-10/2026-08", "2026-09-28", "its end known to the month: 28 days after its last day"),
        ("2026-10-20T08:00:00/2026-10-20T12:00:00", "2026-10-20T07:59:00", "a minute before it began"),
        ("2026-10-20T08:00:00/2026-10-20T12:00:00", "2026-10-20T10:00:00", "while it lasted"),
        ("2026-10-20/2026-10-20T12:00:00", "2026-10-20T07:00:00", "on a day whose hour of beginning is not known"),
        ("2026-10-20T22:00:00/2026-10-21T02:00:00", "2026-10-20T21:00:00", "before a night"),
        ("2026-10-20T22:00:00/2026-10-21T02:00:00", "2026-10-21T01:00:00", "in that night"),
        ("2026-11-10/2026-12-01", day(3), "it ends ahead: the draw lies within"),
        ("2026-11-10/2026-12-01", "2026-11-09", "it ends ahead: until today, 14 days"),
        ("2026-01-15 2026-11-10/2026-12-01", day(3), "and an older one does not make it forgotten"),
        ("2026-11-24/2026-12-01", day(40), "it begins ahead: it does not count"),
        ("2026-10-20 2026-08-01/2026-10-15", "2026-10-01", "before the one, within the other"),
        ("2026-11-20 2026-08-01/2026-10-01", "2026-10-29", "before the one, 28 days after the end of the other"),
        ("2026-11-20 2026-08-01/2026-10-02", "2026-10-29", "before the one, 27 days after the end of the other"),
    ):  # fmt: skip
        yield chart(why, procedures=procedures, drawn=drawn)
    for neutrophils, done, why in (
        ("2026-10-20", "08:30:00", "the neutrophils tell no time"), ("2026-10-20T06:50:00", "08:30:00", "all tell it"),
        ("2026-10-20T06:50:00", "06:55:00", "it began between them"),
    ):  # fmt: skip
        yield chart(why, procedures=f"2026-10-20T{done}", drawn="2026-10-20T07:00:00", neutrophils_drawn=neutrophils)


def procedures_that_end_together() -> Iterator[Case]:
    """Whatever the order sent, the one that began last is the latest."""
    for procedures, drawn, why in (
        ("2026-08 2026-08-31", "2026-08-15", "before the day, within the month"),
        ("2026-08 2026-08-31", "2026-07-31", "31 days before both"),
        ("2026-08 2026-08-31", "2026-08-01", "30 days before the day, within the month"),
        ("2026-09 2026-09-30", "2026-08-31", "30 days before both"),
        ("2026-08 2026-08-31", "2026-10-20", "50 days after both"),
        ("2026-10-01/2026-10-15 2026-10-15", "2026-09-20", "25 days before both"),
        ("2026-10-15T08:00:00/2026-10-15T12:00:00 2026-10-15T10:00:00/2026-10-15T12:00:00", "2026-10-15T07:00:00",
         "an hour before the one, three before the other"),
        ("2025 2025-12 2025-12-31", "2026-10-20", "three of one end"),
    ):  # fmt: skip
        sent = procedures.split()
        for order in (sent, sent[::-1]):
            for metastasis in ("", "2026-08-10", "2025-11-30"):
                yield chart(why, procedures=" ".join(order), drawn=drawn, metastases=metastasis)


def procedures_begun() -> Iterator[Case]:
    """Begun and not completed: they close days, and are no latest procedure."""
    for ago, drawn, why in (
        (60, 40, "20 days before the draw"), (68, 40, "28 days before it"), (67, 40, "27 days before it"),
        (40, 40, "on its day"), (39, 40, "the day after it"), (3, 40, "long after it"), (60, 95, "after a baseline"),
        (100, 95, "five days before a baseline"), (123, 95, "28 days before a baseline"),
    ):  # fmt: skip
        for status in ("in-progress", "on-hold", "stopped", "unknown"):
            yield chart(f"{status}: {why}", procedures=f"{day(90)} {day(ago)}!{status}", drawn=day(drawn))
    yield chart("begun alone is no procedure", procedures=f"{day(90)}!stopped")


def follow_up() -> Iterator[Case]:
    """Five years to the day of the calendar, by the last possible day of the latest procedure."""
    for procedures, why in (
        ("2021-11-23", "to the day"), ("2021-11-22", "a day longer"), ("2021-11", "it may have been later"),
        ("2021-10", "it may not"), ("2018", "years ago"), ("2021", "until the last of December"),
        ("2018-01-01 2022-01-01", "the latest counts"), ("2018-01-01 undated", "one without a date may be later"),
        ("2021-01-01/2021-11-23", "the end of a Period counts"),
    ):  # fmt: skip
        yield chart(why, procedures=procedures)


def metastases_elsewhere() -> Iterator[Case]:
    """Outside the liver no date helps."""
    for found in ("2026-08-24", "2020-01-01", "2026-11-01", "undated"):
        for procedures in ("2026-08-25", "2018-01-01", "undated", "2026-12-24"):
            yield chart("asked before the procedure", procedures=procedures, metastases=f"elsewhere@{found}")


def metastases() -> Iterator[Case]:
    """Recorded before a procedure that surely came later, or else known."""
    for procedures, found, why in (
        ("2026-08-25", "2026-08-24", "the day before"), ("2026-08-25", "2026-08-25", "on the day"),
        ("2026-08-25", "2026-08", "in the month"), ("2026-08-25", "2026-07", "in the month before"),
        ("2026-08-25", "undated", "at no known time"), ("2026-08", "2026-07-31", "before the month"),
        ("2026-08", "2026-08-01", "on its first day"), ("undated", "2020-01-01", "before none that is dated"),
        ("2026-01-15 2026-08-25", "2026-05-01", "between two"),
        ("2025 2025-11-10", "2025-03-10", "within the year, before the exact one"),
        ("2025-11-10 2025", "2025-03-10", "the same in the other order"),
        ("2025 2025-11-10", "2025-11-10", "on the day of the exact one"),
        ("2025 2025-11-10", "2025-12-10", "after the exact one, within the year"),
        ("2026-01-01/2026-09-30 2026-06-01", "2026-05-31", "within the long one, before the exact one"),
        ("2026-01-15 2026-11-24/2026-12-01", "2026-05-01", "before one that is still to come"),
        ("2026-01-15 2026-06-01", "2026-05-01 2026-06-02", "one before and one after"),
    ):  # fmt: skip
        yield chart(why, procedures=procedures, metastases=found)
