"""The examination from top to bottom: collect, judge, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.insight.doctor.judging.analytes import judge_analytes
from cds_service.insight.doctor.judging.case import Case
from cds_service.insight.doctor.judging.draws import judge_draws, judge_outcomes
from cds_service.insight.doctor.judging.eligibility import judge_eligibility
from cds_service.insight.doctor.judging.local_codes import Suspects, find_local_codes, judge_local_codes
from cds_service.insight.doctor.judging.results import judge_properties, judge_results
from cds_service.insight.doctor.judging.values import judge_scales
from cds_service.insight.doctor.lookalikes import load_lookalikes
from cds_service.insight.doctor.names import NameBook
from cds_service.insight.doctor.overlay import propose
from cds_service.insight.doctor.reporting import make_report

if TYPE_CHECKING:
    from cds_service.insight.doctor.evidence import Evidence
    from cds_service.insight.doctor.masking import Mask
    from cds_service.insight.doctor.report import Report


def conclude(evidence: Evidence, mask: Mask) -> Report:
    """Judge what was collected. Deterministic: the same evidence gives the same report."""
    lookalikes = load_lookalikes()
    case = Case(evidence, mask, lookalikes, NameBook(lookalikes))
    if not evidence.patients.patients and not evidence.laboratory.results:
        # Nothing was examined; what the source said is the only finding there can be.
        return make_report(case, evidence.findings or judge_draws(case), Suspects((), ()), "")
    suspects = find_local_codes(case)
    proposal = propose(suspects.codes, case)
    scales, explained = judge_scales(case)
    findings = [
        *evidence.findings,
        *judge_analytes(case),
        *judge_local_codes(suspects.codes, proposal.refused, case),
        *judge_properties(case),
        *scales,
        *judge_results(case, explained),
        *judge_eligibility(case),
        *judge_draws(case),
        *judge_outcomes(case),
    ]
    return make_report(case, findings, suspects, proposal.text)
