"""The eligible patients of the made-up hospital: who is seen on which day, with which blood draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

ANALYTES: Final = ("platelets", "neutrophils", "lymphocytes")
# Medians of the patients and standard deviations of the logarithms, between patients and between draws.
_MEDIANS: Final = {"platelets": 140.0, "neutrophils": 3.0, "lymphocytes": 1.3}
_BETWEEN: Final = 0.45
_WITHIN: Final = 0.2
_WITHOUT_DIFFERENTIAL: Final = 0.1
_OLDEST: Final = 90


@dataclass(frozen=True, slots=True)
class Draw:
    """A complete blood count with differential, taken at `taken` (hours since the first day) by one laboratory."""

    taken: float
    laboratory: str
    values: dict[str, float]


@dataclass(slots=True)
class Patient:
    """A patient who is seen from `first` to `last` (days); draws come newest first."""

    id: str
    first: int
    last: int
    levels: dict[str, float]
    draws: list[Draw]
    trouble: str
    partial: tuple[str, ...]

    def draw(self, taken: float, random: Random) -> None:
        """Take blood."""
        laboratory = "central" if random.random() < 0.7 else "outpatient"
        values = {name: level * random.lognormvariate(0, _WITHIN) for name, level in self.levels.items()}
        self.draws.insert(0, Draw(taken, laboratory, values))

    def usable(self, now: float) -> list[Draw]:
        """Return the draws that are young enough."""
        return [draw for draw in self.draws if now - draw.taken <= _OLDEST * 24]


# Why SII cannot be told of some patients, whatever the laboratory does, with its probability.
_TROUBLES: Final = (("post-procedure-window", 0.06), ("missing-lymphocytes", 0.03), ("conflicting-results", 0.005))


def admit(number: int, day: int, random: Random) -> Patient:
    """Let a patient come: two of three for a day, the others for a stay."""
    stay = 0 if random.random() < 0.67 else min(int(random.expovariate(1 / 4)), 20)
    chance, trouble = random.random(), ""
    for name, probability in _TROUBLES:
        if chance < probability:
            trouble = name
            break
        chance -= probability
    patient = Patient(
        id=f"p{number}",
        first=day,
        last=day + stay,
        levels={name: median * random.lognormvariate(0, _BETWEEN) for name, median in _MEDIANS.items()},
        draws=[],
        trouble=trouble,
        # A newer blood count without differential.
        partial=("platelets",) if random.random() < _WITHOUT_DIFFERENTIAL else (),
    )
    earlier = day
    while random.random() < 0.85 and day - earlier < _OLDEST:
        earlier -= random.randint(7, 45)
        patient.draw(earlier * 24 + 8, random)
    patient.draws.sort(key=lambda draw: -draw.taken)
    return patient
