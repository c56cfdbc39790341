"""The timeline drawing: well-formed, complete, and with labels that do not cover each other."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.reports.timeline.drawing import ProcedureMark, TimelinePoint, format_sii, render_timeline
from cds_service.reports.timeline.scale import TimeAxis, spread

CUTOFF = Decimal("405.08")
SVG = "{http://www.w3.org/2000/svg}"
DAY = date(2026, 3, 1)


def point(days_ago: int, sii: str, *, used: bool = False) -> TimelinePoint:
    return TimelinePoint(DAY - timedelta(days=days_ago), Decimal(sii), used)


def drawn(*points: TimelinePoint, procedures: tuple[ProcedureMark, ...] = ()) -> ET.Element:
    return ET.fromstring(  # noqa: S314  our own drawing
        render_timeline(points, procedures, cutoff=CUTOFF, exclusion_days=27)
    )


def texts(svg: ET.Element, kind: str) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text") if element.get("class", "").split()[0] == kind]


def marks(svg: ET.Element) -> list[ET.Element]:
    return [group for group in svg.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]


def test_timeline_draws_every_point_with_value_and_day() -> None:
    svg = drawn(point(60, "120.25"), point(30, "2999.99"), point(3, "1113.6734", used=True))
    assert texts(svg, "value") == ["120.3", "3000.0", "1113.7"]
    assert texts(svg, "day") == ["31 Dec 2025", "30 Jan 2026", "26 Feb 2026"]
    assert len(marks(svg)) == 3


def test_timeline_marks_only_the_judged_draw() -> None:
    svg = drawn(point(30, "300"), point(3, "500", used=True))
    assert [mark.get("class") for mark in marks(svg)] == ["draw not-above", "draw used above"]


def test_timeline_labels_the_cutoff() -> None:
    assert texts(drawn(point(3, "500")), "cutoff-label") == ["cut-off", "405.08"]


def test_timeline_labels_procedures_and_shades_their_window() -> None:
    mark = ProcedureMark(DAY - timedelta(days=40), "TACE <of> the liver & more")
    svg = drawn(point(3, "500"), procedures=(mark,))
    assert texts(svg, "procedure-label") == ["TACE <of> the liver & more, 20 Jan 2026"]
    windows = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("class") == "window"]
    # One for the procedure, one in the legend.
    assert len(windows) == 2
    axis = TimeAxis.around([mark.day, DAY - timedelta(days=3)], 50, 676)
    width = axis.x(mark.day + timedelta(days=28)) - axis.x(mark.day)
    assert float(windows[0].get("width", "")) == pytest.approx(width, abs=0.06)


def test_timeline_describes_itself_for_screen_readers() -> None:
    svg = drawn(point(3, "500", used=True), procedures=(ProcedureMark(DAY, "TACE"),))
    assert svg.get("role") == "img"
    names = {svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")}
    assert svg.get("aria-labelledby", "").split() == ["timeline-title", "timeline-description"]
    described = " ".join(element.text or "" for element in names if element is not None)
    for part in ("500.0 (judged)", "1 Mar 2026: TACE", "Cut-off: 405.08"):
        assert part in described


def test_timeline_has_no_inline_style_or_script() -> None:
    svg = drawn(point(3, "500"), point(9, "50"))
    for element in svg.iter():
        assert "style" not in element.attrib
        assert not [name for name in element.attrib if name.startswith("on")]


def test_timeline_without_draw_and_procedure_is_refused() -> None:
    with pytest.raises(ValueError, match="a draw or a procedure"):
        render_timeline((), (), cutoff=CUTOFF, exclusion_days=27)


def test_timeline_draws_without_sii_stand_as_crosses_beside_cutoff_and_procedures() -> None:
    day = date(2026, 9, 14)
    svg = ET.fromstring(  # noqa: S314  our own drawing
        render_timeline(
            (), (ProcedureMark(day, "Ablation"),), cutoff=CUTOFF, exclusion_days=27, without_sii=(date(2026, 11, 19),)
        )
    )
    texts = [element.text for element in svg.iter() if element.text]
    assert "19 Nov 2026: no SII" in texts
    assert "Ablation, 14 Sep 2026" in texts
    assert str(CUTOFF) in texts


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.decimals(50, 3000, places=3)),
        min_size=1,
        max_size=8,
        unique_by=lambda pair: pair[0],
    )
)
def test_timeline_labels_never_overlap_and_stay_inside(drawn_days: list[tuple[int, Decimal]]) -> None:
    svg = drawn(*(TimelinePoint(DAY - timedelta(days=ago), sii, used=False) for ago, sii in drawn_days))
    centers = sorted(float(element.get("x", "")) for element in svg.iter(f"{SVG}text") if element.get("class") == "day")
    assert len(centers) == len(drawn_days)
    # "28 Feb 2026" at 11 px is at most 74 px wide in the common system fonts.
    assert all(right - left >= 77.9 for left, right in pairwise(centers))
    assert centers[0] >= 38.9
    assert centers[-1] <= 760 - 38.9


@pytest.mark.parametrize("ago", [2, 20])
def test_timeline_right_procedure_label_grows_leftwards_or_fits(ago: int) -> None:
    mark = ProcedureMark(DAY - timedelta(days=ago), "Hepatic arterial infusion chemotherapy")
    svg = drawn(point(200, "300"), point(1, "500"), procedures=(mark,))
    label = next(e for e in svg.iter(f"{SVG}text") if e.get("class") == "procedure-label")
    assert label.get("text-anchor") == "end"


def test_timeline_many_draws_keep_every_point_and_label_the_newest() -> None:
    svg = drawn(*(point(10 * n, "300") for n in range(14)))
    assert len(marks(svg)) == 14
    assert texts(svg, "day")[-1] == "1 Mar 2026"
    assert len(texts(svg, "day")) == 9


@pytest.mark.parametrize(
    ("wanted", "expected", "reason"),
    [
        ([100.0], [100.0], "alone"),
        ([100.0, 100.0], [100.0, 150.0], "pushed to the right"),
        ([290.0, 300.0], [250.0, 300.0], "no room on the right"),
        ([0.0, 0.0, 0.0], [10.0, 60.0, 110.0], "kept inside on the left"),
    ],
)
def test_spread_labels_keeps_order_gap_and_borders(wanted: list[float], expected: list[float], reason: str) -> None:
    assert spread(wanted, 50, 10, 300) == expected, reason


@pytest.mark.parametrize(
    ("sii", "shown", "reason"),
    [
        ("405.08", "405.08", "equal is not above: 405.1 would be"),
        ("405.081", "405.1", "above stays above"),
        ("405.0800001", "405.1", "above stays above, however little"),
        ("405.0799999", "405.0799999", "as many decimals as it takes"),
        ("405.079", "405.079", "below stays below"),
        ("405.04", "405.0", "one decimal is enough"),
        ("183.2203389", "183.2", "far away"),
    ],
)
def test_format_sii_keeps_its_side_of_the_cutoff(sii: str, shown: str, reason: str) -> None:
    assert format_sii(Decimal(sii), CUTOFF) == shown, reason
