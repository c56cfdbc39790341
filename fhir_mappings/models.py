"""The rows of the mapping tables as frozen values.

`origin` names the file and row a value came from, for error texts; it takes no part in comparison. `sources` hold
the keys of the file's source list (`MappingRows.sources`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from fhir_mappings.findings import ClumpRows
from fhir_mappings.grounds import GroundRows
from fhir_mappings.materials import MaterialCode, MaterialWords
from fhir_mappings.unit_parts import UnitGrammar

PARTS = ("segmented-neutrophils", "band-neutrophils", "variant-lymphocytes")
ANALYTES = frozenset({"neutrophils", "lymphocytes", "platelets", "albumin", "leukocytes", *PARTS})
KINDS = ("count", "percent", "fraction", "mass", "moles")
CONDITION_CATEGORIES = frozenset({
    "primary", "history", "ambiguous", "other-histology", "secondary", "recurrence", "metastasis",
    "transplant-status", "benign-or-uncertain", "infection", "splenectomy", "haematological-malignancy",
    "pregnancy", "palliative-care", "other-cancer", "confounder",
})  # fmt: skip
OPERATION_KINDS = frozenset({"liver-resection", "liver-transplant", "splenectomy", "other"})
# Takes a code out again that a row above it, or a form, would speak for. Only a site's removal says so.
NO_OPERATION = "none"


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system: its key and the URIs under which data may carry it.

    `dotted`: codes are the same with and without a dot and in either case (see `normalize_icd`). `edition`: key of the
    system of which this is a national edition, whose rows hold here as well; empty for a system of its own. `prefix`:
    codes are longer than those of the tables, and every row holds for all codes below its own.
    """

    key: str
    uris: tuple[str, ...]
    dotted: bool
    sources: tuple[str, ...]
    edition: str = ""
    prefix: bool = False
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AnalyteCode:
    """A laboratory code that counts. `basis` is one of KINDS; `preference` 1 wins over 2 in one draw."""

    system: str
    code: str
    analyte: str
    basis: str
    preference: int
    name: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)
    manual: bool = False


@dataclass(frozen=True, slots=True)
class RefusedCode:
    """A laboratory code that resembles an accepted one and must not be used, with the reason."""

    system: str
    code: str
    resembles: tuple[str, ...]
    reason: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UnitSpelling:
    """A unit as written in data: multiply by `factor` to get the canonical unit of `kind`.

    `ucum`: the spelling is a UCUM code and UCUM means the same by it.
    """

    spelling: str
    kind: str
    factor: Decimal
    ucum: bool
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RefusedUnit:
    """A unit that is met in data and must not be interpreted, with the reason."""

    spelling: str
    reason: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


class ConceptCode(NamedTuple):
    """A diagnosis code and what it says about the cancer. `prefix`: holds for every code below it as well.

    A tuple, as `OperationCode` is: thousands of these are made at the start of every worker.
    """

    system: str
    code: str
    category: str
    meaning: str
    prefix: bool
    sources: tuple[str, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ProcedureCode:
    """A qualifying interventional procedure. `note` says why a code counts that does not name the liver.

    `weak`: the code means more than the treatment of a tumor (bleeding, trauma, another organ). `prefix`: holds for
    every code below it as well.
    """

    system: str
    code: str
    therapy: str
    liver_specific: bool
    note: str
    sources: tuple[str, ...]
    weak: bool = False
    prefix: bool = False
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RefusedProcedure:
    """A procedure code that does not count.

    `left_out`: not wrong in itself but too unspecific; a site may add it where its own coding is specific.
    """

    system: str
    code: str
    reason: str
    left_out: bool
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


class OperationCode(NamedTuple):
    """An operation that does not qualify and yet changes blood counts.

    `kind` is one of OPERATION_KINDS, or NO_OPERATION.
    """

    system: str
    code: str
    kind: str
    meaning: str
    prefix: bool
    sources: tuple[str, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class OperationForm:
    """What every code of an operation looks like, in a system that builds its codes from characters of fixed meaning.

    `holds` lists places (from 0) with the characters that may stand there, `lacks` those that may not.
    """

    system: str
    length: int
    holds: tuple[tuple[int, str], ...]
    lacks: tuple[tuple[int, str], ...]
    kind: str
    meaning: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)

    def fits(self, code: str) -> bool:
        """Tell whether a code, as it is compared, has this form."""
        held = len(code) == self.length and all(code[place] in wanted for place, wanted in self.holds)
        return held and all(code[place] not in unwanted for place, unwanted in self.lacks)


@dataclass(frozen=True, slots=True)
class SurgicalCategory:
    """A code that says of a Procedure, as its category, that it was an operation."""

    system: str
    code: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """Inclusive limits of an analyte on one basis, in `canonical_unit` (after conversion)."""

    analyte: str
    basis: str
    low: Decimal
    high: Decimal
    canonical_unit: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DifferentialLimits:
    """Limits of one differential count.

    `sum_max`: neutrophils + lymphocytes, as fractions. `disagreement_max`: relative difference of the N/L ratio of
    counts and of percentages above which the differential contradicts itself.
    """

    sum_max: Decimal
    disagreement_max: Decimal


@dataclass(frozen=True, slots=True)
class MappingRows:
    """Everything the data files say, before it is checked and indexed.

    A site's additions are made with `dataclasses.replace` and built again, so they pass the same checks.
    """

    systems: tuple[CodeSystem, ...]
    analyte_codes: tuple[AnalyteCode, ...]
    refused_codes: tuple[RefusedCode, ...]
    material_words: tuple[MaterialWords, ...]
    material_codes: tuple[MaterialCode, ...]
    clumps: ClumpRows
    units: tuple[UnitSpelling, ...]
    refused_units: tuple[RefusedUnit, ...]
    unit_grammar: UnitGrammar
    canonical_units: Mapping[str, str]
    unitless_kinds: frozenset[str]
    conditions: tuple[ConceptCode, ...]
    procedures: tuple[ProcedureCode, ...]
    refused_procedures: tuple[RefusedProcedure, ...]
    operations: tuple[OperationCode, ...]
    operation_forms: tuple[OperationForm, ...]
    surgical_categories: tuple[SurgicalCategory, ...]
    grounds: GroundRows
    plausible: tuple[PlausibleRange, ...]
    differential: DifferentialLimits
    sources: Mapping[str, Mapping[str, str]]

    @property
    def dotted_systems(self) -> frozenset[str]:
        """Keys of the code systems whose codes compare without dot and case."""
        return frozenset(system.key for system in self.systems if system.dotted)
