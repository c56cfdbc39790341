"""Every exception becomes one answer: its status, an OperationOutcome, nothing that was not meant for the caller."""

import pytest
from flask.testing import FlaskClient

from cds_service import errors
from cds_service.errors import DataUnavailableError, ServiceError
from cds_service.web.answer_headers import REQUEST_ID_HEADER
from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, HOOK_PATH, PUBLIC_URL, Edge, hook_request
from tests.unit.web.outcomes import refused_with

MARKER = "MRN-4711-Doe"

STATUS_OF = [
    (errors.ServiceError, 500, "exception"),
    (errors.RequestError, 400, "invalid"),
    (errors.MalformedRequestError, 400, "structure"),
    (errors.WrongHookError, 400, "not-supported"),
    (errors.PatientMismatchError, 400, "conflict"),
    (errors.TrustError, 400, "invalid"),
    (errors.UnauthenticatedError, 401, "login"),
    (errors.ForbiddenError, 403, "forbidden"),
    (errors.UnknownServiceError, 404, "not-found"),
    (errors.MethodNotAllowedError, 405, "not-supported"),
    (errors.BodyTooLargeError, 413, "too-long"),
    (errors.UnsupportedMediaTypeError, 415, "not-supported"),
    (errors.UnknownTransferCodingError, 501, "not-supported"),
    (errors.LaunchError, 500, "exception"),
    (errors.MalformedLaunchError, 400, "invalid"),
    (errors.LaunchRefusedError, 403, "forbidden"),
    (errors.NoTrendAppError, 404, "not-found"),
    (errors.LaunchUsedError, 410, "expired"),
    (errors.LaunchUpstreamError, 502, "exception"),
    (errors.LaunchBusyError, 503, "throttled"),
    (errors.LaunchDeadlineError, 504, "timeout"),
    (errors.AuditUnavailableError, 503, "transient"),
    (errors.StateUnavailableError, 503, "transient"),
    (errors.ConfigurationError, 500, "exception"),
    (errors.MissingExtraError, 500, "exception"),
    (errors.PeriodError, 500, "exception"),
    (errors.CohortInputError, 500, "exception"),
    (errors.CohortRunError, 500, "exception"),
    (errors.CohortFolderError, 500, "exception"),
    (errors.CohortRunError, 500, "exception"),
    (errors.CohortInputError, 500, "exception"),
    (errors.OverloadedError, 503, "throttled"),
    (errors.DeadlineError, 503, "timeout"),
    (errors.NotReadyError, 503, "transient"),
]


@pytest.mark.parametrize(("kind", "status", "code"), STATUS_OF)
@pytest.mark.parametrize("path", [HOOK_PATH, FEEDBACK_PATH])
def test_service_error_becomes_operation_outcome(
    edge: Edge, client: FlaskClient, path: str, kind: type[ServiceError], status: int, code: str
) -> None:
    edge.service.outcome = kind(log_detail=MARKER)
    body = {"feedback": []} if path == FEEDBACK_PATH else hook_request()

    response = client.post(path, json=body, headers=GOOD_TOKEN)

    outcome = refused_with(response, status)
    assert outcome["issue"][0]["code"] == code
    assert outcome["issue"][0]["diagnostics"].startswith(kind.client_text)
    assert MARKER not in response.text


def test_data_unavailable_names_the_keys(edge: Edge, client: FlaskClient) -> None:
    edge.service.outcome = DataUnavailableError(("conditions", "procedures"))

    outcome = refused_with(client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN), 412)

    assert outcome["issue"][0]["code"] == "required"
    assert "conditions, procedures" in outcome["issue"][0]["diagnostics"]


def test_exception_tree_every_member_is_in_the_table() -> None:
    def members(kind: type[ServiceError]) -> set[type[ServiceError]]:
        return {kind}.union(*(members(child) for child in kind.__subclasses__()))

    of_the_tree = {kind for kind in members(ServiceError) if kind.__module__ == errors.__name__}

    assert of_the_tree == {row[0] for row in STATUS_OF if row[0].__module__ == errors.__name__} | {DataUnavailableError}


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        (KeyError(MARKER), "the message of a KeyError is the value"),
        (ValueError(f"no number: {MARKER}"), "a message that quotes"),
        (RecursionError("maximum recursion depth exceeded"), "a deep structure that got past the parser"),
        (MemoryError(), "no memory"),
        (OSError(28, "No space left on device", f"/audit/{MARKER}"), "a file name"),
    ],
)
def test_defect_becomes_500_without_its_message(
    edge: Edge, client: FlaskClient, defect: BaseException, reason: str
) -> None:
    edge.service.outcome = defect

    response = client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    outcome = refused_with(response, 500)
    assert outcome["issue"][0]["code"] == "exception"
    assert response.headers[REQUEST_ID_HEADER] in outcome["issue"][0]["diagnostics"]
    assert MARKER not in response.text, reason
    assert type(defect).__name__ not in response.text


def test_defect_next_request_is_answered(edge: Edge, client: FlaskClient) -> None:
    good = edge.service.outcome
    edge.service.outcome = KeyError("first")
    assert client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN).status_code == 500
    edge.service.outcome = good

    assert client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/", 404, "no page at the root"),
        ("GET", "/model-card/", 404, "a redirect would make Epic withhold the patient's data"),
        ("POST", HOOK_PATH + "/", 404, "exact path"),
        ("POST", "/cds-services/unknown", 404, "unknown service"),
        ("POST", "/cds-services/unknown/feedback", 404, "unknown service"),
        ("POST", "/cds-services/EXAMPLE", 404, "ids are compared exactly"),
        ("GET", "/cds-services/example%2Ffeedback/x", 404, "an escaped slash"),
        ("GET", "/cds-services/%00", 404, "a control character"),
        ("GET", "/static/x", 404, "no static files"),
        ("POST", "/cds-services", 405, "discovery is read only"),
        ("PUT", "/cds-services", 405, "discovery is read only"),
        ("GET", HOOK_PATH, 405, "hooks are sent by POST"),
        ("DELETE", FEEDBACK_PATH, 405, "feedback is sent by POST"),
        ("BREW", "/livez", 405, "a method of the caller's own"),
    ],
)
def test_unroutable_request_is_refused_with_outcome(
    client: FlaskClient, method: str, path: str, status: int, reason: str
) -> None:
    response = client.open(path, method=method)

    refused_with(response, status)
    assert "Location" not in response.headers, reason
    assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    ("path", "status"),
    [("//cds-services", 200), ("//evil.example/cds-services", 404), ("/cds-services//example", 405)],
)
def test_doubled_slash_is_never_redirected(client: FlaskClient, path: str, status: int) -> None:
    response = client.get("/", environ_overrides={"PATH_INFO": path})

    assert response.status_code == status
    assert "Location" not in response.headers


def test_method_not_allowed_names_the_allowed(client: FlaskClient) -> None:
    allowed = client.get(HOOK_PATH).headers["Allow"]

    assert set(allowed.replace(" ", "").split(",")) == {"POST", "OPTIONS"}


@pytest.mark.parametrize("host", ["a b", "\x01", "[::1", "evil.example"])
def test_host_header_is_never_used(edge: Edge, client: FlaskClient, host: str) -> None:
    response = client.get("/cds-services", headers=GOOD_TOKEN | {"Host": host})

    assert response.status_code == 200
    assert edge.authenticator.endpoint_urls == [f"{PUBLIC_URL}/cds-services"]
