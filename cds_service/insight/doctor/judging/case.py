"""What every judge looks at: the evidence of one examination, and how it may be spoken about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cds_service.clinical.models import Analyte
from cds_service.insight.doctor.findings import Severity
from cds_service.insight.doctor.laboratory_survey import USABLE

if TYPE_CHECKING:
    from cds_service.insight.doctor.evidence import Evidence
    from cds_service.insight.doctor.laboratory_survey import CodeTally
    from cds_service.insight.doctor.lookalikes import Lookalikes
    from cds_service.insight.doctor.masking import Mask
    from cds_service.insight.doctor.names import NameBook
    from fhir_mappings.mappings import Mappings


@dataclass(frozen=True, slots=True)
class Case:
    """One examination to be judged."""

    evidence: Evidence
    mask: Mask
    lookalikes: Lookalikes
    names: NameBook

    @property
    def mappings(self) -> Mappings:
        """The site's tables."""
        return self.evidence.site.mappings

    def usable(self, analyte: str) -> int:
        """Return how many results of an analyte the service can use."""
        return sum(tally.treatments[USABLE] for tally in self.evidence.laboratory.accepted(analyte))

    def describe(self, tally: CodeTally) -> str:
        """Name a code for a sentence."""
        name = tally.shown_name(self.mask.below)
        code = f"{tally.key.system}|{tally.key.code}" if tally.key.code else "results without a code"
        return f"{code} ({name})" if name else code


def most_for(analyte: str) -> Severity:
    """Return how much a finding about an analyte can matter at most: albumin is context only."""
    return Severity.WARNING if analyte == Analyte.ALBUMIN else Severity.BLOCKS
