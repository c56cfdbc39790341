"""Every reading of the differential of one draw, the printed one first: counts before shares, automated before manual.

Segmented and band forms of one basis are its neutrophils where no total is reported, and a reading of their own beside
one. Bands and variant lymphocytes may stand outside a total, so the total with them is a reading too: bands only where
no segmented forms are reported, and shares only where all of them stay within 101 %.
"""

from __future__ import annotations

from decimal import Context
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, Basis, LabResult, Origin, Quantity
from cds_service.normalization.differential import SharePair, as_fraction, read_shares
from cds_service.normalization.observed import ObservedResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from cds_service.clinical.models import EffectiveTime
    from cds_service.clinical.reasons import Reason
    from cds_service.normalization.measures import Kind
    from fhir_mappings.models import DifferentialLimits

_EXACT = Context(prec=80)
_METHODS = (False, True)
_NEUTROPHILS: Kind = (Analyte.NEUTROPHILS, Basis.ABSOLUTE, False)
_LYMPHOCYTES: Kind = (Analyte.LYMPHOCYTES, Basis.ABSOLUTE, False)
_OF_NEUTROPHILS = frozenset({Analyte.NEUTROPHILS, Analyte.SEGMENTED})
_PLAIN = frozenset({_NEUTROPHILS, _LYMPHOCYTES, (Analyte.PLATELETS, Basis.ABSOLUTE, False)})
Refusals = tuple[tuple[ObservedResult, "Reason"], ...]


class SummedResult(NamedTuple):
    """A total added up from results of one draw and one basis."""

    analyte: Analyte
    parts: tuple[ObservedResult, ...]

    @property
    def basis(self) -> Basis:
        """What the numbers count."""
        return self.parts[0].basis

    @property
    def effective(self) -> EffectiveTime:
        """When the latest part was taken."""
        return max((part.effective for part in self.parts), key=lambda time: time.order)

    def whole(self) -> LabResult:
        """Return the total as a result that names its parts; it was never reported, so its numbers are derived."""
        wholes = tuple(part.whole() for part in self.parts)
        first = wholes[0]
        total = Quantity(sum_of(self.parts), first.quantity.unit)
        units = {(whole.reported.unit, part.measure.factor) for whole, part in zip(wholes, self.parts, strict=True)}
        reported = total
        if len(units) == 1:
            added = _EXACT.create_decimal(0)
            for whole in wholes:
                added = _EXACT.add(added, whole.reported.value)
            reported = Quantity(added, first.reported.unit)
        codes = "+".join(whole.origin.code for whole in wholes)
        origin = Origin("", "", first.origin.system, codes, first.origin.specimen)
        corrected = any(whole.corrected for whole in wholes)
        manual = any(whole.manual for whole in wholes)
        return LabResult(
            analyte=self.analyte,
            basis=self.basis,
            preference=max(whole.preference for whole in wholes),
            quantity=total,
            reported=reported,
            effective=self.effective,
            issued=None,
            corrected=corrected,
            origin=origin,
            manual=manual,
            parts=wholes,
        )


Total = ObservedResult | SummedResult


class Pair(NamedTuple):
    """Neutrophils and lymphocytes of one reading; `method` is None for two of different methods."""

    neutrophils: Total
    lymphocytes: Total
    method: bool | None

    @property
    def has_parts(self) -> bool:
        """Whether something of it was added up."""
        return isinstance(self.neutrophils, SummedResult) or isinstance(self.lymphocytes, SummedResult)

    @property
    def members(self) -> tuple[ObservedResult, ...]:
        """The results that it rests on."""
        return (*parts_of(self.neutrophils), *parts_of(self.lymphocytes))


class DifferentialReadings(NamedTuple):
    """The readings of one draw, and the shares that may not be used beside each other, with their reasons."""

    pairs: tuple[Pair, ...]
    refused: Refusals


def sum_of(results: tuple[ObservedResult, ...]) -> Decimal:
    """Add values of one basis exactly."""
    total = results[0].value
    for result in results[1:]:
        total = _EXACT.add(total, result.value)
    return total


def parts_of(total: Total) -> tuple[ObservedResult, ...]:
    """Return what a total was added up from, itself where it was reported."""
    return total.parts if isinstance(total, SummedResult) else (total,)


def value_of(total: Total) -> Decimal:
    """Return the canonical value."""
    return sum_of(total.parts) if isinstance(total, SummedResult) else total.value


def read_differential(best: Mapping[Kind, ObservedResult], limits: DifferentialLimits) -> DifferentialReadings:
    """Return every reading of the best results of a draw; none where neutrophils and lymphocytes share no basis."""
    if best.keys() == _PLAIN:
        # As nearly every analyzer reports it: there is one way to read it.
        return DifferentialReadings((Pair(best[_NEUTROPHILS], best[_LYMPHOCYTES], method=False),), ())
    analytes = {analyte for analyte, _, _ in best}
    if Analyte.LYMPHOCYTES not in analytes or analytes.isdisjoint(_OF_NEUTROPHILS):
        return DifferentialReadings((), ())
    return _read_any(best, limits)


