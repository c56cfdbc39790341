"""The report as values: what `--json` writes, and what the document shows. Counts are masked already.

The form of the JSON is stable: `formatVersion` rises when a member changes its meaning or goes, not when one is added.
A count is a number, or a text such as "<5" where it is masked.
"""

from typing import Any, Final

import msgspec

from cds_service.insight.doctor.findings import Finding, Severity

FORMAT_VERSION: Final = 1

Count = int | str


class UnitRow(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Results of a code in one unit. `factor` leads to `canonical_unit`; without one `refusal` is the reason.

    `used` counts the usable ones of these results, `not_used` the others by reason code.

    `quantiles` are of the values as reported, keyed p5, p25, p50, p75, p95; empty for too few patients.
    """

    unit: str
    ucum_code: str
    factor: str | None
    canonical_unit: str
    refusal: str | None
    results: Count
    patients: Count
    used: Count
    not_used: dict[str, Count]
    quantiles: dict[str, float]


class CodeRow(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A laboratory code. `treatment`: accepted, refused, or suspected to be `analyte` without being read.

    `name` is empty where too few patients' results share one. `used` counts usable results, `not_used` the others by
    reason code; both are missing (0, empty) for codes that are not read. `without_quantity` counts the results that
    are in none of the `units`.
    """

    system: str
    code: str
    name: str
    treatment: str
    analyte: str
    basis: str
    reason: str
    results: Count
    patients: Count
    used: Count
    not_used: dict[str, Count]
    statuses: dict[str, Count]
    in_components: Count
    without_quantity: Count
    units: tuple[UnitRow, ...]


class AlikeRow(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A laboratory code that is not read and whose values lie where those of `analyte` do.

    `named_otherwise`: it carries the name of another test. All others are here because the analyte is read, or named,
    under other codes.
    """

    system: str
    code: str
    name: str
    named_otherwise: bool
    analyte: str
    basis: str
    results: Count
    patients: Count


class ConceptRow(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A diagnosis or procedure code. `meaning` is the category or therapy of the tables, `reason` why it is none.

    `of_diagnosed` counts the patients of the sample who have it beside a diagnosis, counted or suspected.
    """

    kind: str
    system: str
    code: str
    name: str
    meaning: str
    reason: str
    entries: Count
    patients: Count
    of_diagnosed: Count
    treatments: dict[str, Count]


class SearchRow(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A search of the service on a FHIR server: how often it was sent, how often it failed, and how long it took."""

    search: str
    sent: int
    failed: int
    milliseconds: dict[str, float]


class Report(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Everything doctor says."""

    format_version: int
    made: str
    versions: dict[str, str]
    options: dict[str, Any]
    source: dict[str, Any]
    sample: dict[str, Count]
    findings: tuple[Finding, ...]
    laboratory_codes: tuple[CodeRow, ...]
    other_codes: int
    alike_by_values: tuple[AlikeRow, ...]
    eligibility_codes: tuple[ConceptRow, ...]
    other_procedures: tuple[ConceptRow, ...]
    draws: dict[str, Any]
    outcomes: dict[str, Any]
    searches: tuple[SearchRow, ...]
    overlay: str

    @property
    def is_blocked(self) -> bool:
        """Tell whether anything stands against go-live."""
        return any(finding.severity is Severity.BLOCKS for finding in self.findings)

    def count(self, severity: str) -> int:
        """Return the number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)
