"""The demo's CDS Client: asks the service about a patient and sends feedback on its card."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Literal

import requests
from pydantic import ValidationError

from cds_service.demo.answers import Assessment, Card, HookAnswer, OperationOutcome
from cds_service.demo.patients.resources import Resource, searchset
from cds_service.outgoing import closed_session

if TYPE_CHECKING:
    from datetime import datetime

    from cds_service.demo.patients.story import PatientStory

SERVICE_PATH = "/cds-services/sii-recurrence-risk"
USER_ID = "Practitioner/demo-clinician"
# Connecting and reading, in seconds; the service gives up well before.
_TIMEOUT = (2.0, 15.0)


@dataclass(frozen=True, slots=True)
class Answered:
    """The service decided: cards, if any, and its assessment, if it is told to send one."""

    cards: tuple[Card, ...]
    assessment: Assessment | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The service gave no decision. `status` is None where no HTTP answer came at all."""

    status: int | None
    kind: Literal["unreachable", "refused", "unreadable"]
    diagnostics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One POST to the service: what was sent, what came back, and how long it took."""

    url: str
    request: Resource
    status: int | None
    response: str
    milliseconds: float


def hook_request(story: PatientStory, hook_instance: str) -> Resource:
    """Return the patient-view request an EHR would send, with every prefetch key of the service."""
    return {
        "hook": "patient-view",
        "hookInstance": hook_instance,
        "context": {"userId": USER_ID, "patientId": story.id},
        "prefetch": {
            "patient": story.patient,
            "bloodCounts": searchset(story.blood_counts),
            "albumin": searchset(story.albumin),
            "conditions": searchset(story.conditions),
            "procedures": searchset(story.procedures),
        },
    }


def acceptance(card: str, suggestion: str, at: datetime) -> Resource:
    """Return the feedback for an accepted card; `at` carries a zone.

    CDS Hooks defines acceptance for suggestions (cds-fb-2). A card that only informs has none: `suggestion` is then
    empty and left out, because an empty list would claim what did not happen, and the service takes it.
    """
    accepted = {"acceptedSuggestions": [{"id": suggestion}]} if suggestion else {}
    return _feedback({"card": card, "outcome": "accepted"} | accepted, at)


def dismissal(card: str, reason: tuple[str, str] | None, comment: str, at: datetime) -> Resource:
    """Return the feedback for a dismissed card; `reason` is (system, code) of one of the card's reasons.

    A card may be dismissed without reason and comment; then overrideReason is left out, because an empty
    one is invalid (cds-fb-3).
    """
    override: Resource = {}
    if reason:
        override["reason"] = {"system": reason[0], "code": reason[1]}
    if comment:
        override["userComment"] = comment
    item: Resource = {"card": card, "outcome": "overridden"}
    return _feedback(item | ({"overrideReason": override} if override else {}), at)


def ask(base_url: str, request: Resource) -> tuple[Exchange, Answered | Failed]:
    """Call the service and read its answer; whatever cannot be read is Failed, never "no card"."""
    exchange, failure = _post(base_url + SERVICE_PATH, request)
    return exchange, failure or _read(exchange)


def send_feedback(base_url: str, feedback: Resource) -> tuple[Exchange, Failed | None]:
    """Send feedback; returns the failure, or None once the service has taken it."""
    return _post(f"{base_url}{SERVICE_PATH}/feedback", feedback)


def _feedback(item: Resource, at: datetime) -> Resource:
    stamp = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"feedback": [item | {"outcomeTimestamp": stamp}]}


def _post(url: str, body: Resource) -> tuple[Exchange, Failed | None]:
    started = time.perf_counter()
    try:
        with closed_session() as session:
            answer = session.post(url, json=body, timeout=_TIMEOUT)
    except requests.RequestException:
        waited = (time.perf_counter() - started) * 1000
        failure = Failed(None, "unreachable")
        return Exchange(url, body, None, "", waited), failure
    elapsed = (time.perf_counter() - started) * 1000
    exchange = Exchange(url, body, answer.status_code, answer.text, elapsed)
    if 200 <= answer.status_code < 300:
        return exchange, None
    return exchange, Failed(answer.status_code, "refused", _issues(answer.text))


def _read(exchange: Exchange) -> Answered | Failed:
    try:
        answer = HookAnswer.model_validate_json(exchange.response)
        return Answered(answer.cards, answer.assessment())
    except ValidationError as problem:
        fields = tuple(f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in problem.errors())
        return Failed(exchange.status, "unreadable", fields)


def _issues(body: str) -> tuple[str, ...]:
    try:
        return OperationOutcome.model_validate_json(body).texts()
    except ValidationError:
        return ()
