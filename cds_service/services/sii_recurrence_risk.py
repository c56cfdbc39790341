"""The CDS Service sii-recurrence-risk: SII above the published cut-off (Yu 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards.voice import Voice
from cds_service.cards.wording import texts_in
from cds_service.clinical.evidence import PUBLISHED_CUTOFF, STUDY_CITATION, STUDY_DOI, STUDY_URL
from cds_service.clinical.sii import SII_RULE
from cds_service.decision.definition import ServiceDefinition
from cds_service.hooks.response import Coding

if TYPE_CHECKING:
    from cds_service.clinical.policy import ClinicalPolicy


def _describe(policy: ClinicalPolicy) -> str:
    return (
        "Computes the systemic immune-inflammation index (platelets x neutrophils / lymphocytes) of adults "
        "with primary liver cancer after interventional therapy and shows a card when it is above the "
        f"cut-off {policy.cutoff} (published: {PUBLISHED_CUTOFF}, {STUDY_CITATION}, "
        f"doi {STUDY_DOI})."
    )


SII_RECURRENCE_RISK: Final = ServiceDefinition(
    id="sii-recurrence-risk",
    title="SII recurrence risk after interventional therapy of primary liver cancer",
    describe=_describe,
    voice=Voice(
        rule=SII_RULE,
        topic=Coding(code="siiRecurrenceRisk", system="https://sii-cds.org/CodeSystem/topics", display="SII"),
        source_url=STUDY_URL,
        texts_in=texts_in,
    ),
)
