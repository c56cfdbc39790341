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


# Of the results of an analyte: half unusable is no base for a decision; below one in twenty is everyday noise.
BLOCKING_SHARE: Final = 0.5
WARNING_SHARE: Final = 0.05

# Of the patients with any blood count: blood counts without a differential are common, so many lack a draw rightly.
DRAWS_BLOCKING: Final = 0.25
DRAWS_WARNING: Final = 0.7

# Values and patients from which on a median says something about a unit and not about one patient.
LEAST_VALUES: Final = 10
LEAST_PATIENTS: Final = 5
# Without a name there are only the values, so there have to be more of them.
LEAST_VALUES_NAMELESS: Final = 20

# Of all results of an analyte that come under a code the service does not read.
LOCAL_WARNING_SHARE: Final = 0.02

# Decided patients from which on the share above the cut-off says something. 52 % (derived) were above in the study.
LEAST_DECIDED: Final = 30
USUAL_ABOVE: Final = (0.2, 0.8)


def by_share(part: int, whole: int, *, most: Severity = Severity.BLOCKS) -> Severity | None:
    """Return how much a share matters; None where it is everyday noise. `most` limits it (albumin is context only)."""
    if not whole or part < WARNING_SHARE * whole:
        return None
    return most if part >= BLOCKING_SHARE * whole else Severity.WARNING
