"""What the audit log keeps of a hook call, of feedback, and of the configuration decisions were made under.

Records have no member for names, card texts, tokens or request bodies, so none can reach the log. Text members hold
what they were given: codes of this service's vocabulary are strings here, so that an old log stays readable when
the vocabulary grows.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

# Times of results and procedures are FHIR texts: a date when the chart knows the day only, else a date-time.


# In place of a chart. Raw cannot be optional, and only this very object is left out of the JSON.
NO_CHART = msgspec.Raw()


# Every outcome a record may have: of a hook call in the order of the rule, then of feedback.
HOOK_OUTCOMES = ("above-cutoff", "not-above-cutoff", "indeterminate", "not-eligible", "data-unavailable")
OUTCOMES = (*HOOK_OUTCOMES, "accepted", "overridden")


class ReferenceEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A resource by its reference, empty where it has no id, and its version where the EHR tells one."""

    reference: str
    version: str = ""


class ResultEntry(ReferenceEntry, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One laboratory result. `value` is canonical (10*9/L, 1 for shares, g/L); values only if the site keeps them."""

    analyte: str
    system: str = ""
    code: str
    specimen: str = ""
    basis: str
    preference: int = 1
    corrected: bool = False
    effective: str
    issued: datetime | None = None
    value: Decimal | None = None
    unit: str = ""
    reported_value: Decimal | None = None
    reported_unit: str = ""


class ExcludedEntry(ReferenceEntry, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A result that was not used, and why. `analyte` is empty when it could not be told."""

    analyte: str = ""
    reason: str
    effective: str = ""


class EarlierEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """SII of an older draw that the card showed for comparison, from platelets, neutrophils and lymphocytes."""

    sii: str
    sample_time: str
    baseline: bool = False
    results: tuple[ReferenceEntry, ...] = ()


class ConditionEntry(ReferenceEntry, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A Condition that bore on eligibility."""

    category: str
    code: str
    recurrence_status: bool = False
    last_day: date | None = None


class ProcedureEntry(ReferenceEntry, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A qualifying procedure. `performed` is empty when the chart does not date it."""

    therapy: str
    code: str
    performed: str = ""


class HookRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="hook"):
    """One hook call: who asked about whom, what was decided from which results, and whether it was shown.

    `patient` is the FHIR id, or a pseudonym that starts with `hmac:`. `used` holds the decisive draw and the albumin
    shown beside it; for an indeterminate outcome `newest_draw` holds the draw that could not be used and `refusal` why
    its time forbids it. `incomplete_draw` names the analytes of usable results that are newer than the newest complete
    draw: with `excluded` it tells why an older draw decided. `missing` names prefetch keys when the outcome is
    `data-unavailable`, `not_delivered` those that the decision did without. `shown` tells whether the card left the
    service, `presentation` why it did not: silent (mode) or snoozed (after an override); its uuid stands here all the
    same. `timezone` is the zone in which days were counted. `timings_ms` are milliseconds by step. `chart` is a
    ChartEntry, what the decision can be recomputed from; it is there when the site keeps values, unless the chart was
    larger than a record may grow (`chart_too_large`).
    """

    time: datetime
    request_id: str
    hook_instance: str
    client: str
    user: str
    patient: str
    outcome: str
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    not_delivered: tuple[str, ...] = ()
    sii: str | None = None
    cutoff: str | None = None
    basis: str | None = None
    sample_time: str | None = None
    relation: str | None = None
    days_from_procedure: int | None = None
    latest_procedure: str | None = None
    used: tuple[ResultEntry, ...] = ()
    newest_draw: tuple[ResultEntry, ...] = ()
    refusal: str | None = None
    incomplete_draw: tuple[str, ...] = ()
    earlier: tuple[EarlierEntry, ...] = ()
    excluded: tuple[ExcludedEntry, ...] = ()
    conditions: tuple[ConditionEntry, ...] = ()
    procedures: tuple[ProcedureEntry, ...] = ()
    truncated: bool = False
    card: str | None = None
    shown: bool = False
    presentation: str = ""
    mode: Literal["active", "silent"]
    rule_version: str
    mapping_version: str
    configuration: str
    timezone: str
    timings_ms: dict[str, float] = {}
    chart: msgspec.Raw = NO_CHART
    chart_too_large: bool = False

    @property
    def how_presented(self) -> str:
        """Return shown, silent, snoozed or none; records of earlier versions tell it by `card` and `shown` alone."""
        if self.presentation:
            return self.presentation
        if self.card is None:
            return "none"
        return "shown" if self.shown else "silent"


class FeedbackRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="feedback"):
    """What became of one card. `comment` is free text of the user; whether the card is known is told by search."""

    time: datetime
    request_id: str
    client: str
    user: str | None = None
    card: str
    outcome: str
    outcome_time: datetime
    reason_code: str | None = None
    reason_system: str | None = None
    comment: str | None = None
    accepted_suggestions: tuple[str, ...] = ()


class ConfigurationRecord(
    msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="configuration"
):
    """The clinical settings behind a configuration hash, in force since `time`.

    Written at start, after a reload, and again, as it was, in every file before the first record made under it. With
    it a decision can be recomputed under the limits that were in force. Days and minutes are inclusive limits.
    """

    time: datetime
    configuration: str
    rule_version: str
    mapping_version: str
    mode: Literal["active", "silent"]
    timezone: str
    cutoff: str
    cutoff_source: str
    eligibility_required: bool
    minimum_age: int
    post_procedure_exclusion_days: int
    baseline_window_days: int
    max_age_days: int
    same_draw_minutes: float
    albumin_window_days: int
    accepted_statuses: tuple[str, ...]


AuditRecord = HookRecord | FeedbackRecord | ConfigurationRecord
