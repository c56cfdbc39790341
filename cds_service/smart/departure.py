"""The two ends of the way over the authorization server: how a browser is sent there, and who may come back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from cds_service.acquisition.fhir.access import is_listed
from cds_service.authorization.token import TokenUse
from cds_service.errors import LaunchRefusedError, LaunchUpstreamError, LaunchUsedError
from cds_service.smart.launch_secret import new_secret, secret_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.acquisition.fhir.connections import TimeLimit
    from cds_service.smart.discovery import AuthorizationServer, Endpoints
    from cds_service.smart.launch_secret import LaunchSecret
    from cds_service.smart.parameters import Callback, LaunchRequest
    from cds_service.smart.registration import Registration
    from cds_service.state.used_tokens import UsedTokens

# Far longer than a code or a cookie lives.
_REMEMBERED_SECONDS: Final = 86_400
# RFC 6749, section 4.1.2.1: the server failed, and did not refuse.
_FAILURES: Final = frozenset({"server_error", "temporarily_unavailable"})
# Any other text is the server's own, or anybody's who made the address; the log is not told it.
_REFUSALS: Final = frozenset(
    {"access_denied", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type"}
)


class Departure(NamedTuple):
    """Where the browser is sent at a launch, and the cookie that it takes along."""

    location: str
    cookie: str


def depart(
    launch: LaunchRequest, registration: Registration, server: AuthorizationServer, limit: TimeLimit
) -> Departure:
    """Answer a launch: which authorization server is asked, and for what.

    Raises LaunchRefusedError for another FHIR server, LaunchUpstreamError or LaunchDeadlineError for a server that
    says nothing usable of itself.
    """
    if not is_listed(launch.issuer, (registration.fhir_server,)):
        raise LaunchRefusedError("unknown-issuer")
    endpoint = server.endpoints(limit).authorization
    secret = new_secret(registration.client)
    parameters = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": registration.redirect_uri,
        "launch": launch.launch,
        "scope": " ".join(registration.scopes),
        "state": secret.state,
        "nonce": secret.nonce,
        "aud": launch.issuer,
        "code_challenge": secret.code_challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if urlsplit(endpoint).query else "?"
    return Departure(f"{endpoint.rstrip('?')}{joint}{urlencode(parameters)}", secret.cookie)


def redeem(
    callback: Callback, cookies: Mapping[str, str], registration: Registration, used: UsedTokens, now: float
) -> LaunchSecret:
    """Find the launch of this browser that a callback belongs to, and use it up; `now` in seconds since 1970.

    Raises LaunchRefusedError where there is none, LaunchUsedError, or StateUnavailableError.
    """
    secret = secret_of(registration.client, callback.state, cookies)
    if secret is None:
        raise LaunchRefusedError("no-cookie")
    use = TokenUse(f"trend app of {registration.client}", secret.state, now + _REMEMBERED_SECONDS)
    if not used.is_first_use(use, now):
        raise LaunchUsedError
    return secret


def check_answer(callback: Callback, registration: Registration, endpoints: Endpoints) -> None:
    """Check which server answered (RFC 9207), and that it answered with a code.

    Raises LaunchRefusedError, or LaunchUpstreamError where the server says that it failed.
    """
    if callback.issuer is None and endpoints.names_issuer:
        raise LaunchRefusedError("foreign-issuer", log_detail="iss is missing, and the server says that it sends it")
    own = endpoints.issuer or registration.fhir_server
    if callback.issuer not in (None, own, registration.id_token_issuer):
        raise LaunchRefusedError("foreign-issuer")
    if callback.error in _FAILURES:
        raise LaunchUpstreamError("authorization-failed", log_detail=callback.error)
    if callback.error:
        raise LaunchRefusedError("denied", log_detail=callback.error if callback.error in _REFUSALS else "other")
