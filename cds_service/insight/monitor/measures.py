"""What is charted: shares of patients or hooks, one measure each, with the directions that call for attention.

Values are charted as shares too: how many lie above the median of the baseline (a shift), and how many lie beyond its
outermost hundredths (a scale). So one kind of limit, exact for small counts, serves all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import Analyte
from cds_service.insight.row import NOT_ELIGIBLE, Exclusion
from cds_service.insight.tally import LATENCY, OVERRIDDEN, SAMPLE_AGE, quantile_bin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cds_service.insight.tally import Tally

    Count = Callable[[Tally], int]

RISE: Final = "rise"
FALL: Final = "fall"
BOTH: Final = (RISE, FALL)

# Share of the baseline's values on each side that counts as outermost.
_OUTERMOST: Final = 0.01


@dataclass(frozen=True, slots=True)
class Measure:
    """A share `part` / `whole` of each day. `kind` and `subject` name it; `directions` are those that are judged.

    `spread` names the spread of values whose position it charts.
    """

    kind: str
    subject: str
    part: Count
    whole: Count
    directions: tuple[str, ...] = BOTH
    spread: str = ""

    @property
    def key(self) -> str:
        """Name the measure, such as `reason:stale`."""
        return f"{self.kind}:{self.subject}" if self.subject else self.kind


def measures_of(baseline: Tally, everything: Tally) -> list[Measure]:
    """List the measures of a client: the fixed ones, and one for whatever occurs in `everything`."""
    return [
        Measure("eligible", "", lambda t: _answered(t) - t.outcomes[NOT_ELIGIBLE], _answered),
        Measure("indeterminate", "", lambda t: t.patients["indeterminate"], _eligible, (RISE,)),
        Measure("firing", "", lambda t: t.patients["above-cutoff"], _decided),
        Measure("shown", "", lambda t: t.above_shown, lambda t: t.above_shown + t.above_withheld, (FALL,)),
        Measure("overridden", "", lambda t: t.answers[OVERRIDDEN], lambda t: t.answers.total(), (RISE,)),
        Measure("feedback", "", lambda t: min(t.answers.total(), t.shown), lambda t: t.shown, (FALL,)),
        Measure("albumin", "", lambda t: t.analytes[Analyte.ALBUMIN], _decided, (FALL,)),
        *(_unavailable(key) for key in sorted(everything.missing)),
        *(_refusal(reason) for reason in sorted(everything.refusals)),
        *(_lacking(analyte) for analyte in sorted(map(str, everything.lacking))),
        *(_reason(reason) for reason in sorted(everything.reasons)),
        *(_exclusion(reason, analyte) for reason, analyte in sorted(everything.excluded)),
        *_positions(baseline),
    ]


def _unavailable(key: str) -> Measure:
    return Measure("unavailable", key, lambda t: t.missing[key], lambda t: t.hooks, (RISE,))


def _refusal(reason: str) -> Measure:
    return Measure("refused", reason, lambda t: t.refusals[reason], _answered, (RISE,))


def _lacking(analyte: str) -> Measure:
    return Measure("lacking", analyte, lambda t: t.lacking[analyte], _eligible, (RISE,))


def _reason(reason: str) -> Measure:
    return Measure("reason", reason, lambda t: t.reasons[reason], _eligible, (RISE,))


def _exclusion(reason: str, analyte: str) -> Measure:
    subject = f"{reason}:{analyte or 'unknown-analyte'}"
    return Measure("excluded", subject, lambda t: t.excluded[Exclusion(reason, analyte)], _eligible, (RISE,))


def _positions(baseline: Tally) -> Iterator[Measure]:
    """Chart the position of each spread that the baseline knows."""
    for name, spread in sorted(baseline.spreads.items()):
        shift = (RISE,) if name in (LATENCY, SAMPLE_AGE) else BOTH
        yield _beyond("shifted", name, quantile_bin(spread, 0.5), shift, above=True)
        yield _beyond("outside-high", name, quantile_bin(spread, 1 - _OUTERMOST) - 1, (RISE,), above=True)
        if name not in (LATENCY, SAMPLE_AGE):
            yield _beyond("outside-low", name, quantile_bin(spread, _OUTERMOST), (RISE,), above=False)


def _beyond(kind: str, name: str, limit: int, directions: tuple[str, ...], *, above: bool) -> Measure:
    def part(tally: Tally) -> int:
        spread = tally.spreads.get(name, Counter())
        return sum(count for place, count in spread.items() if (place > limit if above else place <= limit))

    def whole(tally: Tally) -> int:
        return tally.spreads.get(name, Counter()).total()

    return Measure(kind, name, part, whole, directions, spread=name)


def _eligible(tally: Tally) -> int:
    return tally.eligible


def _decided(tally: Tally) -> int:
    return tally.decided


def _answered(tally: Tally) -> int:
    return tally.answered
