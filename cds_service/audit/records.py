"""What the audit log keeps of a hook call, a view, feedback, and the configuration decisions were made under.

Records have no member for names, card texts, tokens or request bodies, so none can reach the log. Text members hold
what they were given: codes of this service's vocabulary are strings here, so that an old log stays readable when
the vocabulary grows. These are the records of format 2; those of format 1 are read as such (`earlier_records.py`).
"""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

# Times of results and procedures are FHIR texts: a date when the chart knows the day only, else a date-time.


# In place of a chart. Raw cannot be optional, and only this very object is left out of the JSON.
NO_CHART = msgspec.Raw()


# Every outcome a record may have: of a hook call in the order of the rule, of a view, of feedback.
HOOK_OUTCOMES = ("above-cutoff", "not-above-cutoff", "indeterminate", "not-eligible", "data-unavailable")
REFUSED = "refused"
OUTCOMES = (*HOOK_OUTCOMES, REFUSED, "accepted", "overridden")

# What records of format 1 are about: there was no other service then.
FIRST_SERVICE = "sii-recurrence-risk"


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


class ServiceRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one CDS Service did; `service` is its id."""

    time: datetime
    service: str = ""

    def __post_init__(self) -> None:
        """Name the service of a record of format 1, which names none."""
        if not self.service:
            msgspec.structs.force_setattr(self, "service", FIRST_SERVICE)


class DecisionRecord(ServiceRecord, frozen=True, omit_defaults=True, kw_only=True):
    """Who asked about whom, and what was decided from which results: of a hook call or of a view.

    `patient` is the FHIR id, or a pseudonym that starts with `hmac:`, and so is `encounter`. `used` holds the decisive
    draw and the albumin shown beside it; for an indeterminate outcome `newest_draw` holds the draw that could not be
    used and `refusal` why its time forbids it. `incomplete_draw` names the analytes of usable results that are newer
    than the newest complete draw: with `excluded` it tells why an older draw decided. `exclusions` counts all results
    that were not used by reason; `excluded` lists some of each kind, all where they are few. `missing` names prefetch
    keys when the outcome is `data-unavailable`, `not_delivered` those that the decision did without. The limits, and
    the zone in which days were counted, stand in the configuration record of the same service and `configuration`.
    `timings_ms` are milliseconds by step. `chart` is a ChartEntry, what the decision can be recomputed from; it is
    there when the site keeps values, unless the chart was larger than a record may grow (`chart_too_large`).
    `left_out` tells what else the record leaves out: entries by the name of their member, and `texts` that were cut.
    """

    request_id: str
    client: str
    user: str
    patient: str
    encounter: str = ""
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
    exclusions: dict[str, int] = {}
    excluded: tuple[ExcludedEntry, ...] = ()
    conditions: tuple[ConditionEntry, ...] = ()
    procedures: tuple[ProcedureEntry, ...] = ()
    truncated: bool = False
    card: str | None = None
    shown: bool = False
    rule_version: str
    mapping_version: str
    configuration: str
    timings_ms: dict[str, float] = {}
    chart: msgspec.Raw = NO_CHART
    chart_too_large: bool = False
    left_out: dict[str, int] = {}

    @property
    def exclusion_counts(self) -> dict[str, int]:
        """Count the results that were not used by reason; records of format 1 list all of them and count none."""
        return self.exclusions or Counter(entry.reason for entry in self.excluded)


class HookRecord(DecisionRecord, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="hook"):
    """One hook call, what was decided, and whether it was shown.

    `shown` tells whether the card left the service, `presentation` why it did not: silent (mode) or snoozed (after an
    override); its uuid stands in `card` all the same.
    """

    hook_instance: str
    mode: Literal["active", "silent"]
    presentation: str = ""

    @property
    def how_presented(self) -> str:
        """Return shown, silent, snoozed or none; records of earlier versions tell it by `card` and `shown` alone."""
        if self.presentation:
            return self.presentation
        if self.card is None:
            return "none"
        return "shown" if self.shown else "silent"


class ViewRecord(DecisionRecord, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="view"):
    """One page of the trend app: who looked at whose results over time, and what the page said.

    `card` is the card whose link opened it, if this log knows that card for this client and patient; `shown` tells
    whether the page left the service. A view that was refused after its patient was known has the outcome `refused`,
    or `data-unavailable` with `missing`, and `refused` says why.
    """

    refused: str = ""

    @property
    def how_presented(self) -> str:
        """Return shown or refused."""
        return "shown" if self.shown else REFUSED


class FeedbackRecord(ServiceRecord, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="feedback"):
    """What became of one card. `comment` is free text of the user; whether the card is known is told by search."""

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
    left_out: dict[str, int] = {}


class ConfigurationRecord(
    ServiceRecord, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="configuration"
):
    """The clinical settings of a service behind a configuration hash, in force since `time`.

    Written at start, after a reload, and again, as it was, in every file before the first record made under it. With
    it a decision can be recomputed under the limits that were in force: `policy` holds all of them, under the names
    that the rule has for them (`policies.py`).
    """

    configuration: str
    rule_version: str
    mapping_version: str
    mode: Literal["active", "silent"]
    policy: msgspec.Raw


AuditRecord = HookRecord | ViewRecord | FeedbackRecord | ConfigurationRecord
