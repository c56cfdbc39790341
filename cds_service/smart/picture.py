"""From what was read of a chart to its picture: each quantity with its draws, procedures and the days never used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from cds_service.cards.numbers import plain
from cds_service.cards.numbers import sii as sii_text
from cds_service.clinical.models import Analyte, Basis
from cds_service.clinical.outcomes import AboveCutoff, NotAboveCutoff
from cds_service.clinical.readings import problems_under
from cds_service.reports.printable import printable
from cds_service.reports.timeline.panels import Kind, Mark, Panel, Picture, Procedure, draw_panels
from cds_service.reports.timeline.scale import DayForms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from cds_service.cards.wording.texts import Texts
    from cds_service.cards.wording.trend_texts import TrendTexts
    from cds_service.clinical.chart_facts import ProcedureFact
    from cds_service.clinical.models import BloodDraw, DatedResult, LabResult
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.rule import Criterion
    from cds_service.clinical.timing import TreatmentCalendar
    from cds_service.decision.flow import Decision, Laboratory

_COUNTED: Final = (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS)
_UNITS: Final = {Analyte.ALBUMIN: "g/L"}
_COUNT_UNIT: Final = "×10⁹/L"
_TALL, _LOW = 130, 62
# Newest first. Each mark has its text, so that a page of a long chart would be large.
MOST_MARKS: Final = 60
_LONGEST_TEXT: Final = 60


def draw_picture(
    laboratory: Laboratory,
    decision: Decision,
    calendar: TreatmentCalendar,
    criterion: Criterion,
    texts: Texts,
    trend: TrendTexts,
) -> Markup:
    """Return the SVG of a chart; an empty text where it holds nothing with a day."""
    draws = _Draws(laboratory.counts.draws[:MOST_MARKS], decision.assessment, criterion)
    procedures = numbered(decision.facts.procedures)
    panels = (
        draws.panel(trend),
        *(_panel(analyte, draws, laboratory, texts) for analyte in (*_COUNTED, Analyte.ALBUMIN)),
    )
    picture = Picture(
        id="trend",
        title=trend.title,
        description=_description(draws, procedures, trend),
        panels=panels,
        procedures=procedures,
        closed=calendar.closed_days[-MOST_MARKS:],
        forms=DayForms(trend.months, trend.axis_day, trend.axis_month, trend.axis_year),
        empty=draws.without_sii,
    )
    try:
        # Every text in it is escaped where it is drawn.
        return Markup(draw_panels(picture))  # noqa: S704
    except ValueError:
        return Markup()


def numbered(facts: Sequence[ProcedureFact]) -> list[Procedure]:
    """Return the newest dated procedures, oldest first, with the numbers by which page and picture name them."""
    dated = sorted((f for f in facts if f.performed is not None), key=lambda f: f.performed.first.order)  # type: ignore[union-attr]
    return [
        Procedure(f.performed.first.day, f.performed.last.day, str(place), f"{f.performed.isoformat()}: {f.therapy}")
        for place, f in list(enumerate(dated, start=1))[-MOST_MARKS:]
        if f.performed is not None
    ]


def is_used(draw: BloodDraw, assessment: Assessment) -> bool:
    """Tell whether a draw decided."""
    return isinstance(assessment, AboveCutoff | NotAboveCutoff) and assessment.timed.draw == draw


class _Draws:
    """Complete draws with their SII, and which of them decided."""

    def __init__(self, draws: Sequence[BloodDraw], assessment: Assessment, criterion: Criterion) -> None:
        self._cutoff = criterion.cutoff
        self._all = draws
        self.marks: list[Mark] = []
        self.without_sii: list[tuple[date, str]] = []
        for draw in draws:
            day, problems = draw.effective.day, problems_under(draw, criterion)
            if problems:
                self.without_sii.append((day, f"{day}: {', '.join(problems)}"))
                continue
            sii = criterion.shown(draw)
            kind: Kind = "decides" if is_used(draw, assessment) else "draw"
            self.marks.append(Mark(day, sii, f"{day}: SII {sii_text(sii, criterion.cutoff)}", kind))
        self.decisive = {id(draw) for draw in draws if is_used(draw, assessment)}

    def panel(self, trend: TrendTexts) -> Panel:
        return Panel(
            title=f"SII, {_COUNT_UNIT}",
            marks=self.marks,
            height=_TALL,
            limit=self._cutoff,
            limit_label=trend.cutoff_label.format(cutoff=f"{self._cutoff:f}"),
            logarithmic=True,
        )

    def marks_of(self, place: int, texts: Texts) -> list[Mark]:
        """Return the counts of one place in the draws; percentages have no place on an axis of counts."""
        return [
            _mark(draw.results[place], "decides" if id(draw) in self.decisive else "draw", texts)
            for draw in self._all
            if draw.parts[place].basis is Basis.ABSOLUTE
        ]


# The order of the results in a draw is that of the formula.
_PLACES: Final = {Analyte.PLATELETS: 0, Analyte.NEUTROPHILS: 1, Analyte.LYMPHOCYTES: 2}


def _panel(analyte: Analyte, draws: _Draws, laboratory: Laboratory, texts: Texts) -> Panel:
    if analyte is Analyte.ALBUMIN:
        marks = [_mark(result.whole(), "draw", texts) for result in _newest(laboratory.albumin)]
    else:
        loose = [r for r in laboratory.counts.unpaired if r.analyte is analyte and r.basis is Basis.ABSOLUTE]
        marks = [*draws.marks_of(_PLACES[analyte], texts), *(_mark(r.whole(), "loose", texts) for r in _newest(loose))]
    return Panel(title=f"{texts.analytes[analyte]}, {_UNITS.get(analyte, _COUNT_UNIT)}", marks=marks, height=_LOW)


def _newest(results: Iterable[DatedResult]) -> list[DatedResult]:
    return sorted(results, key=lambda result: result.effective.order, reverse=True)[:MOST_MARKS]


def _mark(result: LabResult, kind: str, texts: Texts) -> Mark:
    value, unit = result.reported.value, printable(result.reported.unit)[:_LONGEST_TEXT]
    text = f"{result.effective.day}: {texts.analytes[result.analyte]} {plain(value)} {unit}".strip()
    return Mark(result.effective.day, result.quantity.value, text, kind)  # type: ignore[arg-type]


def _description(draws: _Draws, procedures: Sequence[Procedure], trend: TrendTexts) -> str:
    """Say what the picture shows, for those who do not see it; the tables below hold every value."""
    shown = "; ".join(mark.text for mark in sorted(draws.marks, key=lambda mark: mark.day))
    done = "; ".join(procedure.text for procedure in procedures)
    return trend.picture_description.format(
        draws=shown or trend.none, procedures=done or trend.none, empty=len(draws.without_sii)
    )
