"""What the chart holds beside the draw, as the card says it: dates no more precise than they are recorded."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.cards.chart_notes import notes_on_chart
from cds_service.cards.wording import texts_in
from cds_service.clinical.noted import ChartNotes, RecordedFact


@pytest.mark.parametrize(
    ("first", "last", "said", "why"),
    [
        (date(2020, 5, 4), date(2020, 5, 4), "removed spleen (X, 2020-05-04).", "a day"),
        (date(2020, 1, 1), date(2020, 12, 31), "removed spleen (X, 2020-01-01 to 2020-12-31).", "a year is no day"),
        (None, None, "removed spleen (X).", "undated"),
    ],
)
def test_recorded_fact_is_dated_as_recorded(first: date | None, last: date | None, said: str, why: str) -> None:
    notes = ChartNotes(recorded=(RecordedFact("splenectomy", "X", first, last),))

    (note,) = notes_on_chart(notes, texts_in("en"))
    paragraph = note.in_full(texts_in("en"))

    assert paragraph.endswith(said), why
