"""Ask for decisions as the server does, at a site in Shanghai, by prefetch alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from cds_service.authorization.clients import TrustedClient
from cds_service.cards.extension import assessment_extension
from cds_service.cards.options import CardOptions
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.explanation import explain
from cds_service.decision.flow import decide
from cds_service.decision.site import Site
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from fhir_mappings import load_mappings
from tests.support.charts import NOW, PATIENT_ID, Json

if TYPE_CHECKING:
    from cds_service.decision.flow import Decision

CLIENT = TrustedClient(name="test", issuer=None, mode="active")
SITE = Site(
    policy=ClinicalPolicy(ZoneInfo("Asia/Shanghai")),
    mappings=load_mappings(),
    cards=CardOptions("https://cds.hospital.example/model-card"),
    mode="active",
    configuration_hash="0123456789ab",
    service=SII_RECURRENCE_RISK,
)
ASSUMING = replace(SITE, policy=replace(SITE.policy, eligibility_required=False))
# Decimals keep their digits.
EXACT_JSON = msgspec.json.Encoder(decimal_format="number")


def decision(body: Json | bytes, site: Site = SITE) -> Decision:
    encoded = body if isinstance(body, bytes) else EXACT_JSON.encode(body)
    return decide(parse_cds_request(encoded), CLIENT, site, NOW)


def assessment(body: Json | bytes, site: Site = SITE) -> dict[str, Any]:
    """Return the assessment as the response carries it."""
    return assessment_extension(RULE_VERSION, decision(body, site).assessment)


def explanation(body: Json | bytes, site: Site = SITE) -> dict[str, Any]:
    return explain(decision(body, site), PATIENT_ID, site, NOW, lambda: "11111111-2222-4333-8444-555555555555")
