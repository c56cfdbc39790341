"""Every draw of a page as a row: its inputs as reported, where it stands, and why it decides or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.cards import numbers
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate, NotAboveCutoff
from cds_service.clinical.readings import problems_under
from cds_service.clinical.timing import Relation
from cds_service.reports.printable import printable
from cds_service.smart.picture import is_used

if TYPE_CHECKING:
    from cds_service.cards.wording.texts import Texts
    from cds_service.cards.wording.trend_texts import TrendTexts
    from cds_service.clinical.models import LabResult
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.timing import TimedDraw, TreatmentCalendar
    from cds_service.decision.flow import Decision
    from cds_service.decision.site import Site

# Years of monthly draws. A page stays under 200 kB whatever the chart holds.
MOST_ROWS: Final = 40
_CODE_SYSTEMS: Final = {"loinc": "LOINC "}
_LONGEST_TEXT: Final = 60


class Input(NamedTuple):
    """A result as the laboratory reported it, with its canonical value where that reads otherwise."""

    analyte: str
    reported: str
    canonical: str
    taken: str
    code: str


class Row(NamedTuple):
    """A draw. `why` are reason codes with their sentences; none for the draw that decides."""

    taken: str
    sii: str
    place: str
    state: str
    decides: bool
    why: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]


def draw_rows(
    decision: Decision, calendar: TreatmentCalendar, site: Site, texts: Texts, trend: TrendTexts
) -> tuple[Row, ...]:
    """Return the complete draws, newest first."""
    if decision.laboratory is None:
        return ()
    criterion = site.criterion
    rows = []
    for draw in decision.laboratory.counts.draws[:MOST_ROWS]:
        timed, problems = calendar.place(draw), problems_under(draw, criterion)
        decides = is_used(draw, decision.assessment)
        reasons = () if decides else (*((timed.refusal,) if timed.refusal is not None else ()), *problems)
        rows.append(
            Row(
                taken=numbers.moment(draw.effective),
                sii="" if problems else numbers.sii(criterion.shown(draw), criterion.cutoff),
                place=_place(timed, texts, trend),
                state=_state(timed, decision.assessment, trend, decides=decides, refused=bool(reasons)),
                decides=decides,
                why=tuple((reason, texts.reasons[reason]) for reason in reasons),
                inputs=tuple(as_input(result, texts) for whole in draw.results for result in whole.parts or (whole,)),
            )
        )
    return tuple(rows)


def loose_rows(decision: Decision, texts: Texts) -> tuple[Input, ...]:
    """Return the usable counts that belong to no complete draw, newest first."""
    if decision.laboratory is None:
        return ()
    loose = sorted(decision.laboratory.counts.unpaired, key=lambda result: result.effective.order, reverse=True)
    return tuple(as_input(result.whole(), texts) for result in loose[:MOST_ROWS])


def as_input(result: LabResult, texts: Texts) -> Input:
    """Put one result into words."""
    unit = "" if result.reported.unit == "1" else printable(result.reported.unit)[:_LONGEST_TEXT]
    reported, canonical = f"{result.reported.value:f} {unit}".strip(), numbers.canonical(result)
    return Input(
        texts.analytes[result.analyte],
        reported,
        "" if result.reported.value == result.quantity.value else canonical,
        numbers.moment(result.effective),
        f"{_CODE_SYSTEMS.get(result.origin.system, '')}{printable(result.origin.code)[:_LONGEST_TEXT]}",
    )


def _place(timed: TimedDraw, texts: Texts, trend: TrendTexts) -> str:
    if timed.days is None:
        return trend.unrelated
    if timed.days == 0:
        return trend.same_day
    days = texts.one_day if timed.days == 1 else texts.several_days.format(count=timed.days)
    return (trend.after if timed.relation is Relation.AFTER else trend.before).format(days=days)


def _state(timed: TimedDraw, assessment: Assessment, trend: TrendTexts, *, decides: bool, refused: bool) -> str:
    if decides:
        return trend.decides
    if isinstance(assessment, Indeterminate) and assessment.newest_draw == timed:
        return trend.newest_undecided
    if refused:
        return trend.not_used
    if isinstance(assessment, Indeterminate):
        return trend.behind_newest
    is_earlier = isinstance(assessment, AboveCutoff | NotAboveCutoff) and any(
        earlier.baseline and earlier.effective == timed.draw.effective for earlier in assessment.earlier
    )
    return trend.baseline if is_earlier else trend.older
