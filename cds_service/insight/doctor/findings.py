"""What doctor concludes: a stable id, how much it matters, what is wrong and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How much a finding matters. Values are stable, they stand in the JSON."""

    BLOCKS = "blocks"
    WARNING = "warning"
    NOTE = "note"


_ORDER: Final = tuple(Severity)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One conclusion.

    `id` is stable and kebab-case; where results are not used, it is the reason code of the service. `about` is what it
    is about: an analyte, a code, a search. `evidence` holds masked counts and nothing of a single patient.
    """

    id: str
    severity: Severity
    about: str = ""
    what: str
    action: str
    evidence: dict[str, Any] = {}


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put what blocks go-live first; within a severity the order of the examination stays."""
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def blocks(findings: Iterable[Finding]) -> bool:
    """Tell whether anything stands against go-live."""
    return any(finding.severity is Severity.BLOCKS for finding in findings)
