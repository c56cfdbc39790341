"""How every Observation, Condition and Procedure of a request was treated, and how the assessment came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cds_service.acquisition.resources import Observation
from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.cards.gaps import Gap
from cds_service.cards.numbers import plain
from cds_service.clinical.closed_days import CLOSING_KINDS, days_closed_by
from cds_service.clinical.models import Basis, LabResult
from cds_service.clinical.outcomes import AboveCutoff, NotAboveCutoff
from cds_service.clinical.readings import notable_readings, problems_under
from cds_service.clinical.reasons import Reason
from cds_service.decision.answering import respond
from cds_service.decision.flow import laboratory_readers
from cds_service.decision.unread import unread_conditions, unread_procedures
from cds_service.normalization.clumps import clump_state, is_clump_code
from cds_service.normalization.effective_time import TimeReader
from cds_service.normalization.observed import reference_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Set
    from datetime import date, datetime

    from cds_service.acquisition.resources import Malformed
    from cds_service.clinical.chart_facts import OperationFact
    from cds_service.clinical.models import ExcludedResult
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.decision.flow import Decision, Laboratory
    from cds_service.decision.site import Site
    from cds_service.normalization.eligibility_facts import ExcludedFact


Rows = list[dict[str, Any]]

# Exclusions of a share that only the other share of its draw brings about.
_BESIDE_PARTNER = frozenset({Reason.FRACTION_MISLABELLED, Reason.IMPLAUSIBLE, Reason.PLATELET_CLUMPING})


def explain(
    decision: Decision, patient_id: str, site: Site, now: datetime, new_uuid: Callable[[], str]
) -> dict[str, Any]:
    """Describe a decision as plain data: the answer, the assessment in it, and everything behind it.

    `cards` and `extension` are what the service would answer now: none in silent mode, and nothing is snoozed.
    """
    laboratory = decision.laboratory
    cards = CardBuilder(site.service.voice, site.cards, site.policy, site.mappings.version).build(
        decision.assessment, new_uuid, decision.gaps
    )
    answer = msgspec.json.decode(msgspec.json.encode(respond(cards, decision, site, silent=site.mode == "silent")))
    return {
        "cards": answer["cards"],
        "extension": answer.get("extension", {}),
        "assessment": assessment_extension(
            site.service.rule_version, decision.assessment, decision.facts.excluded_reasons, decision.gaps
        ),
        "versions": {
            "rule": site.service.rule_version,
            "mappings": site.mappings.version,
            "configuration": site.configuration_hash,
        },
        "eligibility": _eligibility(decision, site, now),
        "observations": _observations(decision, laboratory, patient_id, site, now) if laboratory else [],
        "draws": _draws(decision, laboratory, site, now) if laboratory else [],
    }


def _eligibility(decision: Decision, site: Site, now: datetime) -> dict[str, Any]:
    facts = decision.facts
    today = now.astimezone(site.policy.timezone).date()
    closing = ClosingRows(facts.operations, site.policy, today)
    told = {fact.reference or fact.code for fact in facts.conditions}
    told |= {fact.reference or fact.code for fact in facts.procedures}
    told |= {fact.reference or fact.code for fact in facts.excluded}
    return {
        "eligible": decision.eligibility.reason is None,
        "reason": decision.eligibility.reason,
        "patientChecked": Gap.PATIENT not in decision.gaps,
        "conditions": [
            *(
                {"reference": c.reference, "code": c.code, "category": c.category, "treatment": "counted"}
                for c in facts.conditions
            ),
            *_excluded_facts(facts.excluded, "Condition"),
            *unread_conditions(decision.chart.conditions.resources, told, site.mappings),
        ],
        "procedures": [
            *(
                {
                    "reference": p.reference,
                    "code": p.code,
                    "therapy": p.therapy,
                    "performed": p.performed.isoformat() if p.performed else None,
                    "treatment": "counted",
                }
                for p in facts.procedures
            ),
            *(row | closing.of(row) for row in _excluded_facts(facts.excluded, "Procedure")),
            *closing.beside(told),
            *unread_procedures(decision.chart.procedures.resources, told | closing.told, site.mappings),
        ],
    }


def _excluded_facts(excluded: tuple[ExcludedFact, ...], resource_type: str) -> Iterator[dict[str, Any]]:
    for fact in excluded:
        if fact.resource_type == resource_type:
            yield {"reference": fact.reference, "code": fact.code, "treatment": "excluded", "reason": fact.reason}


def _observations(decision: Decision, laboratory: Laboratory, patient_id: str, site: Site, now: datetime) -> Rows:
    """Tell of every delivered Observation whether it decided, was usable, was excluded, or is no test of ours.

    One row each, or one for each measurement where it holds several; what both searches brought is told once.
    """
    treatments = _Treatments(decision.assessment, laboratory)
    times = TimeReader(site.policy.timezone, now)
    rows: Rows = []
    for content, reader in laboratory_readers(laboratory.chart, patient_id, site, times):
        for observation in content.resources:
            found = [_observation_row(observation, outcome, treatments) for outcome in reader.read(observation)]
            rows += found or [_ignored_row(observation, site)]
        for malformed in content.malformed:
            excluded = reader.exclude_malformed((malformed,))
            rows += [_excluded_row(e, _codes_of(malformed)) for e in excluded] or [_ignored_row(malformed, site)]
    told_apart = {tuple(row.items()) if row["reference"] else place: row for place, row in enumerate(rows)}
    return list(told_apart.values())


class _Treatments:
    """What became of usable results: the draws they stand in, whether they decided, whether a partner refused them."""

    def __init__(self, assessment: Assessment, laboratory: Laboratory) -> None:
        self._used = _used(assessment)
        wholes = [result for draw in laboratory.counts.draws for result in draw.results]
        self._as_read = {_key(result): result for whole in wholes for result in (whole, *whole.parts)}
        self._beside_partner = {
            (e.reference, e.analyte, e.effective): e.reason
            for e in laboratory.counts.excluded
            if e.reason in _BESIDE_PARTNER
        }

    def as_read(self, result: LabResult) -> LabResult:
        """Return the result as its draw read it: a share may turn out to be a fraction."""
        return self._as_read.get(_key(result), result)

    def of(self, result: LabResult) -> dict[str, Any]:
        """Return the treatment as members of a row."""
        key = _key(result)
        if key in self._used:
            return {"treatment": "used"}
        reason = self._beside_partner.get((result.origin.reference, result.analyte, result.effective))
        is_other = result.basis is not Basis.PERCENT and reason is not Reason.PLATELET_CLUMPING
        if reason is None or is_other or key in self._as_read:
            return {"treatment": "usable"}
        return {"treatment": "excluded", "reason": reason}


def _observation_row(
    observation: Observation, outcome: LabResult | ExcludedResult, treatments: _Treatments
) -> dict[str, Any]:
    if not isinstance(outcome, LabResult):
        return _excluded_row(outcome, _codes_of(observation)) | {"reported": _reported(observation)}
    read = treatments.as_read(outcome)
    return {
        "reference": outcome.origin.reference,
        "code": outcome.origin.code,
        "analyte": outcome.analyte,
        "reported": f"{outcome.reported.value:f} {outcome.reported.unit}".strip(),
        "canonical": f"{plain(read.quantity.value)} {read.quantity.unit.removesuffix('1')}".strip(),
        "taken": outcome.effective.isoformat(),
        "specimen": outcome.origin.specimen,
        **treatments.of(outcome),
    }


def _excluded_row(excluded: ExcludedResult, codes: str) -> dict[str, Any]:
    return {
        "reference": excluded.reference,
        "code": codes,
        "analyte": excluded.analyte,
        "taken": excluded.effective.isoformat() if excluded.effective else None,
        "treatment": "excluded",
        "reason": excluded.reason,
    }


def _ignored_row(observation: Observation | Malformed, site: Site) -> dict[str, Any]:
    """Describe an Observation of another test; a near-miss of an accepted code says why it is refused."""
    row = {
        "reference": reference_of(observation.id, "Observation"),
        "code": _codes_of(observation),
        "treatment": "ignored",
    }
    if isinstance(observation, Observation) and is_clump_code(observation, site.mappings.clumps):
        row["note"] = f"platelet clumps: {clump_state(observation, site.mappings.clumps) or 'not readable'}"
    for coding in observation.code.coding if observation.code is not None else ():
        refused = site.mappings.refused_code(coding.system or "", coding.code or "")
        if refused is not None:
            row["note"] = f"resembles {', '.join(refused.resembles)}: {refused.reason}"
    return row


def _draws(decision: Decision, laboratory: Laboratory, site: Site, now: datetime) -> Rows:
    calendar = decision.eligibility.calendar(site.policy, now)
    used = _used(decision.assessment)
    rows: Rows = []
    for draw in laboratory.counts.draws:
        timed = calendar.place(draw)
        rows.append(
            {
                "taken": draw.effective.isoformat(),
                "basis": draw.basis,
                "observations": [r.origin.reference for whole in draw.results for r in whole.parts or (whole,)],
                "relation": timed.relation,
                "days": timed.days,
                "refusal": timed.refusal,
                "problems": list(problems_under(draw, site.criterion)),
                "readings": [
                    f"SII {reading.sii:f} ({', '.join((reading.basis, *['manual'] * reading.manual, *reading.parts))})"
                    for reading in notable_readings(draw, site.criterion)
                    if not draw.problems
                ],
                "decides": all(_key(result) in used for result in draw.results),
            }
        )
    return rows


def _used(assessment: Assessment) -> frozenset[tuple[Any, ...]]:
    if not isinstance(assessment, (AboveCutoff, NotAboveCutoff)):
        return frozenset()
    albumin = (assessment.albumin.result,) if assessment.albumin is not None else ()
    wholes = (*assessment.timed.draw.results, *albumin)
    return frozenset(_key(result) for whole in wholes for result in (whole, *whole.parts))


def _key(result: LabResult) -> tuple[Any, ...]:
    return result.origin, result.basis, result.reported, result.effective


def _codes_of(observation: Observation | Malformed) -> str:
    codings = observation.code.coding if observation.code is not None else ()
    return ", ".join(f"{coding.system or ''}|{coding.code or ''}" for coding in codings)


def _reported(observation: Observation) -> str:
    quantity = observation.valueQuantity
    return "" if quantity is None else f"{quantity.value} {quantity.unit or quantity.code or ''}".strip()


class ClosingRows:
    """The rows of an explanation for what closes days: operations, and what was begun and not completed."""

    def __init__(self, operations: Iterable[OperationFact], policy: ClinicalPolicy, today: date) -> None:
        """Keep the operations that close days; what others do decides nothing."""
        self._operations = [operation for operation in operations if operation.kind in CLOSING_KINDS]
        self._policy = policy
        self._today = today

    @property
    def told(self) -> frozenset[str]:
        """Return the references of all of them; the code where there is none."""
        return frozenset(operation.reference or operation.code for operation in self._operations)

    def of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Return what to add to the row of an excluded Procedure: the days that it closes all the same."""
        told = (row["reference"], row["code"])
        return next(({"note": self._days(o)} for o in self._operations if (o.reference, o.code) == told), {})

    def beside(self, told: Set[str]) -> Iterator[dict[str, Any]]:
        """Yield a row for each operation of which no other row tells."""
        for operation in self._operations:
            if (operation.reference or operation.code) not in told:
                yield {
                    "reference": operation.reference,
                    "code": operation.code,
                    "therapy": operation.kind,
                    "performed": operation.performed.isoformat() if operation.performed else None,
                    "treatment": "does not qualify",
                    "note": self._days(operation),
                }

    def _days(self, operation: OperationFact) -> str:
        time = operation.performed
        if time is None or not time.is_precise:
            return "closes no days: its day is not known"
        closed = days_closed_by(time, self._policy.post_procedure_exclusion_days, self._today)
        return f"blood drawn from {closed.first} to {closed.last} is not used"
