"""The exception tree, and what each member means at the HTTP edge.

    ServiceError
    ├── RequestError                 the caller can mend it
    │   ├── MalformedRequestError    400  not JSON, or not a CDS Hooks request
    │   ├── WrongHookError           400  the service does not serve this hook
    │   ├── PatientMismatchError     400  prefetched Patient is not context.patientId
    │   ├── TrustError               the caller may not do this
    │   │   ├── UnauthenticatedError 401  no valid client JWT; the caller is told no reason
    │   │   └── ForbiddenError       403  known client, but not allowed to do this
    │   ├── UnknownServiceError      404
    │   ├── MethodNotAllowedError    405
    │   ├── DataUnavailableError     412  required FHIR data cannot be had by any route
    │   ├── BodyTooLargeError        413
    │   ├── UnsupportedMediaTypeError 415
    │   └── UnknownTransferCodingError 501 the body comes in a coding that is not understood
    ├── LaunchError                  a launch of the trend app ends without its page; the answer is a small page
    │   ├── MalformedLaunchError     400  a parameter is missing, repeated, too long, or no text
    │   ├── LaunchRefusedError       403  another FHIR server, no cookie of this launch, denied, a scope is missing
    │   ├── NoTrendAppError          404  no such client, or it has no app
    │   ├── LaunchUsedError          410  the launch has had its page
    │   ├── LaunchUpstreamError      502  discovery, token, id_token, Patient or FHIR data that cannot be used
    │   ├── LaunchBusyError          503  too many launches at a time
    │   └── LaunchDeadlineError      504  the servers asked took too long together
    ├── AuditUnavailableError        503  the decision could not be recorded
    ├── StateUnavailableError        503  what the workers must know in common cannot be read or written
    ├── DeadlineError                503  no answer within the deadline of a hook
    ├── OverloadedError              503  too many large bodies at a time
    ├── NotReadyError                503  asked whether it is ready, the service is not
    ├── ConfigurationError           the configuration is not usable; start-up or reload stops
    ├── CohortFolderError            a folder of assessed rows is missing, damaged or of another version
    ├── CohortInputError             a command about a cohort was given what it cannot use
    ├── CohortRunError               a run over an export could not be finished
    ├── PeriodError                  a command was asked about days that leave nothing to look at
    └── MissingExtraError            a command needs a package that is not installed

`status` and `issue_code` (FHIR IssueType) stand on the class, so that `web/errors.py` is the only place that
turns an exception into an answer. `client_text` is what the caller reads; `log_detail` goes to the operational
log under the request id; `reason` is a word of a closed vocabulary for the metrics. None may hold patient data or
tokens.
"""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """Base of every error this package raises on purpose."""

    status: ClassVar[int] = 500
    issue_code: ClassVar[str] = "exception"
    reason: str = "defect"
    client_text: str = "The service met an unexpected condition."

    def __init__(self, client_text: str | None = None, *, log_detail: str = "", reason: str | None = None) -> None:
        """Keep the text for the caller, the detail for the operational log, and a closer reason where there is one."""
        if client_text is not None:
            self.client_text = client_text
        if reason is not None:
            self.reason = reason
        self.log_detail = log_detail
        super().__init__(log_detail or self.client_text)


class RequestError(ServiceError):
    """The request cannot be answered as it stands."""

    status = 400
    issue_code = "invalid"
    reason = "invalid-request"


class MalformedRequestError(RequestError):
    """The body is not JSON or not a CDS Hooks request (requirements 3, 26-34)."""

    issue_code = "structure"
    reason = "malformed-request"
    client_text = "The body is not a CDS Hooks request."


class WrongHookError(RequestError):
    """The `hook` of the request is not the one this service is registered for (requirement 27)."""

    issue_code = "not-supported"
    reason = "wrong-hook"
    client_text = "This service answers the hook patient-view only."


class PatientMismatchError(RequestError):
    """The prefetched Patient is another one than `context.patientId`."""

    issue_code = "conflict"
    reason = "patient-mismatch"
    client_text = "The prefetched Patient is not the patient of the context."


class TrustError(RequestError):
    """The caller may not do this.

    `client` is the configured name of the client it is about, if there is one; neither it nor the reason is told to
    the caller. `logged` is False for one of a flood, which the metrics count all the same.
    """

    def __init__(
        self,
        client_text: str | None = None,
        *,
        log_detail: str = "",
        reason: str | None = None,
        client: str | None = None,
    ) -> None:
        """Keep the reason; the detail for the log follows from it unless it is given."""
        self.client = client
        self.logged = True
        why = reason or self.reason
        named = f"{why} client={client}" if client else why
        super().__init__(client_text, log_detail=log_detail or named, reason=reason)


class UnauthenticatedError(TrustError):
    """No valid client JWT. All answers are alike, so that they tell an attacker nothing."""

    status = 401
    issue_code = "login"
    reason = "unauthenticated"
    client_text = "Authentication is required."


class ForbiddenError(TrustError):
    """The client is known but not allowed to do this."""

    status = 403
    issue_code = "forbidden"
    reason = "forbidden"
    client_text = "The client is not allowed to make this request."


class UnknownServiceError(RequestError):
    """No such path or CDS Service."""

    status = 404
    issue_code = "not-found"
    reason = "unknown-path"
    client_text = "There is no such CDS Service or page."


