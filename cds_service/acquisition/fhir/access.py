"""May the service ask this FHIR server for this patient, and with which token? (requirements 62-74)

Only servers on the asking client's list, only with the token that came with the request, and only when that token
speaks of the patient of the context. Nothing of this outlives the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cds_service.authorization.clients import TrustedClient
    from cds_service.hooks.request import CDSRequest, FHIRAuthorization


class FHIRAccess(NamedTuple):
    """A base URL without a slash at its end, and the Authorization header to send; None on an open test server."""

    base: str
    authorization: str | None

    def __repr__(self) -> str:
        """Keep the token out of every text."""
        return f"FHIRAccess({self.base!r}, ***)"


def find_access(request: CDSRequest, client: TrustedClient) -> FHIRAccess | None:
    """Return how the client's FHIR server may be asked; None when it may not be.

    A token of another patient is not used: its answers would be about somebody else.
    """
    if request.fhirServer is None or not is_listed(request.fhirServer, client.fhir_servers):
        return None
    base = request.fhirServer.removesuffix("/")
    token = _token(request)
    if token is not None:
        return FHIRAccess(base, f"Bearer {token}")
    return FHIRAccess(base, None) if client.open_fhir_server and request.fhirAuthorization is None else None


def points_to_unlisted_server(request: CDSRequest, client: TrustedClient) -> bool:
    """Tell whether the request offers access to a server that is not on the client's list."""
    offers_access = request.fhirAuthorization is not None or client.open_fhir_server
    return request.fhirServer is not None and offers_access and not is_listed(request.fhirServer, client.fhir_servers)


def is_listed(fhir_server: str, listed: tuple[str, ...]) -> bool:
    """Tell whether a FHIR base URL equals a listed one but for a trailing slash; a deeper path is another server."""
    return fhir_server.removesuffix("/") in {server.removesuffix("/") for server in listed}


def why_no_access(request: CDSRequest, client: TrustedClient) -> str:
    """Return in words for the log why the FHIR server may not be asked; empty where the request offers no access."""
    if request.fhirServer is None:
        return "fhirServer is missing" if request.fhirAuthorization is not None else ""
    if not is_listed(request.fhirServer, client.fhir_servers):
        return "fhirServer is not on the client's list"
    if request.fhirAuthorization is None:
        return "" if client.open_fhir_server else "fhirAuthorization is missing"
    return _fault_of_token(request.fhirAuthorization, request.context.patientId)


def _token(request: CDSRequest) -> str | None:
    """Return the bearer token, if the request carries one that is usable for its patient."""
    authorization = request.fhirAuthorization
    if authorization is None or _fault_of_token(authorization, request.context.patientId):
        return None
    return str(authorization.access_token)


def _fault_of_token(authorization: FHIRAuthorization, patient_id: str) -> str:
    if not _is_header_text(authorization.access_token):
        return "fhirAuthorization.access_token is missing, or no text that a header can hold"
    if not isinstance(authorization.token_type, str) or authorization.token_type.lower() != "bearer":
        return 'fhirAuthorization.token_type is not "Bearer"'
    if authorization.patient is not None and authorization.patient != patient_id:
        return "fhirAuthorization.patient is another patient than context.patientId"
    return ""


def _is_header_text(token: object) -> bool:
    """Tell whether a token can stand in a header: visible ASCII, so that it cannot end the line."""
    return isinstance(token, str) and token != "" and all("!" <= character <= "~" for character in token)
