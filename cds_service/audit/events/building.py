"""From a record to its AuditEvent: who asked, about whom, what was looked at, and what was advised; never a value."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cds_service.audit.building import DATA_UNAVAILABLE
from cds_service.audit.events import codes
from cds_service.audit.events.references import URI_SYSTEM, References
from cds_service.audit.keys import PSEUDONYM_PREFIX
from cds_service.audit.records import REFUSED, FeedbackRecord, HookRecord, ViewRecord
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cds_service.audit.records import DecisionRecord, ReferenceEntry
    from cds_service.audit.search import Found

Json = dict[str, Any]

PSEUDONYMS: Final = "https://sii-cds.org/sid/patient-pseudonym"
# One event for one record, however often it is exported: the id is made from what identifies the record.
_NAMESPACE: Final = uuid.UUID("6c5a7a0e-6f0b-5f44-9c5e-3d0f6d1f7c11")

_SUBTYPES: Final = {
    HookRecord: codes.CDS_ADVICE,
    ViewRecord: codes.TREND_VIEW,
    FeedbackRecord: codes.CDS_FEEDBACK,
}


@dataclass(frozen=True, slots=True)
class Observer:
    """The service as the source of the events; `address` is service.public_url, empty where it is not known.

    `references` names the resources of others.
    """

    address: str = ""
    references: References = field(default_factory=References)

    def reference(self) -> Json:
        """Return the service as a Reference."""
        identifier = {"identifier": {"system": URI_SYSTEM, "value": self.address}} if self.address else {}
        return {**identifier, "display": "sii-cds"}


def audit_event(found: Found, observer: Observer) -> Json:
    """Return the AuditEvent of a record. Feedback names the patient of its card, if that is known.

    Characters that no FHIR string may hold are replaced: ids, users and reason codes are what callers sent.
    """
    event: Json = _printable(_event(found, observer))
    return event


def _event(found: Found, observer: Observer) -> Json:
    record = found.record
    failed = record.outcome in (DATA_UNAVAILABLE, REFUSED)
    return {
        "resourceType": "AuditEvent",
        "id": _event_id(found),
        "type": codes.REST.coding(),
        "subtype": [codes.OPERATION.coding(), _SUBTYPES[type(record)].coding()],
        "action": codes.EXECUTE,
        "recorded": _instant(record.time),
        "outcome": codes.MINOR_FAILURE if failed else codes.SUCCESS,
        "outcomeDesc": _description(record),
        "purposeOfEvent": [{"coding": [codes.TREATMENT.coding()]}],
        "agent": list(_agents(record, observer)),
        "source": {"observer": observer.reference(), "type": [codes.APPLICATION_SERVER.coding()]},
        "entity": list(
            _feedback_entities(found, record, observer.references)
            if isinstance(record, FeedbackRecord)
            else _decision_entities(record, observer.references)
        ),
    }


def _event_id(found: Found) -> str:
    record = found.record
    parts = (found.sequence, record.request_id, record.time.isoformat(), type(record).__name__)
    return str(uuid.uuid5(_NAMESPACE, "\n".join(map(str, parts))))


def _description(record: HookRecord | ViewRecord | FeedbackRecord) -> str:
    reasons = () if isinstance(record, FeedbackRecord) else (*record.reasons, *record.missing)
    return f"{record.outcome}: {', '.join(reasons)}" if reasons else record.outcome


def _agents(record: HookRecord | ViewRecord | FeedbackRecord, observer: Observer) -> Iterator[Json]:
    """Name client, server, and the user where one is known; the user asked, else the client did."""
    client = {"identifier": {"value": record.client}, "display": record.client}
    yield _agent(codes.CLIENT, client, requestor=not record.user)
    network = {"network": {"address": observer.address, "type": "5"}} if observer.address else {}
    yield _agent(codes.SERVER, observer.reference(), requestor=False) | network
    if record.user:
        yield _agent(codes.USER, _user(record.user, record.client, observer.references), requestor=True) | {
            "purposeOfUse": [{"coding": [codes.TREATMENT.coding()]}]
        }


def _agent(role: codes.Code, who: Json, *, requestor: bool) -> Json:
    return {"type": {"coding": [role.coding()]}, "who": who, "requestor": requestor}


def _decision_entities(record: HookRecord | ViewRecord, references: References) -> Iterator[Json]:
    yield _patient(record.patient, record.client, references)
    if isinstance(record, HookRecord):
        yield _transaction(codes.HOOK_INSTANCE, record.hook_instance)
    yield _transaction(codes.REQUEST_ID, record.request_id)
    for reference in _looked_at(record):
        yield {
            "what": references.make(reference, record.client),
            "type": codes.SYSTEM_OBJECT.coding(),
            "role": codes.DOMAIN_RESOURCE.coding(),
        }
    yield _report(
        record.card,
        ("outcome", record.outcome),
        ("reasons", ", ".join(record.reasons)),
        ("not-obtained", ", ".join(record.missing)),
        ("presentation", record.how_presented),
        ("refused", record.refused if isinstance(record, ViewRecord) else ""),
        ("mode", record.mode if isinstance(record, HookRecord) else ""),
        ("service", record.service),
        ("rule-version", record.rule_version),
        ("mapping-version", record.mapping_version),
        ("configuration", record.configuration),
    )


def _feedback_entities(found: Found, record: FeedbackRecord, references: References) -> Iterator[Json]:
    """Say what became of the card. The comment is free text and stays in the log."""
    if found.card_of is not None:
        yield _patient(found.card_of.patient, record.client, references)
    yield _transaction(codes.REQUEST_ID, record.request_id)
    yield _report(
        record.card,
        ("outcome", record.outcome),
        ("outcome-time", _instant(record.outcome_time)),
        ("override-reason", record.reason_code or ""),
        ("override-reason-system", record.reason_system or ""),
        ("accepted-suggestions", ", ".join(record.accepted_suggestions)),
        ("card-known", "yes" if found.card_of is not None else "no"),
    )


def _looked_at(record: DecisionRecord) -> tuple[str, ...]:
    """Return each result, Condition and Procedure once, the version where the chart told it."""
    earlier = (result for draw in record.earlier for result in draw.results)
    entries: tuple[ReferenceEntry, ...] = (
        *(*record.used, *record.newest_draw, *earlier),
        *(*record.excluded, *record.conditions, *record.procedures),
    )
    return tuple(
        dict.fromkeys(
            f"{entry.reference}/_history/{entry.version}" if entry.version else entry.reference
            for entry in entries
            if entry.reference
        )
    )


def _patient(patient: str, client: str, references: References) -> Json:
    is_pseudonym = patient.startswith(PSEUDONYM_PREFIX)
    who = _pseudonym(patient) if is_pseudonym else references.make(f"Patient/{patient}", client)
    return {"what": who, "type": codes.PERSON.coding(), "role": codes.PATIENT.coding()}


def _user(user: str, client: str, references: References) -> Json:
    """Return a Reference; of a patient or related person under a pseudonym, the kind of person and the pseudonym."""
    kind, prefix, digest = user.partition(PSEUDONYM_PREFIX)
    if not prefix:
        return references.make(user, client)
    return {"type": kind.removesuffix("/") or "Patient", **_pseudonym(prefix + digest)}


def _pseudonym(value: str) -> Json:
    return {"identifier": {"system": PSEUDONYMS, "value": value}}


def _transaction(kind: codes.Code, value: str) -> Json:
    return {"what": {"identifier": {"value": value}}, "type": kind.coding()}


def _report(card: str | None, *details: tuple[str, str]) -> Json:
    """Return the advice itself: the card where there was one, and what was said about it."""
    what = {"what": {"identifier": _card_identifier(card)}} if card is not None else {}
    return {
        **what,
        "type": codes.SYSTEM_OBJECT.coding(),
        "role": codes.REPORT.coding(),
        "name": "advice",
        "detail": [{"type": name, "valueString": value} for name, value in details if value],
    }


def _card_identifier(card: str) -> Json:
    try:
        return {"system": URI_SYSTEM, "value": uuid.UUID(card).urn}
    except ValueError:
        # Clients answer for cards of their own, too: Epic's samples name the card "123456".
        return {"value": card}


def _instant(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _printable(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _printable(value) for name, value in part.items()}
    if isinstance(part, list):
        return list(map(_printable, part))
    return printable(part) if isinstance(part, str) else part
