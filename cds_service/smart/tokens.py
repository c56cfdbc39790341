"""The code of a callback against a token, and what came with it: which patient, who is asking, from which card."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import LaunchUpstreamError
from cds_service.hooks.request import is_bare_id
from cds_service.smart.discovery import ask, json_object
from cds_service.smart.registration import missing_scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.acquisition.fhir.connections import TimeLimit
    from cds_service.acquisition.fhir.exchange import Exchanger
    from cds_service.smart.launch_secret import LaunchSecret
    from cds_service.smart.registration import Registration

_MOST_BYTES: Final = 262_144
_LONGEST_TOKEN: Final = 16_384
_LONGEST_HINT: Final = 256
# RFC 6749, section 5.2. Any other text is the server's own, and may hold anything.
_ERRORS: Final = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token response: never logged, never stored.

    `missing_scopes` were not granted. `card` is what the card's link carried, empty where it did not.
    """

    access_token: str
    id_token: str
    patient: str
    encounter: str
    card: str
    missing_scopes: tuple[str, ...]


def exchange_code(
    registration: Registration,
    secret: LaunchSecret,
    code: str,
    token_url: str,
    exchanger: Exchanger,
    limit: TimeLimit,
    *,
    now: int,
    token_id: str,
) -> Token:
    """Exchange a code for a token; `now` is in seconds since 1970, `token_id` names the assertion.

    Raises LaunchUpstreamError for anything but a usable token.
    """
    proof, authorization = registration.proof.prove(token_url, now=now, token_id=token_id)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": registration.redirect_uri,
        "code_verifier": secret.code_verifier,
        **proof,
    }
    status, body = ask(
        lambda: exchanger.post_form(token_url, fields, limit, _MOST_BYTES, authorization), "token", limit, "token"
    )
    if status != HTTPStatus.OK:
        raise LaunchUpstreamError("token", log_detail=f"status {status}{_named_error(body)}")
    return read_token_response(json_object(body, "token"), registration)


def read_token_response(answer: Mapping[str, Any], registration: Registration) -> Token:
    """Check what a token endpoint answered. Raises LaunchUpstreamError."""
    token, kind, patient = (answer.get(name) for name in ("access_token", "token_type", "patient"))
    if not _is_token(token):
        raise LaunchUpstreamError("token", log_detail="access_token is missing, or no text that a header can hold")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise LaunchUpstreamError("token", log_detail="token_type is not Bearer")
    granted = answer.get("scope")
    if granted is not None and not isinstance(granted, str):
        raise LaunchUpstreamError("token", log_detail="scope is no text")
    if not isinstance(patient, str) or not is_bare_id(patient):
        raise LaunchUpstreamError("token", log_detail="patient is missing, or no bare id")
    id_token, encounter, card = (answer.get(name) for name in ("id_token", "encounter", "appContext"))
    return Token(
        access_token=str(token),
        id_token=id_token if isinstance(id_token, str) else "",
        patient=patient,
        encounter=encounter if isinstance(encounter, str) and is_bare_id(encounter) else "",
        card=card if isinstance(card, str) and len(card) <= _LONGEST_HINT else "",
        # RFC 6749, section 5.1: without a scope, what was asked for is granted.
        missing_scopes=missing_scopes(granted, registration) if granted is not None else (),
    )


def _is_token(token: object) -> bool:
    """Tell whether a token can stand in a header: visible ASCII, so that it cannot end the line."""
    return isinstance(token, str) and 0 < len(token) <= _LONGEST_TOKEN and all("!" <= c <= "~" for c in token)


def _named_error(body: bytes) -> str:
    """Name the error of a token endpoint for the log, if it is one of the standard's."""
    try:
        error = json_object(body, "token").get("error")
    except LaunchUpstreamError:
        return ""
    return f", {error}" if isinstance(error, str) and error in _ERRORS else ""
