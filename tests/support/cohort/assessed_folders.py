"""Folders as `cohort assess` writes them, without any export: rows drawn at random from the study's figures.

Recurrence within five years with p = 112/272, SII log-normal with 535.23 +/- 174.05 and 357.84 +/- 120.21 (Yu 2023),
counts rounded as a laboratory prints them and SII taken from the printed digits.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from decimal import Context, Decimal
from math import exp, log, sqrt
from random import Random
from typing import TYPE_CHECKING, Any

from cds_service.insight.cohort.rows import AssessedRow
from cds_service.insight.cohort.tables import write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

CUTOFF = Decimal("405.08")
EVENT_SHARE = 112 / 272
MEAN_AND_SD = {True: (535.23, 174.05), False: (357.84, 120.21)}
FOLLOW_UP_DAYS = 1_826
THERAPIES = ("tace", "ablation", "haic")
PUT_OUT = (
    ("left-before", "died"),
    ("left-before", "recurred"),
    ("left-before", "lost"),
    ("undatable", ""),
    ("not-eligible", "metastasis-known"),
    ("indeterminate", "missing-lymphocytes,no-complete-draw"),
)
_DIGITS = Context(prec=28)


def drawn_rows(patients: int, seed: int, designs: Sequence[str] = ("baseline", "draw", "landmark:90")) -> list[Any]:
    """Rows of patients of whom one in ten was put out, and of the others some died and some were lost."""
    random = Random(seed)  # noqa: S311
    rows = []
    for _ in range(patients):
        patient = f"hmac:{random.getrandbits(256):064x}"
        story = _Story(random)
        rows += [story.row(patient, design) for design in designs]
    return sorted(rows)


class _Story:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.put_out = random.choice(PUT_OUT) if random.random() < 0.1 else None
        self.index = date(2016, 1, 1) + timedelta(days=random.randrange(1_000))
        self.therapy = random.choice(THERAPIES)
        self.sex = random.choice(("female", "male", "male", "male"))
        self.age = random.randrange(35, 85)
        self.recurs = random.random() < EVENT_SHARE
        self.recurrence = random.randrange(100, FOLLOW_UP_DAYS) if self.recurs else None
        self.death = random.randrange(100, 2_500) if random.random() < 0.2 else None
        self.last = random.randrange(300, FOLLOW_UP_DAYS) if random.random() < 0.2 else 2_400
        mean, deviation = MEAN_AND_SD[self.recurs]
        self.sii = _log_normal(random, mean, deviation)

    def row(self, patient: str, design: str) -> AssessedRow:
        start = {"baseline": 0, "draw": 40}.get(design, 90)
        counts = _counts(self.random, self.sii)
        neutrophils, lymphocytes, platelets = counts
        sii = _DIGITS.divide(platelets * neutrophils, lymphocytes)
        frame: dict[str, Any] = {
            "patient": patient,
            "design": design,
            "decision": self.index + timedelta(days=start),
            "cutoff": CUTOFF,
            "sex": self.sex,
            "age": self.age,
            "therapy": self.therapy,
            "rule_version": "2.0.0",
            "mapping_version": "0" * 12,
        }
        if self.put_out is not None:
            return AssessedRow(**frame, outcome=self.put_out[0], reason=self.put_out[1])
        time, event = self._follow_up(start)
        return AssessedRow(
            **frame,
            outcome="above-cutoff" if sii > CUTOFF else "not-above-cutoff",
            sii=sii,
            relation="before" if design == "baseline" else "after",
            days=3 if design == "baseline" else start - 2,
            time=time,
            event=event,
            entered=1,
            basis="absolute",
            neutrophils=neutrophils,
            lymphocytes=lymphocytes,
            platelets=platelets,
            albumin=Decimal(self.random.randrange(280, 480)) / 10,
        )

    def _follow_up(self, start: int) -> tuple[int, int]:
        ends = [(self.last, 0), (start + FOLLOW_UP_DAYS, 0)]
        if self.recurrence is not None and self.recurrence <= self.last:
            ends.append((self.recurrence, 1))
        if self.death is not None:
            ends.append((self.death, 2))
        day, event = min(ends, key=lambda end: (end[0], -end[1]))
        return day - start, event


def _log_normal(random: Random, mean: float, deviation: float) -> float:
    spread = log(1 + (deviation / mean) ** 2)
    return random.lognormvariate(log(mean) - spread / 2, sqrt(spread))


def _counts(random: Random, sii: float) -> tuple[Decimal, Decimal, Decimal]:
    lymphocytes = random.uniform(0.8, 2.4)
    ratio = exp(random.gauss(log(2.6), 0.3))
    platelets = round(sii / ratio)
    return _rounded(ratio * lymphocytes), _rounded(lymphocytes), Decimal(max(platelets, 20))


def _rounded(value: float) -> Decimal:
    return Decimal(round(value * 100)) / 100


def write_folder(folder: Path, rows: Iterable[AssessedRow], **run: Any) -> Path:
    """Write a folder of rows, with their flow, no problems and a run as short as may be."""
    folder.mkdir(parents=True)
    kept = sorted(rows)
    write_rows(folder, [row.cells for row in kept])
    flow: dict[str, Any] = {}
    for design in sorted({row.design for row in kept}):
        outcomes = Counter(f"{r.outcome}:{r.reason}" if r.reason else r.outcome for r in kept if r.design == design)
        flow[design] = {"index_procedures": outcomes.total(), "outcomes": dict(sorted(outcomes.items()))}
    content = {"flow.json": flow, "run.json": {"format": 1, **run}}
    for name, value in content.items():
        (folder / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    (folder / "problems.jsonl").write_text("", encoding="utf-8")
    return folder
