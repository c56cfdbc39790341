"""What can be planted: from a day on the hospital's data change as they do when something breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Malfunction:
    """A malfunction, and the ids of findings that name it rightly.

    `refused` excludes new results of some analytes with a reason; an empty reason leaves no trace of them, as an
    unknown code does. `scale` multiplies new values. `laboratory` limits both to one laboratory. `drift` is the daily
    relative change of neutrophils. The rates replace those of the hospital.
    """

    name: str
    named: tuple[str, ...]
    refused: tuple[str, ...] = ()
    refusal: str = ""
    refused_share: float = 1.0
    scale: tuple[str, float] | None = None
    laboratory: str | None = None
    drift: float = 0.0
    no_new_draws: bool = False
    volume: float = 1.0
    empty: str | None = None
    failing: tuple[str, float] | None = None
    cutoff: float | None = None
    overridden: float | None = None
    feedback: float | None = None
    silent: bool = False
    slower: float = 1.0


NONE: Final = Malfunction(name="none", named=())
_COUNTS: Final = ("platelets", "neutrophils", "lymphocytes")

MALFUNCTIONS: Final = (
    Malfunction(name="code of platelets changed", named=("code-changed",), refused=("platelets",)),
    Malfunction(
        name="code of lymphocytes changed in one laboratory",
        named=("code-changed",),
        refused=("lymphocytes",),
        laboratory="central",
    ),
    Malfunction(
        name="unit of neutrophils changed", named=("unit-changed",), refused=("neutrophils",), refusal="unit-unknown"
    ),
    Malfunction(
        name="scale of platelets × 1000", named=("scale-changed",), refused=("platelets",), refusal="implausible"
    ),
    Malfunction(name="scale of neutrophils × 10", named=("scale-changed",), scale=("neutrophils", 10.0)),
    Malfunction(
        name="scale of lymphocytes × 10 in one laboratory",
        named=("scale-changed",),
        scale=("lymphocytes", 10.0),
        laboratory="outpatient",
    ),
    Malfunction(name="neutrophils drift by 1 % a day", named=("values-shifted",), drift=0.01),
    Malfunction(name="laboratory feed stops", named=("results-stale",), no_new_draws=True),
    Malfunction(
        name="results two hours in the future",
        named=("clock-trouble",),
        refused=_COUNTS,
        refusal="future-time",
        refused_share=0.3,
    ),
    Malfunction(name="template of conditions empty", named=("conditions-empty",), empty="conditions"),
    Malfunction(name="template of procedures empty", named=("procedures-empty",), empty="procedures"),
    Malfunction(name="template of blood counts empty", named=("blood-counts-empty",), empty="bloodCounts"),
    Malfunction(name="search of blood counts fails", named=("data-unavailable",), failing=("bloodCounts", 1.0)),
    Malfunction(
        name="search of conditions fails for 1 in 20", named=("data-unavailable",), failing=("conditions", 0.05)
    ),
    Malfunction(name="EHR stops calling", named=("hooks-stopped",), volume=0.0),
    Malfunction(name="half of the hooks missing", named=("hooks-dropped",), volume=0.5),
    Malfunction(name="rule stops firing", named=("firing-stopped",), cutoff=40508.0),
    Malfunction(name="override wave (55 % to 90 %)", named=("override-wave",), overridden=0.9),
    Malfunction(name="feedback stops", named=("feedback-stopped",), feedback=0.0),
    Malfunction(name="silent by mistake", named=("cards-not-shown",), silent=True),
    Malfunction(name="decisions three times slower", named=("latency-rose",), slower=3.0),
)
