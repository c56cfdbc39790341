"""Doctor as a client of SMART Backend Services: signed assertions, discovered endpoints, renewed tokens, no leaks.

The token endpoint here checks what SMART App Launch 2.2 asks for: RS384 or ES384, issuer and subject the client id, the
endpoint as audience, at most five minutes, an id never used before.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner, Result
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cds_service.cli.main import main
from cds_service.insight.doctor.server.access import Credentials, open_server
from cds_service.insight.doctor.server.tokens import read_client
from cds_service.settings import settings_from_dict
from tests.support.charts import NOW
from tests.support.hospital import hospital
from tests.support.hospital_server import TOKEN, running_hospital
from tests.support.served import served
from tests.unit.insight.doctor.examining import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json

CLIENT_ID = "sii-cds-doctor"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"}, auto_kid=False)
EC = ECKey.generate_key("P-384", {"kid": "ec-1", "alg": "ES384"}, auto_kid=False)


class TokenServer(ThreadingHTTPServer):
    """A token endpoint, and a configuration that names it for any FHIR server."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Json = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 300}
        self.status = 200
        self.configuration: Json | None = None
        self.asked: list[Json] = []
        self.problems: list[str] = []

    @property
    def url(self) -> str:
        """The token endpoint."""
        return f"http://127.0.0.1:{self.server_port}/token"


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        fields = {name: values[0] for name, values in form.items()}
        self.server.problems += check(fields, self.server.url)
        self.server.asked.append(fields)
        self._send(self.server.status, self.server.answer)

    def do_GET(self) -> None:
        self._send(404 if self.server.configuration is None else 200, self.server.configuration or {})

    def _send(self, status: int, content: Json) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the library's
        """Keep quiet."""


def check(fields: dict[str, str], endpoint: str) -> list[str]:
    """Say what a token endpoint would refuse."""
    problems = [] if fields["grant_type"] == "client_credentials" else ["grant type"]
    if fields["client_assertion_type"] != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
        problems.append("assertion type")
    try:
        token = None
        for key in (RSA, EC):
            if json.loads(_segment(fields["client_assertion"]))["kid"] == key.kid:
                token = jwt.decode(fields["client_assertion"], key, algorithms=["RS384", "ES384"])
    except JoseError as error:
        return [*problems, type(error).__name__]
    if token is None:
        return [*problems, "key"]
    claims = token.claims
    if (claims["iss"], claims["sub"], claims["aud"]) != (CLIENT_ID, CLIENT_ID, endpoint):
        problems.append("claims")
    if not time.time() < claims["exp"] <= time.time() + 300 or not claims["jti"]:
        problems.append("lifetime or id")
    return problems