def _read_any(best: Mapping[Kind, ObservedResult], limits: DifferentialLimits) -> DifferentialReadings:
    counts = _Basis(best, Basis.ABSOLUTE, limits)
    shares = _Basis(best, Basis.PERCENT, limits)
    found = [*counts.totals(), *shares.totals(), *counts.derived(), *shares.derived()]
    found += [*counts.with_parts(), *shares.with_parts()]
    if not any(pair.has_parts for pair in found):
        return DifferentialReadings(tuple(found), shares.refused)
    # Counts before shares, also where the counts are derived: but a reported total comes before an addition to it.
    order = {Basis.ABSOLUTE: 0, Basis.PERCENT: 1}
    found.sort(key=lambda pair: (order[pair.neutrophils.basis], pair.has_parts, bool(pair.method)))
    return DifferentialReadings(tuple(found), shares.refused)


class _Basis:
    """The best results of one basis, by analyte and method."""

    def __init__(self, best: Mapping[Kind, ObservedResult], basis: Basis, limits: DifferentialLimits) -> None:
        self._best = best
        self._basis = basis
        self._limits = limits
        self._totals: list[Pair] = []
        self.refused: Refusals = ()

    def _find(self, analyte: Analyte, manual: bool) -> ObservedResult | None:
        return self._best.get((analyte, self._basis, manual))

    def _either(self, analyte: Analyte, manual: bool) -> ObservedResult | None:
        """Return the result of a method, else that of the other one."""
        return self._find(analyte, manual) or self._find(analyte, not manual)

    def totals(self) -> list[Pair]:
        """Return the reported totals, each of one method; of two methods only where no method has both."""
        for method in _METHODS:
            self._add(self._find(Analyte.NEUTROPHILS, method), self._find(Analyte.LYMPHOCYTES, method), method)
        if not self._totals and not self.refused:
            self._add(self._either(Analyte.NEUTROPHILS, False), self._either(Analyte.LYMPHOCYTES, False), None)
        return self._totals

    def _add(self, neutrophils: ObservedResult | None, lymphocytes: ObservedResult | None, method: bool | None) -> None:
        if neutrophils is None or lymphocytes is None:
            return
        if self._basis is Basis.PERCENT:
            read = read_shares(neutrophils, lymphocytes, self._limits)
            if not isinstance(read, SharePair):
                self.refused += read
                return
            neutrophils, lymphocytes = read
        self._totals.append(Pair(neutrophils, lymphocytes, method))

    def derived(self) -> Iterator[Pair]:
        """Yield the reading of segmented and band forms, by the method of the segmented forms."""
        for method in _METHODS:
            segmented, bands = self._find(Analyte.SEGMENTED, method), self._either(Analyte.BANDS, method)
            lymphocytes = self._either(Analyte.LYMPHOCYTES, method)
            if segmented is None or bands is None or lymphocytes is None:
                continue
            if self._basis is Basis.PERCENT:
                read = read_shares(segmented, lymphocytes, self._limits)
                if not isinstance(read, SharePair):
                    continue
                bands = as_fraction(bands) if read.neutrophils is not segmented else bands
                segmented, lymphocytes = read
            pair = Pair(SummedResult(Analyte.NEUTROPHILS, (segmented, bands)), lymphocytes, method)
            if self._is_whole(pair) and value_of(pair.neutrophils) > 0:
                yield pair
                yield from self._additions(pair, None)

    def with_parts(self) -> Iterator[Pair]:
        """Yield the totals with what may stand outside them."""
        for pair in self._totals:
            method = bool(pair.method)
            segmented = self._either(Analyte.SEGMENTED, method)
            yield from self._additions(pair, self._either(Analyte.BANDS, method) if segmented is None else None)

    def _additions(self, pair: Pair, bands: ObservedResult | None) -> Iterator[Pair]:
        variants = self._either(Analyte.VARIANTS, bool(pair.method))
        is_fraction = any(one.measure.may_be_fraction and one.value == one.number != 0 for one in pair.members)
        if is_fraction:
            bands = as_fraction(bands) if bands is not None and bands.measure.may_be_fraction else bands
            variants = as_fraction(variants) if variants is not None and variants.measure.may_be_fraction else variants
        choices = [(None, one) if one is not None and one.value > 0 else (None,) for one in (bands, variants)]
        for more_neutrophils, more_lymphocytes in product(*choices):
            read = Pair(
                _with(Analyte.NEUTROPHILS, pair.neutrophils, more_neutrophils),
                _with(Analyte.LYMPHOCYTES, pair.lymphocytes, more_lymphocytes),
                pair.method,
            )
            if read != pair and self._is_whole(read):
                yield read

    def _is_whole(self, pair: Pair) -> bool:
        """Tell whether shares stay within the whole; of counts the whole is not known."""
        if self._basis is not Basis.PERCENT:
            return True
        return _EXACT.add(value_of(pair.neutrophils), value_of(pair.lymphocytes)) <= self._limits.sum_max


def _with(analyte: Analyte, total: Total, part: ObservedResult | None) -> Total:
    if part is None:
        return total
    return SummedResult(analyte, (*parts_of(total), part))
