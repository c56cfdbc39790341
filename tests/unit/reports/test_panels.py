"""The picture of one patient: well-formed, named, legible at every width, and complete."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.reports.timeline.panels import Mark, Panel, Picture, Procedure, draw_panels
from cds_service.reports.timeline.scale import DayForms, LinearAxis, TimeAxis

SVG = "{http://www.w3.org/2000/svg}"
DAY = date(2026, 3, 1)
LIMIT = Decimal("405.08")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ENGLISH = DayForms(MONTHS, "{day} {month}", "{month}", "{month} {year}")
CHINESE = DayForms(tuple(f"{n}月" for n in range(1, 13)), "{month}{day}日", "{month}", "{year}年{month}")


def mark(days_ago: int, value: str = "500", kind: str = "draw") -> Mark:
    day = DAY - timedelta(days=days_ago)
    return Mark(day, Decimal(value), f"{day}: {value}", kind)  # type: ignore[arg-type]


def picture(*marks: Mark, procedures: tuple[Procedure, ...] = (), **changes: object) -> Picture:
    panels = (
        Panel(title="SII", marks=marks, height=130, limit=LIMIT, limit_label="cut-off 405.08", logarithmic=True),
        Panel(title="Albumin <g/L>", marks=(), height=62),
    )
    members: dict[str, object] = {
        "id": "trend",
        "title": "SII over time",
        "description": "Draws & more",
        "panels": panels,
        "procedures": procedures,
        "forms": ENGLISH,
        "closed": tuple((p.first, p.last + timedelta(days=27)) for p in procedures),
    }
    return Picture(**(members | changes))  # type: ignore[arg-type]


def drawn(shown: Picture) -> ET.Element:
    return ET.fromstring(draw_panels(shown))  # noqa: S314  our own drawing


def shares(svg: ET.Element) -> list[float]:
    places = [element.get(name, "0%") for element in svg.iter() for name in ("x", "cx", "x1", "x2")]
    return [float(place.removesuffix("%")) for place in places]


def test_picture_names_itself_and_every_mark_for_screen_readers() -> None:
    svg = drawn(picture(mark(30), mark(3, "900", "decides")))

    named = {element.get("id"): element.text for element in svg if element.get("id")}
    assert svg.get("role") == "img"
    assert [named[name] for name in (svg.get("aria-labelledby") or "").split()] == ["SII over time", "Draws & more"]
    groups = [group for group in svg.iter(f"{SVG}g") if (group.get("class") or "").startswith("mark")]
    assert [group.findtext(f"{SVG}title") for group in groups] == ["2026-01-30: 500", "2026-02-26: 900"]
    assert [group.get("class") for group in groups] == ["mark draw", "mark decides"]


def test_picture_is_as_wide_as_its_page_and_brings_no_style_of_its_own() -> None:
    svg = drawn(picture(mark(30), mark(3)))

    assert svg.get("width") == "100%"
    assert svg.get("viewBox") is None
    for element in svg.iter():
        assert "style" not in element.attrib
        assert not [name for name in element.attrib if name.startswith("on")]


def test_picture_draws_the_limit_the_procedure_and_the_days_never_used() -> None:
    procedure = Procedure(DAY - timedelta(days=60), DAY - timedelta(days=60), "1", "2025-12-31: <ablation>")

    svg = drawn(picture(mark(3), procedures=(procedure,)))

    texts = [element.text for element in svg.iter(f"{SVG}text")]
    assert {"cut-off 405.08", "1", "SII", "Albumin <g/L>"} <= set(texts)
    (closed,) = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("class") == "closed"]
    assert float((closed.get("width") or "").removesuffix("%")) > 10


def test_picture_draw_without_value_stands_as_a_cross() -> None:
    svg = drawn(picture(empty=((DAY, "1 March: zero-lymphocytes"),)))

    (group,) = [g for g in svg.iter(f"{SVG}g") if g.get("class") == "mark empty"]
    assert group.findtext(f"{SVG}title") == "1 March: zero-lymphocytes"


def test_picture_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a value or a procedure"):
        draw_panels(picture())


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.decimals("0.001", 10**9, places=3)), min_size=1, max_size=40),
    st.lists(st.integers(0, 4000), max_size=20),
)
def test_picture_of_any_chart_stays_inside_its_borders(values: list[tuple[int, Decimal]], days: list[int]) -> None:
    procedures = tuple(
        Procedure(DAY - timedelta(days=ago), DAY - timedelta(days=ago), str(n), "x") for n, ago in enumerate(days)
    )
    svg = drawn(picture(*(mark(ago, str(value)) for ago, value in values), procedures=procedures))

    assert all(0 <= share <= 100 for share in shares(svg))
    marks = [e for e in svg.iter(f"{SVG}g") if (e.get("class") or "").startswith("mark")]
    assert len(marks) == len(values)
    heights = [float(e.get("cy", "0")) for e in svg.iter(f"{SVG}circle")]
    assert all(0 <= place <= float(svg.get("height") or 0) for place in heights)


def test_picture_numbers_of_procedures_that_would_cover_each_other_are_left_out() -> None:
    near = tuple(Procedure(DAY - timedelta(days=n), DAY - timedelta(days=n), str(n), "x") for n in (400, 2, 1, 0))

    svg = drawn(picture(mark(3), procedures=near))

    assert [t.text for t in svg.iter(f"{SVG}text") if t.get("class") == "number"] == ["400", "2"]


@pytest.mark.parametrize(
    ("values", "highest", "reason"),
    [
        ([], 1, "nothing"),
        (["0"], 1, "zero"),
        (["0.9"], 1.0, "below one"),
        (["38"], 40, "albumin"),
        (["210", "187"], 300, "platelets"),
        (["6.1"], 8, "neutrophils"),
    ],
)
def test_linear_axis_ends_at_a_round_number(values: list[str], highest: float, reason: str) -> None:
    axis = LinearAxis.around([Decimal(value) for value in values], 0, 100)

    assert axis.highest == pytest.approx(highest), reason
    assert axis.ticks()[0] == 0
    assert axis.y(Decimal(0)) == 100


@pytest.mark.parametrize(
    ("days", "forms", "expected", "reason"),
    [
        (30, ENGLISH, ["2 Feb", "16 Feb", "2 Mar"], "every second Monday of a short history"),
        (30, CHINESE, ["2月2日", "2月16日", "3月2日"], "month before day"),
        (120, ENGLISH, ["Nov 2025", "Dec", "Jan 2026", "Feb", "Mar"], "months, the year at the first and in January"),
        (120, CHINESE, ["2025年11月", "12月", "2026年1月", "2月", "3月"], "year before month"),
    ],
)
def test_time_axis_is_written_as_the_language_writes_days(
    days: int, forms: DayForms, expected: list[str], reason: str
) -> None:
    last = date(2026, 3, 1)
    axis = TimeAxis.around([last - timedelta(days=days), last], 0, 100)

    assert [label for _, label in axis.ticks(forms)] == expected, reason
