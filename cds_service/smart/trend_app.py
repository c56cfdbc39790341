"""One launch makes one page: redeem the launch, exchange the code, read FHIR once, decide, record, show, forget."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.acquisition.delivery import FetchPlan
from cds_service.acquisition.fhir.access import FHIRAccess
from cds_service.acquisition.fhir.connections import TimeLimit
from cds_service.acquisition.prefetch import PATIENT
from cds_service.authorization.clients import TrustedClient
from cds_service.decision.flow import decide
from cds_service.decision.recording import Moment
from cds_service.errors import (
    DataUnavailableError,
    DeadlineError,
    LaunchDeadlineError,
    LaunchError,
    LaunchRefusedError,
    LaunchUpstreamError,
)
from cds_service.hooks.request import HOOK, CDSRequest, Context, FHIRAuthorization
from cds_service.smart.departure import Departure, check_answer, depart, redeem
from cds_service.smart.id_token import ExpectedToken, user_of, verify_id_token
from cds_service.smart.patient_banner import read_banner
from cds_service.smart.tokens import exchange_code
from cds_service.smart.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from msgspec import Raw

    from cds_service.acquisition.delivery import Fetching
    from cds_service.acquisition.fhir.exchange import Exchanger
    from cds_service.audit.earlier_decisions import EarlierDecisions
    from cds_service.decision.recording import Recorder
    from cds_service.decision.site import Site
    from cds_service.smart.discovery import AuthorizationServer, Endpoints
    from cds_service.smart.launch_secret import LaunchSecret
    from cds_service.smart.parameters import Callback, LaunchRequest
    from cds_service.smart.registration import Registration
    from cds_service.smart.tokens import Token
    from cds_service.state.used_tokens import UsedTokens

# The whole of a launch or of a callback; of that, what may be waited for others.
SECONDS: Final = 5.0
_WAITING_SECONDS: Final = 4.5


class Shown(NamedTuple):
    """A page, and what was decided on it."""

    page: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What all trend apps of a site work with.

    `draw` makes the page; `earlier` reads the audit log for one patient of one client.
    """

    site: Site
    recorder: Recorder
    used: UsedTokens
    exchanger: Exchanger
    fetching: Fetching
    leeway_seconds: float
    draw: Callable[[View], str]
    earlier: Callable[[Registration, str, datetime], EarlierDecisions]


