"""The members of one draw: the best result of each kind, one basis for both differentials, what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, Basis, BloodDraw
from cds_service.clinical.reasons import Reason
from cds_service.normalization.differential import SharePair, disagree, read_shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cds_service.normalization.measures import Kind
    from cds_service.normalization.observed import Identity, ObservedResult
    from fhir_mappings.models import DifferentialLimits

PLATELETS: Kind = (Analyte.PLATELETS, Basis.ABSOLUTE)
NEUTROPHIL_COUNT: Kind = (Analyte.NEUTROPHILS, Basis.ABSOLUTE)
LYMPHOCYTE_COUNT: Kind = (Analyte.LYMPHOCYTES, Basis.ABSOLUTE)
NEUTROPHIL_SHARE: Kind = (Analyte.NEUTROPHILS, Basis.PERCENT)
LYMPHOCYTE_SHARE: Kind = (Analyte.LYMPHOCYTES, Basis.PERCENT)


_Pair = tuple["ObservedResult", "ObservedResult"]

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
        shares = self._shares(best)
        counts = _pair(best, NEUTROPHIL_COUNT, LYMPHOCYTE_COUNT)
        if platelets is None:
            return None
        if counts is not None:
            neutrophils, lymphocytes = counts
        elif shares is not None:
            neutrophils, lymphocytes = shares
        else:
            self._note_mixed_basis(best)
            return None
        problems = _problems((platelets, neutrophils, lymphocytes), conflicting)
        if counts is not None and shares is not None and not problems:
            doubtful = _conflict(shares, conflicting) or self._disagree(counts, shares)
            problems = (Reason.DIFFERENTIAL_INCONSISTENT,) if doubtful else ()
        return BloodDraw(neutrophils, lymphocytes, platelets, problems)

    def _shares(self, best: dict[Kind, ObservedResult]) -> SharePair | None:
        pair = _pair(best, NEUTROPHIL_SHARE, LYMPHOCYTE_SHARE)
        if pair is None:
            return None
        read = read_shares(*pair, self._limits)
        if isinstance(read, SharePair):
            return read
        self.refused.update({result.edition: (result, reason) for result, reason in read})
        self.reasons.update(reason for _, reason in read)
        return None

    def _note_mixed_basis(self, best: dict[Kind, ObservedResult]) -> None:
        has_neutrophils = NEUTROPHIL_COUNT in best or NEUTROPHIL_SHARE in best
        has_lymphocytes = LYMPHOCYTE_COUNT in best or LYMPHOCYTE_SHARE in best
        has_shares = NEUTROPHIL_SHARE in best and LYMPHOCYTE_SHARE in best
        if has_neutrophils and has_lymphocytes and not has_shares:
            self.reasons.add(Reason.MIXED_BASIS)

    def _disagree(self, counts: _Pair, shares: SharePair) -> bool:
        return disagree(
            (counts[0].value, counts[1].value),
            (shares.neutrophils.value, shares.lymphocytes.value),
            self._limits.disagreement_max,
        )


def _pair(best: dict[Kind, ObservedResult], first: Kind, second: Kind) -> _Pair | None:
    one, other = best.get(first), best.get(second)
    return (one, other) if one is not None and other is not None else None


def _problems(
    members: tuple[ObservedResult, ObservedResult, ObservedResult], conflicting: frozenset[Kind]
) -> tuple[Reason, ...]:
    """Name what makes a complete draw undecidable: conflicting values first, then lymphocytes of zero."""
    if _conflict(members, conflicting):
        return (Reason.CONFLICTING_RESULTS,)
    _, _, lymphocytes = members
    if lymphocytes.value == 0:
        return (Reason.ZERO_LYMPHOCYTES,)
    return ()


def _conflict(members: Sequence[ObservedResult], conflicting: frozenset[Kind]) -> bool:
    return bool(conflicting) and any(result.kind in conflicting for result in members)
