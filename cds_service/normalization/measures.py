"""What a code and a unit mean together, found once for each pair that a site uses.

A laboratory sends a handful of codes with a handful of units, in every chart the same.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import Analyte, Basis
from cds_service.clinical.reasons import Reason
from cds_service.normalization.codes import match_analyte
from cds_service.normalization.materials import material_of
from cds_service.normalization.units import read_factor

if TYPE_CHECKING:
    from cds_service.normalization.shapes import ConceptLike, DescribedConceptLike, QuantityLike
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import AnalyteCode, PlausibleRange

ANALYTES = {analyte.value: analyte for analyte in Analyte}
_BASES = {
    "count": Basis.ABSOLUTE,
    "percent": Basis.PERCENT,
    "fraction": Basis.PERCENT,
    "mass": Basis.MASS,
    "moles": Basis.MASS,
}
_PERCENT = Decimal("0.01")
# No laboratory reports more digits; decimal128 holds 34. Products with a factor stay exact.
MAX_DIGITS = 34
_EXACT = Context(prec=2 * MAX_DIGITS)

# So many pairs are remembered, of so many characters; then it begins anew. A site sends a few dozen.
_MOST_REMEMBERED = 2_048
_LONGEST_REMEMBERED = 1_000

# Analyte, basis, and whether the code says that cells were counted by hand: for all but a differential it is False.
Kind = tuple[Analyte, Basis, bool]
_OF_A_DIFFERENTIAL = frozenset(Analyte) - {Analyte.PLATELETS, Analyte.ALBUMIN}
_MAY_BE_ZERO = _OF_A_DIFFERENTIAL - {Analyte.NEUTROPHILS}


class Measure(NamedTuple):
    """An accepted code with a unit: what is measured, and how its numbers are read.

    `factor` leads to the canonical unit, or is the reason why there is none. `may_be_fraction` is true for shares
    under a percent unit, which some laboratories send as fractions; `may_be_zero` for lymphocytes, whose absence has
    a reason of its own, and for parts of a differential.
    """

    code: AnalyteCode
    kind: Kind
    factor: Decimal | Reason
    limits: PlausibleRange
    may_be_fraction: bool
    may_be_zero: bool

    def to_canonical(self, number: Decimal) -> Decimal | Reason:
        """Return a number in the canonical unit, or why it cannot be had; the plausible range is inclusive.

        A share written as a fraction under a percent unit is plausible as the fraction it would be; whether it is one
        is decided beside its partner.
        """
        _, _, factor, limits, may_be_fraction, may_be_zero = self
        if not isinstance(factor, Decimal):
            return factor
        canonical = _EXACT.multiply(number, factor)
        judged = number if may_be_fraction and number <= 1 else canonical
        if limits.low <= judged <= limits.high or (may_be_zero and judged == 0):
            return canonical
        return Reason.IMPLAUSIBLE


class Meaning(NamedTuple):
    """What a code says with a unit: the measure, code-conflict, or None where it is none of our analytes.

    `material` is the other material that the code or one of its names tells; empty for blood.
    """

    measure: Measure | Reason | None
    material: str


class Measures:
    """The meanings at one site, up to a bound: what a sender writes decides neither how much is kept nor for how long.

    Threads may share it: the worst that can happen is that something is looked up twice.
    """

    def __init__(self, mappings: Mappings) -> None:
        self._mappings = mappings
        self._known: dict[tuple[object, ...], Meaning] = {}

    def __len__(self) -> int:
        """Count what is known."""
        return len(self._known)

    def find(self, concept: DescribedConceptLike | None, quantity: QuantityLike | None) -> Meaning:
        """Return what a concept means with the unit of a quantity."""
        key = (concept, quantity.unit, quantity.code) if quantity is not None else (concept,)
        try:
            return self._known[key]
        except KeyError:
            found = self._mean(concept, quantity)
            if _length(concept, quantity) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[key] = found
            return found
        except TypeError:
            # `sii-cds doctor` reads names as well, and a name may be any JSON value.
            return self._mean(concept, quantity)

    def _mean(self, concept: DescribedConceptLike | None, quantity: QuantityLike | None) -> Meaning:
        material = material_of(concept, self._mappings.materials) if concept is not None else ""
        return Meaning(self._find(concept, quantity), material)

    def _find(self, concept: ConceptLike | None, quantity: QuantityLike | None) -> Measure | Reason | None:
        code = match_analyte(concept, self._mappings)
        if code is None or isinstance(code, Reason):
            return code
        factor = read_factor(quantity, code.basis, self._mappings)
        basis, analyte = _BASES[code.basis], ANALYTES[code.analyte]
        return Measure(
            code,
            (analyte, basis, code.manual and analyte in _OF_A_DIFFERENTIAL),
            factor,
            self._mappings.plausible[code.analyte, code.basis],
            may_be_fraction=basis is Basis.PERCENT and factor == _PERCENT,
            may_be_zero=analyte in _MAY_BE_ZERO,
        )


def _length(concept: DescribedConceptLike | None, quantity: QuantityLike | None) -> int:
    texts = [quantity.unit, quantity.code] if quantity is not None else []
    if concept is not None:
        texts.append(concept.text)
        for coding in concept.coding:
            texts += (coding.system, coding.code, coding.display)
    return sum(len(text) for text in texts if text)
