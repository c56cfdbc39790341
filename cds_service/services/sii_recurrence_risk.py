"""The CDS Service sii-recurrence-risk: SII above the published cut-off (Yu 2023)."""

from __future__ import annotations

from typing import Final

from cds_service.cards.voice import Voice
from cds_service.cards.wording import texts_in
from cds_service.clinical.evidence import STUDY_URL
from cds_service.clinical.sii import SII_RULE
from cds_service.decision.definition import ServiceDefinition
from cds_service.hooks.response import Coding

SII_RECURRENCE_RISK: Final = ServiceDefinition(
    id="sii-recurrence-risk",
    voice=Voice(
        rule=SII_RULE,
        topic=Coding(code="siiRecurrenceRisk", system="https://sii-cds.org/CodeSystem/topics", display="SII"),
        source_url=STUDY_URL,
        texts_in=texts_in,
    ),
)
