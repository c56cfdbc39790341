"""What the service would have answered for each patient of the sample, and who has a complete blood draw."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cds_service.clinical.indeterminate import explain_no_draw
from cds_service.clinical.models import Analyte
from cds_service.clinical.outcomes import AboveCutoff, NotAboveCutoff

if TYPE_CHECKING:
    from decimal import Decimal

    from cds_service.clinical.models import BloodCounts
    from cds_service.services.decision import Decision

COUNTED: Final = (Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS)


class PatientTally:
    """Counts decisions and draws, one of each for a patient."""

    def __init__(self) -> None:
        """Count nobody yet."""
        self.patients = 0
        self.with_results = 0
        self.with_draw = 0
        self.draw_reasons: Counter[str] = Counter()
        self.draw_problems: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.reasons: dict[str, Counter[str]] = {"not-eligible": Counter(), "indeterminate": Counter()}
        self.unavailable: Counter[str] = Counter()
        self.albumin = 0
        self.sii: list[float] = []

    def add_draws(self, counts: BloodCounts) -> None:
        """Count what a patient's blood counts amount to, of whatever age; the reasons are those of the assessment."""
        self.patients += 1
        if counts.draws:
            self.with_draw += 1
            self.draw_problems.update(str(problem) for problem in counts.draws[0].problems)
        else:
            self.draw_reasons.update(str(reason) for reason in explain_no_draw(counts, ()))
        self.with_results += bool(counts.draws or counts.unpaired or counts.excluded)

    def add_decision(self, decision: Decision) -> None:
        """Count an assessment."""
        assessment = decision.assessment
        self.outcomes[assessment.outcome] += 1
        if isinstance(assessment, AboveCutoff | NotAboveCutoff):
            self.albumin += assessment.albumin is not None
            self._keep(assessment.sii)
        else:
            self.reasons[assessment.outcome].update(str(reason) for reason in assessment.reasons)

    def add_unavailable(self, keys: tuple[str, ...]) -> None:
        """Count a hook that the service would have to refuse, with the keys nobody answered."""
        self.outcomes["unavailable"] += 1
        self.unavailable.update(keys)

    @property
    def decided(self) -> int:
        """The number of patients whose SII was compared with the cut-off."""
        return self.outcomes["above-cutoff"] + self.outcomes["not-above-cutoff"]

    def _keep(self, sii: Decimal) -> None:
        self.sii.append(float(sii))
