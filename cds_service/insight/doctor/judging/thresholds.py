"""From when on something is a finding, and how much it matters. Project judgement; each limit says what it spares."""

from __future__ import annotations

from typing import Final

from cds_service.insight.doctor.findings import Severity

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
