"""An EHR's FHIR server with its authorization server, small and of our own: it keeps to the rules, or lies on demand.

It grants codes for launches that it knows, checks PKCE and the client, and answers FHIR only with a token of the
patient who is asked about. What it says can be changed: `discovery`, `token_response`, `claims`, `header`; and a
`fault` of fhir_stub_faults.py stands in place of `discovery`, `keys`, `token`, or a prefetch key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.security import forge
from tests.support.charts import PATIENT_ID, bundle
from tests.support.fhir_stub import BASE_PATH, FHIRStub, Received, StubHandler, Wire
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

CLIENT_ID = "sii-trend"
SECRET = "canary secret: 9/+&"
USER = "Practitioner/dr-1"


@dataclass(frozen=True)
class Grant:
    """What a code stands for."""

    request: dict[str, str]
    patient: str
    card: str | None


class SmartServer(FHIRStub):
    """The server. `charts` are prefetch contents by patient; `launches` the patient and the card of each launch."""

    def __init__(self) -> None:
        """Know one launch, of the patient of the charts."""
        super().__init__()
        self.charts: dict[str, Json] = {}
        self.launches: dict[str, tuple[str, str | None]] = {"launch-1": (PATIENT_ID, None)}
        self.codes: dict[str, Grant] = {}
        self.tokens: dict[str, str] = {}
        self.posted: list[tuple[dict[str, str], str | None]] = []
        self.app_keys: Json | None = None
        self.secret: str | None = None
        self.discovery: Json = {}
        self.token_response: Json = {}
        self.claims: Json = {}
        self.header: Json = {}
        self.signer: forge.Key = forge.rsa_key("authorization server")
        self.algorithm = "RS256"
        self.key_set: bytes | None = None
        # What the clock of the service says; the id_tokens follow it.
        self.now = int(time.time())

    @property
    def root(self) -> str:
        """The address of the authorization server, and its issuer."""
        return self.url.removesuffix(BASE_PATH) + "/auth"

    def smart_configuration(self) -> Json:
        """What discovery says, as far as it is not changed; None takes a member out."""
        said = {
            "issuer": self.root,
            "jwks_uri": f"{self.root}/jwks.json",
            "authorization_endpoint": f"{self.root}/authorize",
            "token_endpoint": f"{self.root}/token",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "sso-openid-connect", "permission-v2"],
        }
        return {name: value for name, value in {**said, **self.discovery}.items() if value is not None}

    def authorize(self, location: str, **changes: str) -> str:
        """Do what the browser, the user and the server do with an authorization request; return the callback's query.

        Raises AssertionError for a request that no server should grant.
        """
        request = dict(parse_qsl(urlsplit(location).query, strict_parsing=True))
        assert location.startswith(f"{self.root}/authorize?")
        assert (request["response_type"], request["code_challenge_method"]) == ("code", "S256")
        assert request["aud"].rstrip("/") == self.url
        patient, card = self.launches[request["launch"]]
        code = f"code-{len(self.codes)}"
        self.codes[code] = Grant(request, patient, card)
        return urlencode({"code": code, "state": request["state"], **changes})

    def exchange(self, fields: dict[str, str], authorization: str | None) -> tuple[int, Json]:
        """Answer at the token endpoint."""
        self.posted.append((fields, authorization))
        grant = self.codes.pop(fields.get("code", ""), None)
        if not self._knows(fields, authorization):
            return 401, {"error": "invalid_client"}
        challenge = forge.b64(hashlib.sha256(fields.get("code_verifier", "").encode()).digest())
        if (
            grant is None
            or challenge != grant.request["code_challenge"]
            or fields["redirect_uri"] != grant.request["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        access_token = f"canary-access-{len(self.posted)}"
        self.tokens[f"Bearer {access_token}"] = grant.patient
        said: Json = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": grant.request["scope"],
            "patient": grant.patient,
            "id_token": self.id_token(grant),
        } | ({"appContext": grant.card} if grant.card else {})
        return 200, {name: value for name, value in {**said, **self.token_response}.items() if value is not None}

    def id_token(self, grant: Grant) -> str:
        """Sign who is asking."""
        said = {
            "iss": self.root,
            "aud": CLIENT_ID,
            "sub": "u-1",
            "nonce": grant.request["nonce"],
            "iat": self.now,
            "exp": self.now + 300,
            "fhirUser": f"{self.url}/{USER}",
        } | self.claims
        body = {name: value for name, value in said.items() if value is not None}
        head = {"alg": self.algorithm, "typ": "JWT", "kid": "as-1", **self.header}
        return forge.signed({k: v for k, v in head.items() if v is not None}, body, self.signer, self.algorithm)

    def keys(self) -> bytes:
        """The public keys of the id_tokens."""
        return self.key_set or forge.key_set(forge.jwk(forge.rsa_key("authorization server"), "as-1"))

    def _knows(self, fields: dict[str, str], authorization: str | None) -> bool:
        if self.secret is not None:
            pair = f"{quote_plus(CLIENT_ID)}:{quote_plus(self.secret)}"
            return authorization == f"Basic {base64.b64encode(pair.encode()).decode()}"
        if self.app_keys is not None:
            keys = KeySet.import_key_set(self.app_keys)  # type: ignore[arg-type]
            assertion = jwt.decode(fields["client_assertion"], keys, algorithms=["RS384", "ES384"])
            claims = assertion.claims
            return bool(
                claims["iss"] == claims["sub"] == CLIENT_ID
                and claims["aud"] == f"{self.root}/token"
                and 0 < claims["exp"] - claims["iat"] <= 300
            )
        return fields.get("client_id") == CLIENT_ID


class _Handler(StubHandler):
    server: SmartServer

    def do_GET(self) -> None:  # noqa: N802  the name is the library's
        path = urlsplit(self.path).path
        if path.endswith("/.well-known/smart-configuration"):
            self._answer_as("discovery", json.dumps(self.server.smart_configuration()).encode())
        elif path.endswith("/.well-known/openid-configuration"):
            openid = {"issuer": self.server.root, "jwks_uri": f"{self.server.root}/jwks.json"}
            self._answer_as("openid", json.dumps(openid).encode())
        elif path == "/auth/jwks.json":
            self._answer_as("keys", self.server.keys())
        else:
            self._answer_fhir()

    def do_POST(self) -> None:  # noqa: N802  the name is the library's
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        status, said = self.server.exchange(fields, self.headers.get("Authorization"))
        self._answer_as("token", json.dumps(said).encode(), status)

    def _answer_as(self, name: str, body: bytes, status: int = 200) -> None:
        fault = self.server.faults.get(name)
        if fault is None:
            self.answer(body, status, {"Content-Type": "application/json"})
        else:
            fault(Wire(self, Received(self.path, {}, self.client_address[1])))

    def _answer_fhir(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, self.client_address[1])
        patient = self.server.tokens.get(received.authorization or "")
        asked = received.parameters.get("patient") or urlsplit(received.target).path.rpartition("/")[2]
        if patient is None or asked != patient:
            self.answer(b"{}", 401)
            return
        if received.key in self.server.faults:
            super().do_GET()
            return
        self.server.received.append(received)
        content = self.server.charts.get(patient, {})
        self.answer(json.dumps(content.get(received.key) or bundle()).encode())


SmartServer.handler = _Handler


@contextmanager
def running_smart_server(**charts: Any) -> Iterator[SmartServer]:
    """Serve until the block ends; `charts` are prefetch contents by patient."""
    server = SmartServer()
    server.charts = dict(charts)
    with served(server):
        try:
            yield server
        finally:
            server.stopping.set()
