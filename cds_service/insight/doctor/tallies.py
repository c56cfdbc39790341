"""Counting with bounded memory: distinct patients up to a number, a sample of values; and decisions and draws."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import Counter
from typing import TYPE_CHECKING, Final

from cds_service.clinical.indeterminate import explain_no_draw
from cds_service.clinical.models import Analyte
from cds_service.insight.tally import Tally

if TYPE_CHECKING:
    from cds_service.clinical.models import BloodCounts
    from cds_service.insight.row import DecisionRow

# Of one code; beyond it "or more" is said.
MOST_PATIENTS: Final = 200
# The quartiles of a sample of this size lie within five percentiles of those of the whole (95 %).
MOST_VALUES: Final = 500


class Patients:
    """Distinct patients, counted exactly up to a number. The ids themselves are not kept."""

    __slots__ = ("_most", "_seen")

    def __init__(self, most: int = MOST_PATIENTS) -> None:
        self._seen: set[int] = set()
        self._most = most

    def add(self, patient: str) -> None:
        """Count a patient once."""
        if not self.is_full:
            self._seen.add(hash(patient))

    @property
    def is_full(self) -> bool:
        """Tell whether there may be more than were counted."""
        return len(self._seen) >= self._most

    def __len__(self) -> int:
        """Return the number counted."""
        return len(self._seen)


class Sample:
    """A uniform sample of values, the same for the same order of values (Vitter's algorithm R)."""

    __slots__ = ("_random", "_seen", "values")

    def __init__(self, seed: int) -> None:
        self.values: list[float] = []
        self._seen = 0
        self._random = random.Random(seed)  # noqa: S311  a sample, no secret

    def add(self, value: float) -> None:
        """Offer a value."""
        self._seen += 1
        if len(self.values) < MOST_VALUES:
            self.values.append(value)
        elif (place := self._random.randrange(self._seen)) < MOST_VALUES:
            self.values[place] = value


class IdSample:
    """The `size` ids that a seed puts first: a uniform sample of distinct ids, whatever their order and number."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._salt = f"{seed}:".encode()
        # Largest key on top, so that it makes room.
        self._heap: list[tuple[int, str]] = []
        self._ids: set[str] = set()

    def add(self, identifier: str) -> None:
        """Offer an id; one offered before changes nothing."""
        if identifier in self._ids or not self._size:
            return
        digest = hashlib.sha256(self._salt + identifier.encode("utf-8", "surrogatepass")).digest()
        entry = (-int.from_bytes(digest[:8]), identifier)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            _, dropped = heapq.heappushpop(self._heap, entry)
            if dropped == identifier:
                return
            self._ids.discard(dropped)
        self._ids.add(identifier)

    def ids(self) -> list[str]:
        """Return the ids in the order the seed gives them."""
        return [identifier for _, identifier in sorted(self._heap, reverse=True)]


COUNTED: Final = (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS)


class PatientTally:
    """Counts decisions and draws, one of each for a patient. `sii` are the values of the decided ones."""

    def __init__(self) -> None:
        self.decisions = Tally()
        self.sii: list[float] = []
        self.patients = 0
        self.with_results = 0
        self.with_draw = 0
        self.draw_reasons: Counter[str] = Counter()
        self.draw_problems: Counter[str] = Counter()

    def add_draws(self, counts: BloodCounts) -> None:
        """Count what a patient's blood counts amount to, of whatever age; the reasons are those of the assessment."""
        self.patients += 1
        if counts.draws:
            self.with_draw += 1
            self.draw_problems.update(str(problem) for problem in counts.draws[0].problems)
        else:
            self.draw_reasons.update(str(reason) for reason in explain_no_draw(counts, ()))
        self.with_results += bool(counts.draws or counts.unpaired or counts.excluded)

    def add_decision(self, row: DecisionRow) -> None:
        """Count what the service would have answered."""
        self.decisions.add(row)
        if row.value is not None:
            self.sii.append(float(row.value))
