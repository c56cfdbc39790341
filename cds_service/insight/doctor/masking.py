"""Keep single patients out of the output: small counts are masked, quantiles need enough patients."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cds_service.insight.tally import quantile
from cds_service.reports.counts import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_MASK_BELOW: Final = 5
# The outer quantiles of a few patients are values of single patients.
_PATIENTS_FOR_OUTER: Final = 20
_QUARTILES: Final = (0.25, 0.5, 0.75)
_OUTER: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Mask:
    """Masks counts from 1 to `below` - 1. `below` 0 or 1 masks nothing (test systems)."""

    below: int = DEFAULT_MASK_BELOW

    def hides(self, count: int) -> bool:
        """Tell whether a count is not shown."""
        return 0 < count < self.below

    def count(self, count: int) -> int | str:
        """Return a count for JSON and tables: a number, or "<5"."""
        return f"<{self.below}" if self.hides(count) else count

    def words(self, count: int, noun: str) -> str:
        """Return a count with its noun for a sentence."""
        if self.hides(count):
            return f"fewer than {self.below} {_plural(noun)}"
        return counted(count, noun, _plural(noun))

    def share(self, part: int, whole: int) -> str:
        """Return a share in whole percent; empty where it would tell a masked count."""
        if not whole or self.hides(part) or self.hides(whole) or self.hides(whole - part):
            return ""
        return f"{round(100 * part / whole)} %"

    def quantiles(self, values: Sequence[float], patients: int) -> dict[str, float]:
        """Return the quantiles that so many patients allow, keyed p5, p25, p50, p75, p95; empty for too few."""
        if not values or self.hides(patients):
            return {}
        wanted = _OUTER if patients >= max(_PATIENTS_FOR_OUTER, self.below) or self.below <= 1 else _QUARTILES
        counted = Counter(values)
        return {f"p{round(100 * q)}": quantile(counted, q) for q in wanted}


def _plural(noun: str) -> str:
    if noun.endswith("sis"):
        return f"{noun[:-2]}es"
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("ch", "sh", "x", "ss")) else f"{noun}s"
