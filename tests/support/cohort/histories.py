"""Synthetic patients after interventional therapy: what happened to each, told in days from the index procedure.

A history knows what happened and, from that alone, what the right rows are. It asks nothing of the rule's code; the
definitions are those of docs/cohort.md, restated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import NamedTuple

from tests.support.cohort.synthetic_resources import HCC, LIVER_SECONDARY, MICROWAVE_ABLATION, Json

CUTOFF = Decimal("405.08")
FIRST_USED = 28
LONGEST_BASELINE = 30
MAX_AGE = 90
FOLLOW_UP = 1_826
_DIGITS = Context(prec=28)


class Draw(NamedTuple):
    """Blood of a day. `known` is the day on which the laboratory issued it; a spoilt draw is no complete one."""

    day: int
    platelets: int
    neutrophils: Decimal
    lymphocytes: Decimal
    known: int
    spoilt: bool = False
    shares: bool = False

    @property
    def sii(self) -> Decimal:
        return _DIGITS.divide(self.platelets * self.neutrophils, self.lymphocytes)


class Truth(NamedTuple):
    """The right row of a design, as far as a history tells it."""

    design: str
    decision: date
    outcome: str
    reason: str = ""
    sii: Decimal | None = None
    relation: str = ""
    days: int | None = None
    time: int | None = None
    event: int | None = None
    entered: int = 0


@dataclass(slots=True)
class History:
    """What happened. Days count from the index procedure; None: it did not happen, or nobody wrote down when.

    `refused` names why the patient is not eligible at the index day and later on, `refused_at` for one design alone,
    `silent` for each design why no draw decides, and `undecided` the first day on which there was blood all the same.
    `again` is the day of a second procedure. `has_index` is False where no procedure begins anything.
    """

    story: str
    patient: str
    index: date
    sex: str = "male"
    birth: date = date(1955, 5, 5)
    cancer: tuple[str, str] = HCC
    cancer_members: Json = field(default_factory=dict)
    therapy: tuple[str, str] = MICROWAVE_ABLATION
    therapy_members: Json = field(default_factory=dict)
    draws: list[Draw] = field(default_factory=list)
    again: int | None = None
    recurrence: int | None = None
    recurrence_code: tuple[str, str] = LIVER_SECONDARY
    recurrence_onset: int | None = None
    death: int | None = None
    death_undated: bool = False
    last: int = 2_000
    refused: str = ""
    refused_at: dict[str, str] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    undecided: int = FIRST_USED
    undatable: bool = False
    has_index: bool = True
    patient_members: Json = field(default_factory=dict)
    extra: list[Json] = field(default_factory=list)

    def day(self, offset: int) -> date:
        return self.index + timedelta(days=offset)

    @property
    def event(self) -> tuple[int, int] | None:
        """The first event after the index day: its day, and 1 for recurrence or 2 for death."""
        found = [(day, kind) for day, kind in ((self.recurrence, 1), (self.death, 2)) if day is not None and day > 0]
        return min(found) if found else None

    @property
    def last_contact(self) -> int:
        return max(self.last, self.recurrence or 0, *(draw.day for draw in self.draws))

    def truths(self, landmark: int = 90) -> list[Truth]:
        """Return the right rows of the three designs; none without an index procedure."""
        if not self.has_index:
            return []
        draw_day = self.first_draw_day
        days = {
            "baseline": 0,
            "draw": self.undecided if draw_day is None else draw_day,
            f"landmark:{landmark}": landmark,
        }
        return [self._truth(design, days[design]) for design in sorted(days)]

    @property
    def first_draw_day(self) -> int | None:
        """The day of the first draw that the rule would use after a procedure, by when it was known."""
        closed = range(self.again, self.again + FIRST_USED) if self.again is not None else range(0)
        days = [d.known for d in self.draws if d.day >= FIRST_USED and not d.spoilt and d.day not in closed]
        return min(days, default=None)

    def _truth(self, design: str, t: int) -> Truth:
        decision = self.day(t)
        if self.undatable:
            return Truth(design, decision, "undatable")
        if t > 0 and self.event is not None and self.event[0] <= t:
            return Truth(design, decision, "left-before", "recurred" if self.event[1] == 1 else "died")
        if design.startswith("landmark") and self.event is None and self.death is None and self.last_contact <= t:
            return Truth(design, decision, "left-before", "lost")
        refused = self.refused_at.get(design, self.refused)
        if refused:
            return Truth(design, decision, "not-eligible", refused)
        chosen = self._chosen(t) if design != "draw" or self.first_draw_day is not None else None
        if chosen is None:
            return Truth(design, decision, "indeterminate", self.silent[design])
        return self._decided(design, t, *chosen)

    def _chosen(self, t: int) -> tuple[Draw, str, int] | None:
        """The draw of a decision on day t, its relation to the latest procedure then, and the days between."""
        latest = self.again if self.again is not None and self.again <= t else 0
        known = [d for d in self.draws if d.known <= t and not d.spoilt]
        after = [d for d in known if d.day >= latest + FIRST_USED and t - d.day <= MAX_AGE]
        if after:
            newest = max(after)
            return newest, "after", newest.day - latest
        closed = range(FIRST_USED)
        before = [d for d in known if latest - LONGEST_BASELINE <= d.day < latest and d.day not in closed]
        return (max(before), "before", latest - max(before).day) if before else None

    def _decided(self, design: str, t: int, draw: Draw, relation: str, days: int) -> Truth:
        outcome = "above-cutoff" if draw.sii > CUTOFF else "not-above-cutoff"
        end = t + FOLLOW_UP
        if self.event is not None and self.event[0] <= end:
            time, event = self.event[0] - t, self.event[1]
        else:
            time, event = max(min(end, self.last_contact) - t, 0), 0
        return Truth(design, self.day(t), outcome, "", draw.sii, relation, days, time, event, 1)