def _segment(assertion: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(assertion.split(".")[0] + "==")


@contextmanager
def running_endpoint() -> Iterator[TokenServer]:
    server = TokenServer()
    with served(server):
        yield server


@pytest.fixture
def endpoint() -> Iterator[TokenServer]:
    with running_endpoint() as server:
        yield server


def examined(*arguments: str | Path) -> Result:
    command = ["doctor", "--client-id", CLIENT_ID, "--at", NOW.isoformat(), "--json", "-", *map(str, arguments)]
    return CliRunner().invoke(main, command)


@pytest.mark.parametrize(
    ("content", "arguments", "reason"),
    [
        (json.dumps(RSA.as_dict(private=True)).encode(), (), "RSA as JWK"),
        (json.dumps(EC.as_dict(private=True)).encode(), (), "EC as JWK"),
        (json.dumps({"keys": [EC.as_dict(private=True)]}).encode(), (), "a set of one key"),
        (RSA.as_pem(private=True), ("--key-id", "rsa-1"), "RSA as PEM, whose id is told apart"),
        (EC.as_pem(private=True), ("--key-id", "ec-1"), "EC as PEM"),
    ],
)
def test_key_of_any_form_gets_a_token(
    endpoint: TokenServer, content: bytes, arguments: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(content)
    with running_hospital(hospital(2), token=TOKEN) as server:
        result = examined(
            "--fhir-server", server.url, "--key-file", tmp_path / "key", "--token-url", endpoint.url, *arguments
        )
        tokens = set(server.tokens)

    assert (result.exit_code, endpoint.problems) == (0, []), reason
    assert tokens == {f"Bearer {TOKEN}"}
    # The token is good for the whole examination.
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0]["scope"].split() == [
        f"system/{name}.rs" for name in ("Patient", "Observation", "Condition", "Procedure")
    ]
    secrets = (TOKEN, endpoint.asked[0]["client_assertion"])
    assert not any(secret in result.output + result.stderr for secret in secrets)


def test_key_without_an_id_is_named_by_its_thumbprint(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(EC.as_pem(private=True))

    client = read_client(CLIENT_ID, tmp_path / "key", None)

    assert client.key.key_id == ECKey.import_key(EC.as_pem(private=False)).thumbprint()
    assert client.key.algorithm == "ES384"
    assert "***" in repr(client)


@pytest.mark.parametrize(
    ("answer", "status", "said", "reason"),
    [
        (
            {"error": "invalid_client", "error_description": "canary"},
            400,
            "status 400, error invalid_client",
            "refused",
        ),
        ({"error": "<b>canary</b>"}, 401, "status 401.", "an error that is no code"),
        ({"access_token": "canary", "token_type": "mac"}, 200, "no bearer token", "another kind of token"),
        ({"token_type": "bearer"}, 200, "without a usable access_token", "no token"),
        ({"access_token": "canary\r\nX: y", "token_type": "bearer"}, 200, "without a usable", "ends the header line"),
    ],
)
def test_refused_client_is_one_finding(
    endpoint: TokenServer, answer: Json, status: int, said: str, reason: str, tmp_path: Path
) -> None:
    endpoint.answer, endpoint.status = answer, status
    (tmp_path / "key").write_text(json.dumps(EC.as_dict(private=True)))
    with running_hospital(hospital(2), token=TOKEN) as server:
        result = examined("--fhir-server", server.url, "--key-file", tmp_path / "key", "--token-url", endpoint.url)
        asked = server.targets

    (finding,) = json.loads(result.stdout)["findings"]
    assert (result.exit_code, finding["id"]) == (1, "token-refused"), reason
    assert said in finding["what"], reason
    assert asked == []
    assert "canary" not in result.output


@pytest.mark.parametrize(
    ("configuration", "outcome", "reason"),
    [
        ({"capabilities": ["permission-v2"]}, "system/Patient.rs", "SMART 2"),
        ({"capabilities": ["permission-v1"]}, "system/Patient.read", "SMART 1"),
        ({"token_endpoint": "http://ehr.example/token"}, "http is accepted on loopback only", "tokens in the open"),
        ({"token_endpoint": None}, "names no usable token_endpoint", "none named"),
        (None, "name the token endpoint with --token-url", "no configuration"),
    ],
)
def test_token_endpoint_is_discovered(
    endpoint: TokenServer, configuration: Json | None, outcome: str, reason: str, tmp_path: Path
) -> None:
    """The FHIR server of this test is the token server: only its configuration is asked for."""
    endpoint.configuration = None if configuration is None else {"token_endpoint": endpoint.url, **configuration}
    (tmp_path / "key").write_text(json.dumps(EC.as_dict(private=True)))
    base = endpoint.url.removesuffix("/token")

    result = examined("--fhir-server", base, "--key-file", tmp_path / "key", "--patients", "1")

    told = [finding["what"] for finding in json.loads(result.stdout)["findings"]]
    scopes = [fields["scope"] for fields in endpoint.asked]
    assert any(outcome in text for text in (*told, *scopes)), reason


def test_token_is_renewed_before_it_ends(endpoint: TokenServer, tmp_path: Path) -> None:
    """A lifetime of nothing makes every request ask anew; an id is never used twice."""
    endpoint.answer = endpoint.answer | {"expires_in": 0}
    (tmp_path / "key").write_text(json.dumps(RSA.as_dict(private=True)))
    settings = settings_from_dict({"authentication": {"required": False}}, tmp_path)
    with running_hospital(hospital(1), token=TOKEN) as server:
        credentials = Credentials(
            fhir_server=server.url, client_id=CLIENT_ID, key_file=tmp_path / "key", token_url=endpoint.url
        )
        open_server(credentials, settings, OPTIONS).run(lambda _done, _whole: None)

    ids = [jwt.decode(fields["client_assertion"], RSA, algorithms=["RS384"]).claims["jti"] for fields in endpoint.asked]
    assert len(ids) > 5
    assert len(set(ids)) == len(ids)