class MethodNotAllowedError(RequestError):
    """The path exists, the HTTP method is not one of its own."""

    status = 405
    issue_code = "not-supported"
    reason = "method-not-allowed"
    client_text = "The method is not allowed here."


class DataUnavailableError(RequestError):
    """Required FHIR data cannot be had, neither by prefetch nor from the FHIR server (requirements 51, 86)."""

    status = 412
    issue_code = "required"
    reason = "data-unavailable"
    client_text = "Required FHIR data could not be obtained."

    def __init__(self, keys: tuple[str, ...], *, log_detail: str = "") -> None:
        """Name the prefetch keys that are missing or failed."""
        self.keys = keys
        super().__init__(
            f"Required FHIR data could not be obtained: {', '.join(keys)}.",
            log_detail=log_detail or f"unavailable: {','.join(keys)}",
        )


class BodyTooLargeError(RequestError):
    """The body is larger than `server.max_request_bytes`."""

    status = 413
    issue_code = "too-long"
    reason = "body-too-large"
    client_text = "The body is too large."


class UnsupportedMediaTypeError(RequestError):
    """The body is not declared as application/json."""

    status = 415
    issue_code = "not-supported"
    reason = "unsupported-media-type"
    client_text = "The body must be sent as application/json."


class UnknownTransferCodingError(RequestError):
    """The body is sent in a transfer coding other than chunked (RFC 9112 section 6.1)."""

    status = 501
    issue_code = "not-supported"
    reason = "unknown-transfer-coding"
    client_text = "The only transfer coding understood is chunked."


class LaunchError(ServiceError):
    """A launch of the trend app ends without its page.

    `reason` is a word of `cards/wording`, which has the sentence for the person who waits. `named` is what the sentence
    names: scopes, never anything of the patient.
    """

    reason = "launch"
    client_text = "The trend app could not be opened. Open it again from the chart."

    def __init__(self, reason: str | None = None, *, log_detail: str = "", named: tuple[str, ...] = ()) -> None:
        """Keep the reason; the log is told more where there is more to tell."""
        self.named = named
        why = reason or self.reason
        super().__init__(reason=why, log_detail=f"{why}: {log_detail}" if log_detail else why)


class MalformedLaunchError(LaunchError):
    """A parameter of the launch is missing, repeated, too long, or holds what no text holds."""

    status = 400
    issue_code = "invalid"
    reason = "malformed-launch"


class LaunchRefusedError(LaunchError):
    """The launch may not go on: see `reason`."""

    status = 403
    issue_code = "forbidden"
    reason = "launch-refused"


class NoTrendAppError(LaunchError):
    """There is no such client, or it has no trend app."""

    status = 404
    issue_code = "not-found"
    reason = "no-trend-app"


class LaunchUsedError(LaunchError):
    """The launch has had its page: each makes one."""

    status = 410
    issue_code = "expired"
    reason = "launch-used"


class LaunchUpstreamError(LaunchError):
    """The authorization server or the FHIR server answered with nothing that can be used."""

    status = 502
    issue_code = "exception"
    reason = "upstream"


class LaunchBusyError(LaunchError):
    """All places that launches may take are taken."""

    status = 503
    issue_code = "throttled"
    reason = "busy"


class LaunchDeadlineError(LaunchError):
    """The authorization server and the FHIR server took too long together."""

    status = 504
    issue_code = "timeout"
    reason = "launch-deadline"


class AuditUnavailableError(ServiceError):
    """The audit record could not be written, and the site wants no answer without one."""

    status = 503
    issue_code = "transient"
    reason = "audit-unavailable"
    client_text = "The service cannot record its decision now. Try again later."


class StateUnavailableError(ServiceError):
    """The state store cannot be used, so nobody can tell whether a token was used before."""

    status = 503
    issue_code = "transient"
    reason = "state-unavailable"
    client_text = "The service cannot check this request now. Try again later."


class OverloadedError(ServiceError):
    """There are more large bodies at a time than memory is set aside for."""

    status = 503
    issue_code = "throttled"
    reason = "overloaded"
    client_text = "The service is busy with large requests. Try again later."


class DeadlineError(ServiceError):
    """A hook was not decided within `server.hook_deadline_seconds`; nothing of it is recorded."""

    status = 503
    issue_code = "timeout"
    reason = "deadline"
    client_text = "The service could not answer in time. Try again later."


class NotReadyError(ServiceError):
    """Something the service cannot do without does not work now."""

    status = 503
    issue_code = "transient"
    reason = "not-ready"
    client_text = "The service is not ready."


class ConfigurationError(ServiceError):
    """The configuration is not usable. The text names every problem as file:line:column: key: problem."""


class MissingExtraError(ServiceError):
    """A command needs an optional package that is not installed. The text says what to install."""


class CohortFolderError(ServiceError):
    """A folder of assessed rows cannot be used. The message names the file, and the line where there is one."""


class CohortInputError(ServiceError):
    """A command about a cohort was given what it cannot use; the text says what, and names no patient."""


class CohortRunError(ServiceError):
    """A run over an export could not be finished; the text says why, and nothing of it was left behind."""


class PeriodError(ServiceError):
    """A command was asked about days that leave nothing to look at. The message says which."""