class TrendApp:
    """The trend app of one client."""

    def __init__(self, registration: Registration, server: AuthorizationServer, means: Means) -> None:
        """Ask for nothing yet."""
        self.registration = registration
        self._server = server
        self._means = means
        self._client = TrustedClient(
            registration.client, issuer=None, mode="active", fhir_servers=(registration.fhir_server,)
        )

    def depart(self, launch: LaunchRequest) -> Departure:
        """Answer a launch. Raises LaunchError."""
        return depart(launch, self.registration, self._server, TimeLimit(monotonic() + _WAITING_SECONDS))

    def show(
        self,
        callback: Callback,
        cookies: Mapping[str, str],
        *,
        request_id: str,
        now: datetime,
        new_uuid: Callable[[], str],
    ) -> Shown:
        """Answer a callback with its page. Raises LaunchError, AuditUnavailableError or StateUnavailableError."""
        moment, limit, plan = Moment(request_id, now, {}), TimeLimit(monotonic() + _WAITING_SECONDS), self._plan()
        secret = redeem(callback, cookies, self.registration, self._means.used, now.timestamp())
        endpoints = self._server.endpoints(limit)
        check_answer(callback, self.registration, endpoints)
        token = exchange_code(
            self.registration,
            secret,
            callback.code,
            endpoints.token,
            self._means.exchanger,
            limit,
            now=int(now.timestamp()),
            token_id=new_uuid(),
        )
        # From here on the patient is known: whatever becomes of the page is recorded.
        visit = Visit(token, self.registration.fhir_server)
        try:
            visit.user = self._user(token, secret, endpoints, limit, now)
            return self._page(visit, plan, limit, moment)
        except (LaunchError, DataUnavailableError, DeadlineError) as error:
            refusal, missing = _refusal(error, limit)
        self._means.recorder.record_refused_view(visit.request(), self._client, refusal.reason, missing, moment)
        raise refusal

    def _plan(self) -> FetchPlan:
        begun, fetching = monotonic(), self._means.fetching
        until, end = begun + _WAITING_SECONDS, begun + SECONDS
        return FetchPlan(fetching.fetcher, fetching.queries, until, fetching.parallel, end)

    def _user(self, token: Token, secret: LaunchSecret, endpoints: Endpoints, limit: TimeLimit, now: datetime) -> str:
        """Return who is asking, by an id_token that is verified before FHIR is asked for anything."""
        expected = ExpectedToken(
            issuer=self.registration.id_token_issuer or endpoints.issuer or self.registration.fhir_server,
            client_id=self.registration.client_id,
            nonce=secret.nonce,
            now=now.timestamp(),
            leeway=self._means.leeway_seconds,
        )
        claims = verify_id_token(token.id_token, expected, lambda anew: self._server.keys(limit, anew=anew))
        return user_of(claims, self.registration.fhir_server)

    def _page(self, visit: Visit, plan: FetchPlan, limit: TimeLimit, moment: Moment) -> Shown:
        """Read, decide, draw, and record; in this order, so that what is recorded is what is shown."""
        started, means, missing = perf_counter(), self._means, visit.token.missing_scopes
        if missing:
            raise LaunchRefusedError("scope-missing", log_detail=", ".join(missing), named=missing)
        raw = self._patient(visit, plan, limit)
        banner = read_banner(raw, visit.token.patient)
        request = visit.request({PATIENT: raw})
        decision = decide(request, self._client, means.site, moment.now, plan)
        earlier = means.earlier(self.registration, visit.token.patient, moment.now)
        page = means.draw(View(banner, visit.user, decision, earlier, moment.now, moment.request_id))
        card = visit.token.card if earlier.shows_card(visit.token.card) else None
        # The last moment at which nothing is recorded, so nothing is half recorded.
        plan.check()
        timings = {"decide": (perf_counter() - started) * 1000}
        means.recorder.record_view(request, self._client, decision, card, moment._replace(timings_ms=timings))
        return Shown(page, decision.assessment.outcome)

    def _patient(self, visit: Visit, plan: FetchPlan, limit: TimeLimit) -> Raw:
        """Read the Patient first: a page without a name is none, and of another patient nothing more is asked."""
        base = self.registration.fhir_server
        access = FHIRAccess(base, f"Bearer {visit.token.access_token}")
        url = plan.queries[PATIENT].url(base, visit.token.patient)
        raw = plan.fetcher.read(PATIENT, url, access, plan.deadline).result(plan.deadline)
        if raw is None:
            raise LaunchDeadlineError if limit.is_late else LaunchUpstreamError("patient")
        return raw


class Visit:
    """A callback whose patient is known: who looks, as far as that is proved, and what is asked for."""

    def __init__(self, token: Token, fhir_server: str) -> None:
        """Begin with nobody."""
        self.token = token
        self.user = ""
        self._fhir_server = fhir_server

    def request(self, prefetch: Mapping[str, Raw] | None = None) -> CDSRequest:
        """Return what a hook for this patient would ask, with the token of this launch."""
        token = self.token
        return CDSRequest(
            HOOK,
            "",
            Context(self.user, token.patient, token.encounter or None),
            dict(prefetch or {}),
            self._fhir_server,
            FHIRAuthorization(token.access_token, "Bearer", token.patient),
        )


def _refusal(
    error: LaunchError | DataUnavailableError | DeadlineError, limit: TimeLimit
) -> tuple[LaunchError, tuple[str, ...]]:
    """Return the error that the page is refused with, and the required data that did not come."""
    missing = error.keys if isinstance(error, DataUnavailableError) else ()
    if isinstance(error, LaunchError):
        return error, missing
    if isinstance(error, DeadlineError) or limit.is_late:
        return LaunchDeadlineError(log_detail=error.log_detail), missing
    return LaunchUpstreamError("data-unavailable", log_detail=", ".join(missing), named=missing), missing
