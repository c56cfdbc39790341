"""Each chart says the same as picture and as table, for no data and for a lot of it too."""

import re
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.errors import MissingExtraError
from cds_service.reports.as_html import as_html
from cds_service.reports.content import Column, Document, Section, Table
from cds_service.reports.draw import draw_plot
from cds_service.reports.plot_tables import data_table
from cds_service.reports.plots import Bar, Plot, Series, TimeMark, ValueForm, formatted
from tests.unit.reports.samples import (
    FIRST_DAY,
    charts,
    histogram,
    horizontal_bars,
    page,
    stacked_bars,
    time_series,
)

WEEKS_OF_A_YEAR = tuple(f"2026-W{number:02}" for number in range(1, 53))


@pytest.mark.parametrize("chart", charts(), ids=lambda chart: chart.id)
def test_chart_colors_are_classes_only(chart: Plot) -> None:
    drawn = draw_plot(chart)

    assert not re.search(r"#[0-9a-f]{6}\b(?!\))", drawn.replace('href="#', ""))
    assert "style" not in drawn
    assert 'class="fill-' in drawn


@pytest.mark.parametrize("chart", charts(), ids=lambda chart: chart.id)
def test_chart_table_has_as_many_cells_as_columns(chart: Plot) -> None:
    table = data_table(chart)

    assert table.rows
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_time_series_table_names_alarms_and_marks() -> None:
    chart = replace(time_series(), marks=(*time_series().marks, TimeMark(FIRST_DAY + timedelta(days=30), "later")))
    rows = {row[0]: row[1:] for row in data_table(chart).rows}

    assert rows["2026-03-02"] == ("8.0 %", "2.0 %", "9.0 %", "16.0 %", "")
    assert rows["2026-03-05"][0] == "–"
    assert rows["2026-03-09"][-1] == "outside the limits; drift"
    assert rows["2026-04-01"] == ("–", "–", "–", "–", "later")


def test_stacked_bars_more_series_than_colors_are_added_up_in_the_picture_only() -> None:
    chart = stacked_bars(series=12)

    assert "other (5)" in draw_plot(chart)
    assert len(data_table(chart).columns) == 13


def test_histogram_table_names_spans_and_limit() -> None:
    table = data_table(histogram())

    assert table.rows[0] == ("50 to 100", "3")
    assert "cut-off: 405.08" in table.caption


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        (replace(time_series(), points=(), marks=()), "no day"),
        (replace(time_series(), points=(replace(time_series().points[0], value=None),)), "a day without value"),
        (replace(stacked_bars(), categories=(), series=()), "no week"),
        (replace(stacked_bars(), series=()), "no series"),
        (replace(histogram(), groups=(Series("hooks", (0, 0, 0, 0, 0)),)), "nothing counted"),
        (replace(horizontal_bars(), bars=()), "no bar"),
    ],
)
def test_chart_without_data_says_so(chart: Plot, reason: str) -> None:
    assert "No data." in draw_plot(chart), reason
    data_table(chart)


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        (replace(time_series(), points=time_series().points[:1], marks=()), "one day"),
        (replace(stacked_bars(), series=(Series("none at all", (0, 0, 0)),)), "only zeros"),
        (replace(stacked_bars(), series=(Series("患者 مريض", (1, 0, 2)),)), "scripts the drawing font lacks"),
        (replace(horizontal_bars(), bars=(Bar("one", 1),)), "one bar"),
        (replace(horizontal_bars(), bars=(Bar("a very long label " * 20, 1), Bar("zero", 0))), "a label of a page"),
        (replace(horizontal_bars(), bars=tuple(Bar(f"bar {n}", n) for n in range(80))), "many bars"),
        (replace(stacked_bars(), series=tuple(Series("long name " * 20, (1, 2, 3)) for _ in range(7))), "long names"),
        (replace(horizontal_bars(), bars=(Bar("a\x1b\x00b\ufffe\nc\x85", 1),)), "characters that no XML may hold"),
        (replace(stacked_bars(), categories=WEEKS_OF_A_YEAR, series=(Series("a", (1,) * 52),)), "a year"),
    ],
)
def test_chart_edge_data_is_drawn(chart: Plot, reason: str) -> None:
    assert draw_plot(chart).startswith("<svg "), reason


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, "count", "–"),
        (3.0, "count", "3"),
        (0.125, "share", "12.5 %"),
        (0, "share", "0.0 %"),
        (405.08, "number", "405.1"),
    ],
)
def test_formatted_value(value: float | None, form: ValueForm, text: str) -> None:
    assert formatted(value, form) == text


def test_without_matplotlib_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(MissingExtraError, match=re.escape("pip install --require-hashes -r requirements.lock")):
        as_html(page())


def test_without_matplotlib_a_page_without_charts_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    table = Table(caption="Clients", columns=(Column("Client"),), rows=(("main-ehr",),))

    assert "main-ehr" in as_html(Document(kind="K", title="T", sections=(Section(id="s", title="S", blocks=(table,)),)))


def test_drawing_leaves_the_settings_of_the_process_alone() -> None:
    import matplotlib as mpl

    before = mpl.rcParams.copy()
    draw_plot(horizontal_bars())

    assert mpl.rcParams.copy() == before
    assert "matplotlib.pyplot" not in sys.modules
