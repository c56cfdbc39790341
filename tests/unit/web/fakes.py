"""Stand-ins for everything behind the edge, and requests that a good client would send."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import TYPE_CHECKING, Any

from cds_service.authorization.clients import TrustedClient
from cds_service.errors import UnauthenticatedError
from cds_service.hooks.discovery import ServiceDescription
from cds_service.hooks.response import Answer, CDSResponse, Verdict
from cds_service.web.application import CDSApplication, build_application
from cds_service.web.ports import ContentVersions, Parts, Running
from cds_service.web.request_head import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cds_service.hooks.feedback import FeedbackBatch
    from cds_service.hooks.request import CDSRequest

PUBLIC_URL = "https://cds.hospital.example/base"
HOOK_PATH = "/cds-services/example"
FEEDBACK_PATH = "/cds-services/example/feedback"
GOOD_TOKEN = {"Authorization": "Bearer good"}
ORIGIN = "https://ehr.hospital.example"
LIMIT = 1_000_000

NOW = datetime(2026, 3, 9, 14, 30, tzinfo=timezone(timedelta(hours=9)))


@dataclass
class FakeService:
    """Answers with what it is given, or raises it; remembers how it was called."""

    id: str = "example"
    rule_version: str = "1.2.3"
    outcome: Answer | BaseException = field(
        default_factory=lambda: Answer(CDSResponse(cards=()), Verdict("not-eligible"))
    )
    calls: list[dict[str, Any]] = field(default_factory=list)

    def describe(self) -> ServiceDescription:
        return ServiceDescription(
            hook="patient-view",
            title="Example",
            description="An example.",
            id=self.id,
            prefetch={"patient": "Patient/{{context.patientId}}"},
            usage_requirements="None.",
            version="2.0",
        )

    def answer(
        self,
        request: CDSRequest,
        client: TrustedClient,
        *,
        request_id: str,
        now: datetime,
        new_uuid: Callable[[], str],
    ) -> Answer:
        self.calls.append(
            {"request": request, "client": client, "request_id": request_id, "now": now, "new_uuid": new_uuid}
        )
        return self._result()

    def receive_feedback(self, batch: FeedbackBatch, client: TrustedClient, *, request_id: str, now: datetime) -> None:
        self.calls.append({"batch": batch, "client": client, "request_id": request_id, "now": now})
        self._result()

    def _result(self) -> Answer:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@dataclass
class FakeAuthenticator:
    """Knows one token; remembers for which address and at what time it was asked."""

    endpoint_urls: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def authenticate(
        self, authorization_headers: Sequence[str], endpoint_url: str, now: datetime, address: str
    ) -> TrustedClient:
        self.addresses.append(address)
        self.endpoint_urls.append(endpoint_url)
        self.times.append(now)
        if list(authorization_headers) != ["Bearer good"]:
            raise UnauthenticatedError(f"refused for reason {len(self.times)}", log_detail="signature")
        return TrustedClient(name="main-ehr", issuer="https://ehr.hospital.example", mode="active")

    def check_ready(self) -> None:
        """Find nothing wrong."""


class FakeModelCard:
    """A card of one word."""

    offered = ("en",)

    def html(self, language: str = "en") -> str:
        return f"<!doctype html><html lang={language}><title>card</title>"

    def json(self, language: str = "en") -> bytes:
        return b'{"name":"card"}' if language == "en" else b"{}"


@dataclass
class Edge:
    """An application over stand-ins."""

    service: FakeService = field(default_factory=FakeService)
    authenticator: FakeAuthenticator = field(default_factory=FakeAuthenticator)
    readiness: dict[str, Callable[[], None]] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=count)
    origins: frozenset[str] = frozenset({ORIGIN})
    proxies: frozenset[str] = frozenset()

    def parts(self) -> Parts:
        return Parts(
            versions=ContentVersions("0123456789ab", "ba9876543210"),
            public_url=PUBLIC_URL,
            trusted_proxies=TrustedProxies(self.proxies),
            max_request_bytes=LIMIT,
            cors_origins=self.origins,
            services={self.service.id: self.service},
            authenticator=self.authenticator,
            model_card=FakeModelCard(),
            readiness=self.readiness,
        )

    def running(self) -> Running:
        return Running(self.parts(), now=lambda: NOW, new_uuid=self.next_id)

    def application(self) -> CDSApplication:
        return build_application(self.running())

    def next_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self.numbers):012d}"


def hook_request(**changes: Any) -> dict[str, Any]:
    """Return a patient-view request with members replaced; None as a value stays in it as null."""
    request: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p-1"},
    }
    return request | changes


def feedback_item(**changes: Any) -> dict[str, Any]:
    """Return a feedback item with members replaced."""
    stamp = datetime(2026, 3, 9, 5, 30, tzinfo=UTC).isoformat()
    return {"card": "123456", "outcome": "overridden", "outcomeTimestamp": stamp} | changes


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()
