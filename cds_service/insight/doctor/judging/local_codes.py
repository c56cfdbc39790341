"""Codes that the service does not read and that may be ours: by name, by values, by both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.clinical.models import MAIN_ANALYTES, Analyte
from cds_service.insight.doctor.findings import (
    LEAST_PATIENTS,
    LEAST_VALUES_NAMELESS,
    LOCAL_WARNING_SHARE,
    Finding,
    Severity,
)
from cds_service.insight.doctor.judging.case import most_for
from cds_service.insight.doctor.judging.values import (
    SHARES,
    canonical,
    fitting_factors,
    judge_values,
    kinds_of,
    typical_of,
)
from cds_service.insight.doctor.laboratory_survey import USABLE, CodeTally, UnitTally, meaning_of
from cds_service.insight.tally import median
from cds_service.settings.overlays.forms import UNSEARCHABLE
from fhir_mappings.check_digits import is_loinc_code, is_snomed_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.laboratory_survey import CodeTally, UnitTally

_CHECK_DIGITS: Final = {"loinc": is_loinc_code, "snomed": is_snomed_code}


class LocalCode(NamedTuple):
    """A code that an overlay could add. `doubt` says why nobody should do so without asking; empty: name and values
    agree. `unit_factor` is the factor of a unit that has to be added too."""

    tally: CodeTally
    analyte: str
    basis: str
    unit: UnitTally | None
    unit_factor: str = ""
    doubt: str = ""
    by_values: bool = False

    @property
    def about(self) -> str:
        """System and code in one text."""
        return f"{self.tally.key.system}|{self.tally.key.code}"


class Suspects(NamedTuple):
    """Codes that may be ours, and codes that only have values like ours: `alike` are named otherwise, or not needed."""

    codes: tuple[LocalCode, ...]
    alike: tuple[Likeness, ...]


def find_local_codes(case: Case) -> Suspects:
    """Return every code that is not read and whose name or values fit.

    Values alone make a code a suspect where the analyte is neither read nor named, unless its name is that of another
    test: hematocrit in percent lies where neutrophils do.
    """
    unknown = [t for t in case.evidence.laboratory.with_treatment("unknown") if not _is_of_the_tables(t, case)]
    named = {tally.key: code for tally in unknown if (code := _by_name(tally, case)) is not None}
    covered = {code.analyte for code in named.values()} | {
        a for a in MAIN_ANALYTES if case.evidence.laboratory.accepted(a)
    }
    like = [found for tally in unknown if tally.key not in named for found in likenesses(tally, case)]
    suspects = [found for found in like if not found.named_otherwise and found.analyte not in covered]
    by_values = [_by_values(found) for found in suspects]
    told = {found.tally.key for found in suspects}
    return Suspects((*named.values(), *by_values), tuple(found for found in like if found.tally.key not in told))


def judge_local_codes(codes: Iterable[LocalCode], refused: Mapping[str, str], case: Case) -> Iterator[Finding]:
    """Yield a finding for each suspect. `refused`: why an overlay cannot hold the row of a code."""
    for code in codes:
        refusal = refused.get(code.about, "")
        yield _by_values_finding(code, case) if code.by_values else _by_name_finding(code, refusal, case)


def cannot_be_mapped(tally: CodeTally, case: Case) -> str:
    """Say why an overlay cannot name a code; empty when it can."""
    system, code = tally.key.system, tally.key.code
    if not code:
        return "there is no code to map"
    if ":" not in system:
        return "the code comes without the URI of a code system"
    if UNSEARCHABLE.search(code) or UNSEARCHABLE.search(system):
        return "a FHIR search cannot carry the code"
    check = _CHECK_DIGITS.get(case.mappings.canonical_system(system) or "")
    if check is not None and not check(code):
        return "it is a local code sent under the URI of a terminology that does not hold it"
    return ""


def _is_of_the_tables(tally: CodeTally, case: Case) -> bool:
    """Tell whether the tables know a code: leukocytes are read for cross-checks only."""
    return case.mappings.analyte_code(tally.key.system, tally.key.code) is not None


def _by_name(tally: CodeTally, case: Case) -> LocalCode | None:
    names = tally.all_names if tally.key.code else (tally.key.text,)
    analyte = case.names.analyte(names)
    if analyte is None:
        return None
    unit = max(tally.units.values(), key=lambda unit: unit.results, default=None)
    if unit is None:
        return LocalCode(tally, analyte, "", None, doubt="its results carry no number")
    if not unit.spelling and not unit.ucum:
        return _without_unit(tally, analyte, unit, case)
    bases = [basis for a, basis in case.mappings.plausible if a == analyte]
    basis = next((kind for kind in kinds_of(unit, case) if kind in bases), None)
    if basis is None:
        return _with_unknown_unit(tally, analyte, unit, bases, case)
    contradiction = _contradiction(tally, basis, case)
    if contradiction:
        return LocalCode(tally, analyte, basis, unit, doubt=contradiction)
    factor = meaning_of(unit, basis, case.mappings).factor
    values = canonical(unit, float(factor)) if factor is not None else []
    fit = judge_values(values, len(unit.patients), analyte, basis, case)
    doubts = {
        "fits": "",
        "too-few": "there are too few values to compare",
        "shifted": "the values do not fit the unit",
        "partly": "some values do not fit the unit",
        "unusual": "the values are not those of this test",
    }
    return LocalCode(tally, analyte, basis, unit, doubt=doubts[fit.kind])


def _contradiction(tally: CodeTally, basis: str, case: Case) -> str:
    """Say where the name, or another unit that many results carry, speaks of a count and the unit of a share."""
    told = case.names.basis(tally.all_names)
    if told is not None and basis in {"count", *SHARES} and (told == "count") != (basis == "count"):
        return f"its name says {_PROPERTY[told]}, its unit says {_PROPERTY[basis]}"
    many = [unit for unit in tally.units.values() if unit.results >= _MANY * tally.results]
    kinds = [kinds for unit in many if (kinds := kinds_of(unit, case))]
    if any(basis not in found and not (basis in SHARES and set(found) & SHARES) for found in kinds):
        return "its results come in units of different kinds"
    return ""


_PROPERTY: Final = {"count": "count", "percent": "share", "fraction": "share"}
# Of a code's results: what is rarer is a slip of single results.
_MANY: Final = 0.05


def _without_unit(tally: CodeTally, analyte: str, unit: UnitTally, case: Case) -> LocalCode:
    if "fraction" in {basis for a, basis in case.mappings.plausible if a == analyte}:
        fit = judge_values(list(unit.values.values), len(unit.patients), analyte, "fraction", case)
        if fit.kind == "fits":
            return LocalCode(tally, analyte, "fraction", unit)
    return LocalCode(tally, analyte, "", unit, doubt="its results carry no unit")


def _with_unknown_unit(tally: CodeTally, analyte: str, unit: UnitTally, bases: list[str], case: Case) -> LocalCode:
    told = case.names.basis(tally.all_names)
    for basis in (told,) if told in bases else bases:
        factors = fitting_factors(unit, analyte, str(basis), case)
        if len(factors) == 1:
            return LocalCode(tally, analyte, str(basis), unit, unit_factor=next(iter(factors)))
    return LocalCode(tally, analyte, "", unit, doubt=f'the unit "{unit.spelling or unit.ucum}" is not known')


def _by_values(found: Likeness) -> LocalCode:
    return LocalCode(
        found.tally, found.analyte, found.basis, found.unit, doubt="only its values say so", by_values=True
    )


def _by_name_finding(code: LocalCode, refusal: str, case: Case) -> Finding:
    hindrance = cannot_be_mapped(code.tally, case) or refusal
    results = case.mask.words(code.tally.results, "result")
    identifier = "code-not-mappable" if hindrance else "local-code-doubtful" if code.doubt else "local-code"
    doubt = hindrance or code.doubt
    return Finding(
        id=identifier,
        severity=_severity(code, case),
        what=f"{case.describe(code.tally)} looks like {code.analyte} and is not read ({results})"
        f"{f'; {doubt}' if doubt else ', and its values agree'}.",
        action=_action(code, hindrance),
        about=code.about if code.tally.key.code else code.tally.shown_name(case.mask.below) or "text only",
        evidence={"analyte": code.analyte, "basis": code.basis, "results": case.mask.count(code.tally.results)},
    )


def _action(code: LocalCode, hindrance: str) -> str:
    if hindrance:
        return "Have the interface send these results with a code of their own and its system, LOINC best of all."
    if code.doubt:
        return "Ask the laboratory what it is. If it is ours, have the doubt removed at the source, then add the code."
    return "Have the laboratory confirm it, and add the row of the proposed overlay."


def _severity(code: LocalCode, case: Case) -> Severity:
    """Return how much hangs on the code: everything where the analyte has no other usable result."""
    usable = case.usable(code.analyte)
    if not usable:
        return most_for(code.analyte)
    accepted = case.evidence.laboratory.accepted(code.analyte)
    elsewhere = sum(tally.treatments[USABLE] for tally in accepted if tally.basis != code.basis)
    if code.basis and elsewhere >= code.tally.results:
        # The same results are there on another basis.
        return Severity.NOTE
    few = code.tally.results < LOCAL_WARNING_SHARE * (usable + code.tally.results)
    return Severity.NOTE if few else Severity.WARNING


def _silence(code: LocalCode) -> str:
    return "has a name that says nothing to doctor" if code.tally.names else "comes without a name"


def _by_values_finding(code: LocalCode, case: Case) -> Finding:
    return Finding(
        id="local-code-by-values",
        severity=Severity.WARNING,
        what=f"{case.describe(code.tally)} {_silence(code)}, and its values are like those of {code.analyte} "
        f"({code.basis}), which is missing ({case.mask.words(code.tally.results, 'result')}).",
        action="Ask the laboratory what this code means; other tests have such values too. The proposed overlay holds "
        "the row as a comment.",
        about=f"{code.about} {code.analyte}",
        evidence={"analyte": code.analyte, "basis": code.basis, "results": case.mask.count(code.tally.results)},
    )


class Likeness(NamedTuple):
    """A code whose values are like those of an analyte.

    `named_otherwise`: its name is that of another test. A code without one, or with a name that says nothing, may be
    ours.
    """

    tally: CodeTally
    analyte: str
    basis: str
    unit: UnitTally
    named_otherwise: bool


def likenesses(tally: CodeTally, case: Case) -> Iterator[Likeness]:
    """Yield each analyte and basis in whose reference interval the median of a code's values lies."""
    named_otherwise = case.names.is_another_test(tally.all_names)
    seen = set()
    for unit in tally.units.values():
        if len(unit.values.values) < LEAST_VALUES_NAMELESS or len(unit.patients) < LEAST_PATIENTS:
            continue
        for kind in kinds_of(unit, case):
            factor = meaning_of(unit, kind, case.mappings).factor
            for analyte in Analyte if factor is not None else ():
                typical = typical_of(analyte, kind, case) if (analyte, kind) in case.mappings.plausible else None
                middle = median(canonical(unit, float(factor or 1)))
                fits = typical is not None and typical.reference[0] <= middle <= typical.reference[1]
                if fits and (analyte, kind) not in seen:
                    seen.add((analyte, kind))
                    yield Likeness(tally, str(analyte), kind, unit, named_otherwise)
