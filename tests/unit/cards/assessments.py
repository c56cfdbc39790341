"""Assessments to write cards about, made by the rule itself at the site in Shanghai."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cds_service.cards.builder import CardBuilder
from cds_service.cards.options import CardOptions
from cds_service.clinical.assessment import assess
from cds_service.clinical.closed_days import open_days
from cds_service.clinical.models import Analyte, Basis, BloodCounts, BloodDraw, Quantity
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate, NotAboveCutoff
from cds_service.clinical.sii import compute_sii
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.unit.clinical.values import NOW, POLICY, at, day, done, draw, eligible, result

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cds_service.cards.gaps import Gap
    from cds_service.clinical.chart_facts import ProcedureTime
    from cds_service.clinical.models import EffectiveTime, ExcludedResult, LabResult
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.clinical.reasons import Reason
    from cds_service.hooks.response import Card

TAKEN = at(day(20), "07:15")
PROCEDURE = done(at(day(60)))
OPTIONS = CardOptions("https://cds.hospital.example/model-card", detail="full", show_not_above_cutoff=True)


def decided(
    *draws: BloodDraw,
    albumin: Sequence[LabResult] = (),
    policy: ClinicalPolicy = POLICY,
    procedures: tuple[EffectiveTime | ProcedureTime, ...] = (PROCEDURE,),
    pages_missing: bool = False,
    undated: int = 0,
    unreadable: int = 0,
    excluded: tuple[ExcludedResult, ...] = (),
) -> AboveCutoff | NotAboveCutoff:
    """Assess draws, by default one of SII 700 taken 40 days after the procedure."""
    counts = BloodCounts(draws or (draw(TAKEN),), excluded=excluded)
    answer = eligible(*procedures, undated=undated)
    found = assess(
        compute_sii, answer, counts, albumin, policy, NOW, pages_missing=pages_missing, unreadable=unreadable
    )
    assert isinstance(found, AboveCutoff | NotAboveCutoff)
    return found


def indeterminate(
    *reasons: Reason,
    taken: dict[Reason, EffectiveTime] | None = None,
    earlier: tuple[ProcedureTime, ...] = (),
    closing: tuple[ProcedureTime, ...] = (),
    policy: ClinicalPolicy = POLICY,
    **members: Any,
) -> Indeterminate:
    """Build an indeterminate outcome; the days that are open follow from its latest procedure and the other ones."""
    latest = members.get("latest_procedure", PROCEDURE)
    values: dict[str, Any] = {
        "cutoff": POLICY.cutoff,
        "reasons": reasons,
        "taken": taken or {},
        "exclusions": {},
        "latest_procedure": PROCEDURE,
        "newest_draw": None,
        "newest_result": TAKEN,
        "open_days": open_days((latest, *earlier), closing, policy, day(0)) if latest is not None else None,
    }
    return Indeterminate(**values | members)


def reported(analyte: Analyte, value: str, unit: str, canonical: str, basis: Basis | None = None) -> LabResult:
    """Build a result as reported by a laboratory, with the canonical value it was read as."""
    base = result(analyte, canonical, TAKEN, basis=basis)
    return base._replace(reported=Quantity(Decimal(value), unit))


def draw_of_units(*units: str) -> BloodDraw:
    """Build a draw of SII 700 whose platelets, neutrophils and lymphocytes carry these unit texts."""
    platelets, neutrophils, lymphocytes = units
    return BloodDraw(
        platelets=reported(Analyte.PLATELETS, "210", platelets, "210"),
        neutrophils=reported(Analyte.NEUTROPHILS, "6", neutrophils, "6"),
        lymphocytes=reported(Analyte.LYMPHOCYTES, "1.8", lymphocytes, "1.8"),
    )


def draw_of_shares(neutrophils: tuple[str, str, str], lymphocytes: tuple[str, str, str]) -> BloodDraw:
    """Build a draw whose differential is given as shares: value, unit, and the fraction it was read as."""
    return BloodDraw(
        platelets=draw(TAKEN).platelets,
        neutrophils=reported(Analyte.NEUTROPHILS, *neutrophils, Basis.PERCENT),
        lymphocytes=reported(Analyte.LYMPHOCYTES, *lymphocytes, Basis.PERCENT),
    )


def card(
    assessment: Assessment,
    policy: ClinicalPolicy = POLICY,
    options: CardOptions = OPTIONS,
    gaps: Collection[Gap] = (),
) -> Card:
    """Build the one card of an assessment."""
    (found,) = CardBuilder(SII.voice, options, policy, "mappings-1").build(assessment, lambda: "uuid-1", gaps)
    return found


def detail(assessment: Assessment, policy: ClinicalPolicy = POLICY) -> str:
    text = card(assessment, policy).detail
    assert text
    return text
