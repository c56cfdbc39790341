"""What the edge needs from the rest of the service, and the one object that a reload replaces."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import uuid4

if TYPE_CHECKING:
    from cds_service.authorization.clients import TrustedClient
    from cds_service.hooks.discovery import ServiceDescription
    from cds_service.hooks.feedback import FeedbackBatch
    from cds_service.hooks.request import CDSRequest
    from cds_service.hooks.response import Answer
    from cds_service.smart.trend_app import TrendApp
    from cds_service.web.request_head import TrustedProxies


class CDSService(Protocol):
    """One CDS Service. Its id is the last segment of its path."""

    @property
    def id(self) -> str:
        """Name the service in its path."""

    @property
    def rule_version(self) -> str:
        """Name the version of the rule it decides by."""

    def describe(self) -> ServiceDescription:
        """Return its entry of the discovery answer."""

    def answer(
        self,
        request: CDSRequest,
        client: TrustedClient,
        *,
        request_id: str,
        now: datetime,
        new_uuid: Callable[[], str],
    ) -> Answer:
        """Decide, record, and return the cards with the outcome. Raises ServiceError."""

    def receive_feedback(self, batch: FeedbackBatch, client: TrustedClient, *, request_id: str, now: datetime) -> None:
        """Record what became of cards. Raises ServiceError."""


class Authenticator(Protocol):
    """Tells who is asking."""

    def authenticate(
        self, authorization_headers: Sequence[str], endpoint_url: str, now: datetime, address: str
    ) -> TrustedClient:
        """Return the verified client; `address` is the caller's. Raises UnauthenticatedError or ForbiddenError."""

    def check_ready(self) -> None:
        """Prove that clients could be verified now. Raises ServiceError."""


class ModelCard(Protocol):
    """The description of the rule for the people who answer for it."""

    @property
    def offered(self) -> Sequence[str]:
        """The languages it has, that of the site first."""

    def html(self, language: str = "en") -> str:
        """Return a whole HTML document in a language that is offered."""

    def json(self, language: str = "en") -> bytes:
        """Return the same as JSON."""


# Proves that something the service cannot do without works now; raises ServiceError when it does not.
ReadinessCheck = Callable[[], None]


class ContentVersions(NamedTuple):
    """The hash of the effective configuration, and the version of the mapping tables with the site's overlays."""

    configuration: str
    mappings: str


@dataclass(frozen=True, slots=True)
class Parts:
    """All that follows from one configuration. A request uses the Parts it began with, whatever is reloaded meanwhile.

    `versions` names the content that answers are made from. `public_url` has no slash at its end. `trusted_proxies` are
    those whose X-Forwarded-For is believed. `readiness` maps a name, shown to whoever asks, to its check. `trend_apps`
    are by client; `places_for_launches` is how many of their pages are made at a time.
    """

    versions: ContentVersions
    public_url: str
    trusted_proxies: TrustedProxies
    max_request_bytes: int
    cors_origins: frozenset[str]
    services: Mapping[str, CDSService]
    authenticator: Authenticator
    model_card: ModelCard
    readiness: Mapping[str, ReadinessCheck]
    hook_deadline_seconds: float = math.inf
    trend_apps: Mapping[str, TrendApp] = field(default_factory=dict)
    places_for_launches: int = 1
    language: str = "en"


def utc_now() -> datetime:
    """Return the time of the host's clock."""
    return datetime.now(UTC)


def new_uuid() -> str:
    """Return a random UUID (version 4) in lower case."""
    return str(uuid4())


@dataclass(slots=True)
class Running:
    """The parts in use, with clock and source of ids. Replacing `parts` is how a reload takes effect."""

    parts: Parts
    now: Callable[[], datetime] = utc_now
    new_uuid: Callable[[], str] = new_uuid
