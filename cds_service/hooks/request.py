"""The CDS Hooks request: bytes to a typed request (specification: Calling a CDS Service, requirements 26-35, 76-78).

Unknown members are ignored, since clients add extensions and later versions add fields. What is used is typed
strictly: a wrong type is a malformed request and never reaches the rule. What may be large stays undecoded, and what
nobody asks for becomes no object at all.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from cds_service.errors import MalformedRequestError, WrongHookError
from cds_service.foreign_bytes import UNREADABLE, decode, fault

HOOK = "patient-view"

# A hook instance is a UUID and a user a reference; both are written to the audit log.
LONGEST_TEXT: Final = 256
# FHIR ids are [A-Za-z0-9-.]{1,64}, but servers with underscores and longer ids exist. What cannot be an id is syntax to
# a FHIR server: a list ("1,2"), a token ("system|1"), an operation ("$everything", "_history"), a reference
# ("Patient/1"), and "." and "..", which leave their place in a path.
# Blanks, control characters, marks of direction and the sign for an unreadable character are in none.
BARE_ID: Final = (
    r"^(?!_|\.{1,2}$)[^\s,|$\\/\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]{1,256}$"
)
_BARE_ID: Final = re.compile(BARE_ID)
# More is no bearer token: servers refuse headers of this size.
_LONGEST_AUTHORIZATION_MEMBER: Final = 16_384
_NOT_SENT: Final = msgspec.Raw(b"")
_NULL: Final = msgspec.Raw(b"null")


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


class PrefetchKeys(msgspec.Struct, gc=False):
    """The keys that are read; others become no objects, however many there are."""

    patient: msgspec.Raw = _NOT_SENT
    conditions: msgspec.Raw = _NOT_SENT
    procedures: msgspec.Raw = _NOT_SENT
    bloodCounts: msgspec.Raw = _NOT_SENT  # noqa: N815
    albumin: msgspec.Raw = _NOT_SENT

    def sent(self) -> dict[str, msgspec.Raw]:
        """Return those that stand in the request."""
        values = (self.patient, self.conditions, self.procedures, self.bloodCounts, self.albumin)
        names = self.__struct_fields__
        return {name: value for name, value in zip(names, values, strict=True) if value is not _NOT_SENT}


class _SentAuthorization(msgspec.Struct):
    access_token: msgspec.Raw = _NULL
    token_type: msgspec.Raw = _NULL
    patient: msgspec.Raw = _NULL

    def read(self) -> FHIRAuthorization:
        return FHIRAuthorization(*map(_read_short, (self.access_token, self.token_type, self.patient)))


class _SentRequest(msgspec.Struct):
    hook: str
    hookInstance: str  # noqa: N815
    context: Context
    prefetch: PrefetchKeys = msgspec.field(default_factory=PrefetchKeys)
    fhirServer: str | None = None  # noqa: N815
    fhirAuthorization: _SentAuthorization | None = None  # noqa: N815


_DECODER = msgspec.json.Decoder(_SentRequest)
_ANY: Final = msgspec.json.Decoder(Any)


def parse_cds_request(body: bytes) -> CDSRequest:
    """Decode and check a request body.

    Raises MalformedRequestError when the body is not JSON or not a CDS Hooks request, and WrongHookError when it
    is one for another hook. The text names the place, never the value.
    """
    try:
        sent = decode(_DECODER, body)
        authorization = sent.fhirAuthorization.read() if sent.fhirAuthorization is not None else None
    except msgspec.ValidationError as error:
        raise MalformedRequestError(f"The body is not a CDS Hooks request: {error}.") from error
    except UNREADABLE as error:
        raise MalformedRequestError("The body is not valid JSON.", log_detail=fault(body, error)) from error
    if not sent.hook or not sent.hookInstance.strip():
        raise MalformedRequestError("hook and hookInstance must not be empty.")
    if sent.hook != HOOK:
        raise WrongHookError
    _check_texts(sent)
    return CDSRequest(sent.hook, sent.hookInstance, sent.context, sent.prefetch.sent(), sent.fhirServer, authorization)


def _check_texts(sent: _SentRequest) -> None:
    """Raise MalformedRequestError for what is too long to be recorded, or no id."""
    context = sent.context
    if not context.userId.strip():
        raise MalformedRequestError("context.userId must not be empty.")
    if len(context.userId) > LONGEST_TEXT or len(sent.hookInstance) > LONGEST_TEXT:
        raise MalformedRequestError(f"context.userId and hookInstance must have at most {LONGEST_TEXT} characters.")
    if not is_bare_id(context.patientId):
        raise MalformedRequestError("context.patientId must be a bare FHIR id.")
    # Empty where there is none: some CDS Clients send the member all the same.
    if context.encounterId and not is_bare_id(context.encounterId):
        raise MalformedRequestError("context.encounterId must be a bare FHIR id.")


def is_bare_id(text: str) -> bool:
    """Tell whether a text may be the id of a resource, and nothing else to a server that is asked for it."""
    return _BARE_ID.fullmatch(text) is not None


def _read_short(member: msgspec.Raw) -> Any:
    """Return a member of fhirAuthorization as it came; an empty text, which is no token, where it is too long."""
    text = bytes(member)
    return decode(_ANY, text) if len(text) <= _LONGEST_AUTHORIZATION_MEMBER else ""
