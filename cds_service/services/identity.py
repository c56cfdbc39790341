"""Which CDS Services there are, and which version of its rule each of them follows."""

from __future__ import annotations

from typing import Final, NamedTuple

from cds_service.clinical.evidence import RULE_VERSION


class ServiceIdentity(NamedTuple):
    """A service by its id, the last segment of its path, and the version of the rule it decides by."""

    id: str
    rule_version: str


SII_RECURRENCE_RISK: Final = ServiceIdentity("sii-recurrence-risk", RULE_VERSION)
