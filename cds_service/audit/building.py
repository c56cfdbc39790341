"""From a finished hook call, a feedback item or a configuration to its audit record.

A hook record keeps enough for its decision to be recomputed: the results with their values (if the site keeps them),
the Conditions and Procedures eligibility was judged by, the zone in which days were counted, and the hash of the
configuration, whose limits stand in a record of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, Literal

from cds_service.audit.bounding import listed_members
from cds_service.audit.entries import verdict_members
from cds_service.audit.keys import encounter_pseudonym, pseudonym
from cds_service.audit.policies import encode_policy
from cds_service.audit.records import (
    NO_CHART,
    REFUSED,
    ConfigurationRecord,
    FeedbackRecord,
    HookRecord,
    ViewRecord,
)
from cds_service.audit.users import user_in_log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from msgspec import Raw

    from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
    from cds_service.clinical.models import ExcludedResult
    from cds_service.clinical.outcomes import Assessment
    from cds_service.hooks.feedback import FeedbackItem

# What becomes of the card: it leaves, silent mode or a snooze keeps it back, or there is none.
Presentation = Literal["shown", "silent", "snoozed", "none"]

DATA_UNAVAILABLE: Final = "data-unavailable"

_LONGEST_COMMENT: Final = 4_000
_TIMING_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContext:
    """Who asked which service about whom, when, and under which configuration.

    `now` is aware. With `pseudonym_key` the record holds pseudonyms instead of `patient` and `encounter`, and instead
    of the id of a user who is a patient or related person.
    """

    service: str
    request_id: str
    hook_instance: str
    client: str
    user: str
    patient: str
    encounter: str
    now: datetime
    mode: Literal["active", "silent"]
    rule_version: str
    mapping_version: str
    configuration: str
    keep_values: bool
    pseudonym_key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFacts:
    """What the chart held besides the draw: the facts of eligibility, results that were not used, and all as sent.

    `not_delivered` names the prefetch keys that the decision did without, or had incompletely.
    """

    conditions: Sequence[ConditionFact] = ()
    procedures: Sequence[ProcedureFact] = ()
    excluded: Sequence[ExcludedResult] = ()
    incomplete_draw: tuple[str, ...] = ()
    not_delivered: tuple[str, ...] = ()
    chart: Raw | None = None
    chart_too_large: bool = False


def build_hook_record(
    context: DecisionContext,
    assessment: Assessment,
    facts: DecisionFacts,
    *,
    card: str | None,
    presentation: Presentation,
    timings_ms: Mapping[str, float],
) -> HookRecord:
    """Record an assessment. `card` is the uuid of the card made, also when it was kept back (`presentation`)."""
    return HookRecord(
        **_hook_members(context, timings_ms),
        **_decision_members(context, assessment, facts),
        card=card,
        shown=presentation == "shown",
        presentation="" if presentation == "none" else presentation,
    )


def build_unavailable_record(
    context: DecisionContext, missing: Sequence[str], *, timings_ms: Mapping[str, float]
) -> HookRecord:
    """Record a hook call that could not be decided because required data could not be had (412)."""
    return HookRecord(**_hook_members(context, timings_ms), outcome=DATA_UNAVAILABLE, missing=tuple(missing))


def build_view_record(
    context: DecisionContext,
    assessment: Assessment,
    facts: DecisionFacts,
    *,
    card: str | None,
    timings_ms: Mapping[str, float],
) -> ViewRecord:
    """Record a page of the trend app. `card` is the card that led to it, if the log knows it for this patient."""
    return ViewRecord(
        **_frame_members(context, timings_ms), **_decision_members(context, assessment, facts), card=card, shown=True
    )


def build_refused_view_record(
    context: DecisionContext, refused: str, missing: Sequence[str], *, timings_ms: Mapping[str, float]
) -> ViewRecord:
    """Record a page that was refused after its patient was known; `missing` names required data that did not come."""
    outcome = DATA_UNAVAILABLE if missing else REFUSED
    frame = _frame_members(context, timings_ms)
    return ViewRecord(**frame, outcome=outcome, refused=refused, missing=tuple(missing))


def build_feedback_record(
    item: FeedbackItem,
    *,
    service: str,
    request_id: str,
    client: str,
    user: str | None,
    now: datetime,
    keep_comment: bool,
) -> FeedbackRecord:
    """Record one feedback item; the user's comment only if the site keeps comments, and the start of a long one."""
    return FeedbackRecord(
        time=now.astimezone(UTC),
        service=service,
        request_id=request_id,
        client=client,
        user=user,
        card=item.card,
        outcome=item.outcome,
        outcome_time=item.outcome_at,
        reason_code=item.reason.code if item.reason is not None else None,
        reason_system=item.reason.system if item.reason is not None else None,
        comment=item.user_comment[:_LONGEST_COMMENT] if item.user_comment and keep_comment else None,
        accepted_suggestions=item.accepted_suggestions,
    )


def build_configuration_record(
    policy: object,
    *,
    service: str,
    configuration: str,
    mode: Literal["active", "silent"],
    rule_version: str,
    mapping_version: str,
    now: datetime,
) -> ConfigurationRecord:
    """Record the limits of a service behind a configuration hash. `policy` is a dataclass of plain values."""
    return ConfigurationRecord(
        time=now.astimezone(UTC),
        service=service,
        configuration=configuration,
        rule_version=rule_version,
        mapping_version=mapping_version,
        mode=mode,
        policy=encode_policy(policy),
    )


def _decision_members(context: DecisionContext, assessment: Assessment, facts: DecisionFacts) -> dict[str, Any]:
    return {
        **verdict_members(assessment, keep_values=context.keep_values),
        "incomplete_draw": facts.incomplete_draw,
        "not_delivered": facts.not_delivered,
        **listed_members(facts.excluded, facts.conditions, facts.procedures),
        "chart": facts.chart if facts.chart is not None else NO_CHART,
        "chart_too_large": facts.chart_too_large,
    }


def _hook_members(context: DecisionContext, timings_ms: Mapping[str, float]) -> dict[str, Any]:
    frame = _frame_members(context, timings_ms)
    return {**frame, "hook_instance": context.hook_instance, "mode": context.mode}


def _frame_members(context: DecisionContext, timings_ms: Mapping[str, float]) -> dict[str, Any]:
    key = context.pseudonym_key
    return {
        "time": context.now.astimezone(UTC),
        "service": context.service,
        "request_id": context.request_id,
        "client": context.client,
        "user": context.user if key is None else user_in_log(key, context.user, context.patient),
        "patient": context.patient if key is None else pseudonym(key, context.patient),
        "encounter": context.encounter if key is None else encounter_pseudonym(key, context.encounter),
        "rule_version": context.rule_version,
        "mapping_version": context.mapping_version,
        "configuration": context.configuration,
        "timings_ms": {step: round(value, _TIMING_DECIMALS) for step, value in timings_ms.items()},
    }
