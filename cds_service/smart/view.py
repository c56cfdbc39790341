"""What a page is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from cds_service.audit.earlier_decisions import EarlierDecisions
    from cds_service.decision.flow import Decision
    from cds_service.smart.patient_banner import Banner


class View(NamedTuple):
    """A decision, whom it is about, who looks at it and when, and what was decided before."""

    banner: Banner
    user: str
    decision: Decision
    earlier: EarlierDecisions
    now: datetime
    request_id: str
