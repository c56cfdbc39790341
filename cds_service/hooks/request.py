"""The CDS Hooks request: bytes to a typed request (specification: Calling a CDS Service, requirements 26-35, 76-78).

Unknown members are ignored, since clients add extensions and later versions add fields. What is used is typed
strictly: a wrong type is a malformed request and never reaches the rule.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from cds_service.errors import MalformedRequestError, WrongHookError
from cds_service.foreign_bytes import UNREADABLE, decode, fault

HOOK = "patient-view"

# FHIR ids are [A-Za-z0-9-.]{1,64}, but servers with underscores and longer ids exist. What cannot be an id is a
# reference ("Patient/1"), white space, a control character or the sign for an unreadable one, nor "." and "..", which
# leave their place in a path.
_BARE_ID = re.compile(r"(?!\.{1,2}$)[^\s/\x00-\x1f\x7f\ufffd]{1,256}")


class Context(msgspec.Struct, frozen=True, gc=False):
    """Context of patient-view 1.0: who looks at whose record."""

    userId: str  # noqa: N815  names of the specification
    patientId: str  # noqa: N815
    encounterId: str | None = None  # noqa: N815


class FHIRAuthorization(msgspec.Struct, frozen=True):
    """Bearer access of this one request. Never logged, never stored.

    Members are untyped because clients send scopes and lifetimes in many forms; only the token and its patient
    are read, and only as strings.
    """

    access_token: Any = None
    token_type: Any = None
    patient: Any = None

    def __repr__(self) -> str:
        """Keep the token out of every text."""
        return "FHIRAuthorization(***)"


class CDSRequest(msgspec.Struct, frozen=True):
    """A patient-view request. `prefetch` values stay undecoded until the flow needs them."""

    hook: str
    hookInstance: str  # noqa: N815
    context: Context
    prefetch: dict[str, msgspec.Raw] = {}
    fhirServer: str | None = None  # noqa: N815
    fhirAuthorization: FHIRAuthorization | None = None  # noqa: N815


_DECODER = msgspec.json.Decoder(CDSRequest)


def parse_cds_request(body: bytes) -> CDSRequest:
    """Decode and check a request body.

    Raises MalformedRequestError when the body is not JSON or not a CDS Hooks request, and WrongHookError when it
    is one for another hook. The text names the place, never the value.
    """
    try:
        request = decode(_DECODER, body)
    except msgspec.ValidationError as error:
        raise MalformedRequestError(f"The body is not a CDS Hooks request: {error}.") from error
    except UNREADABLE as error:
        raise MalformedRequestError("The body is not valid JSON.", log_detail=fault(body, error)) from error
    if not request.hook or not request.hookInstance.strip():
        raise MalformedRequestError("hook and hookInstance must not be empty.")
    if request.hook != HOOK:
        raise WrongHookError
    if not request.context.userId.strip():
        raise MalformedRequestError("context.userId must not be empty.")
    if not _BARE_ID.fullmatch(request.context.patientId):
        raise MalformedRequestError("context.patientId must be a bare FHIR id.")
    return request
