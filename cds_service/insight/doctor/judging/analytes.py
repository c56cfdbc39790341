"""Analytes that are missing, refused look-alikes, and results where the service's searches do not look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import MAIN_ANALYTES, Analyte
from cds_service.insight.doctor.findings import Finding, Severity
from cds_service.insight.doctor.judging.case import most_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.judging.case import Case


# Of refused codes in one sentence; the table of codes holds all.
_MOST_TOLD: Final = 4


def judge_analytes(case: Case) -> Iterator[Finding]:
    """Yield what is missing, what is refused, and what stands in components only."""
    if "Observation" in case.evidence.unanswered:
        return
    if not case.evidence.laboratory.results:
        yield Finding(
            id="no-laboratory-results",
            severity=Severity.BLOCKS,
            what="There is no laboratory result at all.",
            action="See that Observations are exported, or that the token may read them (system/Observation.rs).",
        )
        return
    for analyte in MAIN_ANALYTES:
        if not case.evidence.laboratory.accepted(analyte):
            yield _missing(analyte)
    yield from _refused(case)
    yield from _components(case)
    yield from _other_addresses(case)


def _missing(analyte: str) -> Finding:
    consequence = "cards cannot show it" if analyte == Analyte.ALBUMIN else "SII cannot be computed for anybody"
    return Finding(
        id="analyte-missing",
        severity=most_for(analyte),
        what=f"No result carries a code of {analyte} that the service reads, so {consequence}.",
        action="Look for it among the codes that are not read; add the laboratory's code to a site overlay.",
        about=str(analyte),
    )


def _refused(case: Case) -> Iterator[Finding]:
    """Yield refused look-alikes of missing analytes one by one, all others together."""
    rest = []
    for tally in case.evidence.laboratory.with_treatment("refused"):
        if all(case.evidence.laboratory.accepted(analyte) for analyte in tally.resembles):
            rest.append(tally)
            continue
        yield Finding(
            id="near-miss-code",
            severity=Severity.WARNING,
            what=f"{case.describe(tally)} resembles {', '.join(tally.resembles)} and is refused: {tally.refusal} "
            f"({case.mask.words(tally.results, 'result')}).",
            action="Right as it is, unless the laboratory uses the code for the whole: then a site overlay can "
            "contradict the refusal, with a reason and a name.",
            about=f"{tally.key.system}|{tally.key.code}",
            evidence={"resembles": list(tally.resembles), "results": case.mask.count(tally.results)},
        )
    if rest:
        told = "; ".join(f"{tally.key.code}, {tally.refusal}" for tally in rest[:_MOST_TOLD])
        more = f"; and {len(rest) - _MOST_TOLD} more" if len(rest) > _MOST_TOLD else ""
        yield Finding(
            id="near-miss-code",
            severity=Severity.NOTE,
            what=f"Codes that resemble ours and are refused: {told}{more}.",
            action="Right as it is: the analytes themselves are there under their own codes.",
            evidence={"codes": [f"{tally.key.system}|{tally.key.code}" for tally in rest]},
        )


def _components(case: Case) -> Iterator[Finding]:
    for analyte in MAIN_ANALYTES:
        tallies = case.evidence.laboratory.accepted(analyte)
        inside = sum(tally.in_components for tally in tallies)
        whole = sum(tally.results for tally in tallies)
        if not inside:
            continue
        yield Finding(
            id="component-results",
            severity=most_for(analyte) if inside == whole else Severity.WARNING,
            what=f"{case.mask.words(inside, 'result')} of {analyte}, of {case.mask.count(whole)} in all, stand in "
            "components of panels. A search by code finds Observations by their own code, not by those of components.",
            action="Have the interface send each test as an Observation of its own, or have the EHR prefetch the "
            "panels too.",
            about=str(analyte),
            evidence={"results": case.mask.count(inside), "of": case.mask.count(whole)},
        )


def _other_addresses(case: Case) -> Iterator[Finding]:
    """Yield accepted codes whose system stands under another of its URIs than the one that searches name."""
    asked = {system.key: system.uris[0] for system in case.mappings.rows.systems}
    for tally in case.evidence.laboratory.with_treatment("accepted"):
        named = asked.get(case.mappings.canonical_system(tally.key.system) or "")
        if named not in {None, tally.key.system}:
            yield Finding(
                id="system-not-searched",
                severity=Severity.WARNING,
                what=f"{case.describe(tally)} is read, but the service's searches ask for {named} and may not find it "
                f"({case.mask.words(tally.results, 'result')}).",
                action="Have the interface send the system under that URI, or see on the server that searches find "
                "these results.",
                about=f"{tally.key.system}|{tally.key.code}",
                evidence={"results": case.mask.count(tally.results)},
            )
