"""Whatever day within its span a procedure really was on: a draw that is used would have been used then as well."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.timing import Relation, TreatmentCalendar
from tests.unit.clinical.values import POLICY, TODAY, at, dated, day, done, draw

AGES = st.integers(min_value=0, max_value=150)


@given(drawn=AGES, ended=st.integers(min_value=-40, max_value=150), length=st.integers(min_value=0, max_value=60))
def test_draw_used_beside_a_span_is_used_beside_every_day_of_it(drawn: int, ended: int, length: int) -> None:
    first, last = day(ended + length), day(ended)
    if first > TODAY:
        return
    spanned = TreatmentCalendar(dated(done(at(first), at(last))), POLICY, TODAY).place(draw(at(day(drawn))))
    if spanned.refusal is not None:
        return

    for possible in days_between(first, min(last, TODAY)):
        exact = TreatmentCalendar(dated(at(possible)), POLICY, TODAY).place(draw(at(day(drawn))))

        assert (exact.relation, exact.refusal) == (spanned.relation, None)
        assert exact.days is not None
        assert spanned.days is not None
        if exact.relation is Relation.AFTER:
            assert exact.days >= spanned.days, "at least"
        else:
            assert exact.days <= spanned.days, "at most"


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
