"""The members of one draw: the best result of each kind, one basis for both differentials, what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.indeterminate import bases_of_neutrophils
from cds_service.clinical.models import Analyte, Basis, BloodDraw, Reading
from cds_service.clinical.reasons import Reason
from cds_service.normalization.differential import disagree
from cds_service.normalization.differential_readings import read_differential, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cds_service.normalization.differential_readings import Pair
    from cds_service.normalization.measures import Kind
    from cds_service.normalization.observed import Identity, ObservedResult
    from fhir_mappings.models import DifferentialLimits

PLATELETS: Kind = (Analyte.PLATELETS, Basis.ABSOLUTE, False)

_PARTS = frozenset({Analyte.SEGMENTED, Analyte.BANDS, Analyte.VARIANTS})
_FEWEST_WITH_PARTS = 3

_UNKNOWN = float("-inf")


class Pick(NamedTuple):
    """The result of one kind that stands for the draw; `conflicting` when equals of it have other values."""

    result: ObservedResult
    conflicting: bool


class Members(NamedTuple):
    """The best result of each kind for one candidate draw, and the kinds whose equals have other values."""

    best: dict[Kind, ObservedResult]
    conflicting: frozenset[Kind] = frozenset()

    @classmethod
    def of(cls, results: Sequence[ObservedResult]) -> Members:
        """Pick the best result of each kind; mostly there is one of each, and nothing to choose."""
        best = {result.measure.kind: result for result in results}
        if len(best) == len(results):
            return cls(best)
        by_kind: dict[Kind, list[ObservedResult]] = {}
        for result in results:
            by_kind.setdefault(result.measure.kind, []).append(result)
        return cls.of_picks({kind: pick_best(group) for kind, group in by_kind.items()})

    @classmethod
    def of_picks(cls, picks: Mapping[Kind, Pick]) -> Members:
        """Take what was picked of each kind."""
        best = {kind: pick.result for kind, pick in picks.items()}
        return cls(best, frozenset(kind for kind, pick in picks.items() if pick.conflicting))


def pick_best(results: Sequence[ObservedResult]) -> Pick:
    """Choose among duplicates: preferred code, corrected or amended before final, newest, latest issued.

    Results that are equal in all of these and differ in value are conflicting, and so are those of which one does not
    tell when it was issued: it may be the latest.
    """
    if len(results) == 1:
        return Pick(results[0], conflicting=False)
    best = max(map(_rank, results))
    equals = [r for r in results if _rank(r) == best]
    issued = [r.issued.timestamp() if r.issued is not None else _UNKNOWN for r in equals]
    last = max(issued)
    latest = [r for r, when in zip(equals, issued, strict=True) if when == last]
    values = {r.value for r in (equals if _UNKNOWN in issued else latest)}
    return Pick(min(latest, key=lambda r: (r.value, r.origin)), conflicting=len(values) > 1)


def _rank(result: ObservedResult) -> tuple[object, ...]:
    return -result.preference, result.corrected, result.effective.order


class DrawBuilder:
    """Builds draws from picks and remembers why others could not be built.

    `reasons` are why candidates stayed incomplete; `refused` are results excluded only beside their partner.
    """

    def __init__(self, limits: DifferentialLimits) -> None:
        """Keep the limits of one differential count."""
        self._limits = limits
        self.reasons: set[Reason] = set()
        self.refused: dict[Identity, tuple[ObservedResult, Reason]] = {}

    def build(self, members: Members) -> BloodDraw | None:
        """Return the draw, or None when it is not complete on one basis."""
        best, conflicting = members
        platelets = best.get(PLATELETS)
        pairs, refused = read_differential(best, self._limits)
        self.refused.update({result.edition: (result, reason) for result, reason in refused})
        self.reasons.update(reason for _, reason in refused)
        if platelets is None:
            return None
        if not pairs:
            self._note_mixed_basis(best)
            return None
        printed, *others = pairs
        problems = _problems(platelets, printed, conflicting)
        if others and not problems and self._contradict(pairs, conflicting):
            problems = (Reason.DIFFERENTIAL_INCONSISTENT,)
        readings = tuple([self._reading(printed, other) for other in others]) if not problems else ()
        beside = _beside(best, pairs) if len(best) > _FEWEST_WITH_PARTS else ()
        return BloodDraw(printed.neutrophils, printed.lymphocytes, platelets, problems, readings, beside)

    def _note_mixed_basis(self, best: dict[Kind, ObservedResult]) -> None:
        neutrophils = bases_of_neutrophils(best.values())
        lymphocytes = {basis for analyte, basis, _ in best if analyte is Analyte.LYMPHOCYTES}
        if neutrophils and lymphocytes and not neutrophils & lymphocytes:
            self.reasons.add(Reason.MIXED_BASIS)

    def _contradict(self, pairs: Sequence[Pair], conflicting: frozenset[Kind]) -> bool:
        """Tell whether a further reading is in doubt, or counts and shares of one method are too far apart."""
        if any(_conflict(pair.members, conflicting) or value_of(pair.lymphocytes) == 0 for pair in pairs):
            return True
        totals = [pair for pair in pairs if not pair.has_parts]
        counts = {pair.method: pair for pair in totals if pair.neutrophils.basis is Basis.ABSOLUTE}
        shares = {pair.method: pair for pair in totals if pair.neutrophils.basis is Basis.PERCENT}
        return any(self._disagree(counts[method], shares[method]) for method in counts.keys() & shares.keys())

    def _reading(self, printed: Pair, other: Pair) -> Reading:
        is_notable = printed.has_parts or other.has_parts or self._disagree(printed, other)
        return Reading(other.neutrophils, other.lymphocytes, is_notable)

    def _disagree(self, one: Pair, other: Pair) -> bool:
        return disagree(
            (value_of(one.neutrophils), value_of(one.lymphocytes)),
            (value_of(other.neutrophils), value_of(other.lymphocytes)),
            self._limits.disagreement_max,
        )


def _beside(best: Mapping[Kind, ObservedResult], pairs: Sequence[Pair]) -> tuple[ObservedResult, ...]:
    """Return the parts on a basis that no reading of the draw has: they are named, and not read."""
    bases = {pair.neutrophils.basis for pair in pairs}
    return tuple(r for r in best.values() if r.analyte in _PARTS and r.basis not in bases and r.value > 0)


def _problems(platelets: ObservedResult, printed: Pair, conflicting: frozenset[Kind]) -> tuple[Reason, ...]:
    """Name what makes a complete draw undecidable: conflicting values first, then lymphocytes of zero."""
    if _conflict((platelets, *printed.members), conflicting):
        return (Reason.CONFLICTING_RESULTS,)
    if value_of(printed.lymphocytes) == 0:
        return (Reason.ZERO_LYMPHOCYTES,)
    return ()


def _conflict(members: Sequence[ObservedResult], conflicting: frozenset[Kind]) -> bool:
    return bool(conflicting) and any(result.kind in conflicting for result in members)
