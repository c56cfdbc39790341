"""The members of one draw: the best result of each kind, one basis for both differentials, what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, Basis, BloodDraw
from cds_service.clinical.reasons import Reason
from cds_service.normalization.differential import SharePair, disagree, read_shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.clinical.models import LabResult
    from cds_service.normalization.measures import Kind
    from cds_service.normalization.observed import ObservedResult
    from fhir_mappings.models import DifferentialLimits

PLATELETS: Kind = (Analyte.PLATELETS, Basis.ABSOLUTE)
NEUTROPHIL_COUNT: Kind = (Analyte.NEUTROPHILS, Basis.ABSOLUTE)
LYMPHOCYTE_COUNT: Kind = (Analyte.LYMPHOCYTES, Basis.ABSOLUTE)
NEUTROPHIL_SHARE: Kind = (Analyte.NEUTROPHILS, Basis.PERCENT)
LYMPHOCYTE_SHARE: Kind = (Analyte.LYMPHOCYTES, Basis.PERCENT)


class Pick(NamedTuple):
    """The result of one kind that stands for the draw; `conflicting` when equals of it have other values."""

    result: ObservedResult
    conflicting: bool = False


class Members(NamedTuple):
    """The picks of one candidate draw, by kind."""

    picks: dict[Kind, Pick]

    @classmethod
    def of(cls, results: Sequence[ObservedResult]) -> Members:
        """Pick the best result of each kind; mostly there is one of each, and nothing to choose."""
        picks = {result.measure.kind: Pick(result) for result in results}
        if len(picks) == len(results):
            return cls(picks)
        by_kind: dict[Kind, list[ObservedResult]] = {}
        for result in results:
            by_kind.setdefault(result.measure.kind, []).append(result)
        return cls({kind: pick_best(group) for kind, group in by_kind.items()})


def pick_best(results: Sequence[ObservedResult]) -> Pick:
    """Choose among duplicates: preferred code, newest, corrected or amended before final, latest issued.

    Results that are equal in all of these and differ in value are conflicting.
    """
    if len(results) == 1:
        return Pick(results[0])
    best = max(map(_rank, results))
    equals = [r for r in results if _rank(r) == best]
    values = {r.value for r in equals}
    return Pick(min(equals, key=lambda r: (r.value, r.origin)), conflicting=len(values) > 1)


def _rank(result: ObservedResult) -> tuple[object, ...]:
    issued = result.issued.timestamp() if result.issued is not None else float("-inf")
    return -result.preference, result.effective.order, result.corrected, issued


class DrawBuilder:
    """Builds draws from picks and remembers why others could not be built.

    `reasons` are why candidates stayed incomplete; `refused` are results excluded only beside their partner.
    """

    def __init__(self, limits: DifferentialLimits) -> None:
        """Keep the limits of one differential count."""
        self._limits = limits
        self.reasons: set[Reason] = set()
        self.refused: dict[LabResult, Reason] = {}

    def build(self, members: Members) -> BloodDraw | None:
        """Return the draw, or None when it is not complete on one basis."""
        picks = members.picks
        platelets = picks.get(PLATELETS)
        shares = self._shares(picks)
        counts = _pair(picks, NEUTROPHIL_COUNT, LYMPHOCYTE_COUNT)
        if platelets is None:
            return None
        if counts is not None:
            neutrophils, lymphocytes = counts
        elif shares is not None:
            neutrophils, lymphocytes = shares
        else:
            self._note_mixed_basis(picks)
            return None
        problems = _problems((platelets, neutrophils, lymphocytes))
        if counts is not None and shares is not None and not problems and self._disagree(counts, shares):
            problems = (Reason.DIFFERENTIAL_INCONSISTENT,)
        return BloodDraw(neutrophils.result, lymphocytes.result, platelets.result, problems)

    def _shares(self, picks: dict[Kind, Pick]) -> tuple[Pick, Pick] | None:
        pair = _pair(picks, NEUTROPHIL_SHARE, LYMPHOCYTE_SHARE)
        if pair is None:
            return None
        read = read_shares(pair[0].result, pair[1].result, self._limits)
        if isinstance(read, SharePair):
            return Pick(read.neutrophils, pair[0].conflicting), Pick(read.lymphocytes, pair[1].conflicting)
        self.refused.update({result.whole(): reason for result, reason in read})
        self.reasons.update(reason for _, reason in read)
        return None

    def _note_mixed_basis(self, picks: dict[Kind, Pick]) -> None:
        has_neutrophils = NEUTROPHIL_COUNT in picks or NEUTROPHIL_SHARE in picks
        has_lymphocytes = LYMPHOCYTE_COUNT in picks or LYMPHOCYTE_SHARE in picks
        has_shares = NEUTROPHIL_SHARE in picks and LYMPHOCYTE_SHARE in picks
        if has_neutrophils and has_lymphocytes and not has_shares:
            self.reasons.add(Reason.MIXED_BASIS)

    def _disagree(self, counts: tuple[Pick, Pick], shares: tuple[Pick, Pick]) -> bool:
        if shares[0].conflicting or shares[1].conflicting:
            return True
        return disagree(
            (counts[0].result.value, counts[1].result.value),
            (shares[0].result.value, shares[1].result.value),
            self._limits.disagreement_max,
        )


def _pair(picks: dict[Kind, Pick], first: Kind, second: Kind) -> tuple[Pick, Pick] | None:
    one, other = picks.get(first), picks.get(second)
    return (one, other) if one is not None and other is not None else None


def _problems(members: tuple[Pick, Pick, Pick]) -> tuple[Reason, ...]:
    """Name what makes a complete draw undecidable: conflicting values first, then lymphocytes of zero."""
    platelets, neutrophils, lymphocytes = members
    if platelets.conflicting or neutrophils.conflicting or lymphocytes.conflicting:
        return (Reason.CONFLICTING_RESULTS,)
    if lymphocytes.result.value == 0:
        return (Reason.ZERO_LYMPHOCYTES,)
    return ()
