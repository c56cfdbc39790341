"""The servers behind the demo's EHR page: FHIR, and a small authorization server that opens SMART apps.

It logs nobody in: whoever sees the page is the clinician of the demo. Everything else is as in a hospital: a launch
leads to a code, the code with its verifier to a token, and the token to one patient's data and no other's. All of it is
in memory and on loopback.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey

from cds_service.demo.client import USER_ID
from cds_service.demo.open_fhir import found_in_chart
from cds_service.smart.discovery import DISCOVERY_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response as AnyResponse

    from cds_service.demo.patients import PatientStory

FHIR_PATH: Final = "/demo/fhir"
AUTHORIZATION_PATH: Final = "/demo/auth"
CLIENT_ID: Final = "sii-trend"
_SECONDS: Final = 300
# Those of a newcomer with many tabs.
_MOST_KEPT: Final = 500
_ALGORITHM: Final = "ES256"
_KEY_ID: Final = "demo"

_Kept = TypeVar("_Kept")


class _Launch(NamedTuple):
    patient: str
    card: str


class _Code(NamedTuple):
    launch: _Launch
    challenge: str
    nonce: str
    redirect_uri: str
    scope: str


class _Once(Generic[_Kept]):
    """Values by names that nobody can guess; each is given out once, and the oldest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, value: _Kept) -> str:
        name = secrets.token_urlsafe(24)
        self._kept[name] = value
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return name

    def take(self, name: str) -> _Kept | None:
        return self._kept.pop(name, None)

    def get(self, name: str) -> _Kept | None:
        return self._kept.get(name)


class EHRServer:
    """The servers of the demo's EHR under one address."""

    def __init__(self, public_url: str, launch_url: str, story_of: Callable[[str], PatientStory | None]) -> None:
        """Begin without launches. `launch_url` is the launch address of the one registered app."""
        self._root = public_url
        self._launch_url = launch_url
        self._redirect_uri = f"{launch_url.rpartition('/')[0]}/callback"
        self._story_of = story_of
        self._key = ECKey.generate_key("P-256", {"kid": _KEY_ID, "use": "sig", "alg": _ALGORITHM})
        self._launches: _Once[_Launch] = _Once()
        self._codes: _Once[_Code] = _Once()
        self._tokens: _Once[str] = _Once()

    def blueprint(self) -> Blueprint:
        """Return the routes: the launch of an app from a chart, authorization, and FHIR."""
        routes = Blueprint("demo-ehr", __name__)
        routes.add_url_rule("/patients/<patient_id>/launch", "launch", self.launch)
        routes.add_url_rule(FHIR_PATH + DISCOVERY_PATH, "discovery", self.describe)
        routes.add_url_rule(f"{AUTHORIZATION_PATH}/authorize", "authorize", self.authorize)
        routes.add_url_rule(f"{AUTHORIZATION_PATH}/token", "token", self.exchange, methods=["POST"])
        routes.add_url_rule(f"{AUTHORIZATION_PATH}/jwks.json", "keys", self.publish_keys)
        routes.add_url_rule(f"{FHIR_PATH}/Patient/<patient_id>", "patient", self.read_patient)
        routes.add_url_rule(f"{FHIR_PATH}/<resource_type>", "search", self.search)
        return routes

    def launch(self, patient_id: str) -> AnyResponse:
        """Open the app from a chart, as an EHR does when the link of a card is clicked."""
        if request.args.get("url") != self._launch_url or self._story_of(patient_id) is None:
            abort(404)
        launch = self._launches.keep(_Launch(patient_id, request.args.get("context", "")))
        query = urlencode({"iss": self._root + FHIR_PATH, "launch": launch})
        return redirect(f"{self._launch_url}?{query}", 303)

    def describe(self) -> Response:
        """Say where the endpoints are (SMART App Launch, .well-known/smart-configuration)."""
        server = self._root + AUTHORIZATION_PATH
        return jsonify(
            issuer=server,
            jwks_uri=f"{server}/jwks.json",
            authorization_endpoint=f"{server}/authorize",
            token_endpoint=f"{server}/token",
            code_challenge_methods_supported=["S256"],
            authorization_response_iss_parameter_supported=True,
            capabilities=["launch-ehr", "client-public", "sso-openid-connect", "permission-v2"],
        )

    def authorize(self) -> AnyResponse:
        """Grant what was asked for, and lead back. Other addresses than the registered one are led to nowhere."""
        asked = request.args
        if (asked.get("client_id"), asked.get("redirect_uri")) != (CLIENT_ID, self._redirect_uri):
            abort(400)
        launch = self._launches.take(asked.get("launch", ""))
        if launch is None or asked.get("code_challenge_method") != "S256" or asked.get("response_type") != "code":
            abort(400)
        code = self._codes.keep(
            _Code(
                launch,
                asked.get("code_challenge", ""),
                asked.get("nonce", ""),
                self._redirect_uri,
                asked.get("scope", ""),
            )
        )
        answer = {"code": code, "state": asked.get("state", ""), "iss": self._root + AUTHORIZATION_PATH}
        return redirect(f"{self._redirect_uri}?{urlencode(answer)}", 303)

    def exchange(self) -> tuple[Response, int] | Response:
        """Give a token for a code and its verifier."""
        form = request.form
        code = self._codes.take(form.get("code", ""))
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if code is None or not hmac.compare_digest(challenge, code.challenge):
            return jsonify(error="invalid_grant"), 400
        answer = jsonify(
            access_token=self._tokens.keep(code.launch.patient),
            token_type="Bearer",  # noqa: S106  the kind of token
            expires_in=_SECONDS,
            scope=code.scope,
            patient=code.launch.patient,
            id_token=self._id_token(code.nonce),
            **({"appContext": code.launch.card} if code.launch.card else {}),
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def publish_keys(self) -> Response:
        """Publish the key of the id_tokens."""
        return jsonify(keys=[self._key.as_dict(private=False)])

    def read_patient(self, patient_id: str) -> Response:
        """Answer with the Patient of the token."""
        return jsonify(self._story(patient_id).patient)

    def search(self, resource_type: str) -> Response:
        """Answer a search with what the chart holds of it; what is too much, the reader sorts out."""
        story = self._story(request.args.get("patient", ""))
        return jsonify(found_in_chart(story, resource_type, request.args.get("code", "")) or abort(404))

    def _story(self, patient_id: str) -> PatientStory:
        """Return the patient, if the token is this patient's."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        story = self._story_of(patient_id)
        if story is None or scheme != "Bearer" or self._tokens.get(token) != patient_id:
            abort(401)
        return story

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self._root + AUTHORIZATION_PATH,
            "aud": CLIENT_ID,
            "sub": "demo-clinician",
            "fhirUser": f"{self._root}{FHIR_PATH}/{USER_ID}",
            "nonce": nonce,
            "iat": now,
            "exp": now + _SECONDS,
        }
        return jwt.encode({"alg": _ALGORITHM, "kid": _KEY_ID}, claims, self._key, algorithms=[_ALGORITHM])
