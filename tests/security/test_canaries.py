"""A whole run of the real service, with everything that goes wrong: no token is left anywhere afterwards.

Tokens and access tokens are made with marker values; then the logs, the audit files, the state store, the metrics and
every answer are searched for them and for each part of every token that was sent.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.security import forge
from tests.security.forge import ec_key, token
from tests.support.charts import hook_request
from tests.support.fhir_stub import access, running_stub
from tests.support.fhir_stub_faults import HTML, body, status
from tests.support.serve_command import Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.fhir_stub import FHIRStub

MARKER = "canary-8c41"
ACCESS_TOKEN = f"{MARKER}-access-token-77f0e1"
PATH = forge.ENDPOINT.removeprefix(forge.PUBLIC_URL)
FEEDBACK = {"feedback": [{"card": "x", "outcome": "accepted", "outcomeTimestamp": "2026-03-14T09:30:00Z"}]}

SITE = """\
service: {{public_url: {public_url}, timezone: Asia/Shanghai}}
server: {{port: 0, workers: 2, hook_deadline_seconds: 1.0}}
clients:
  - name: main-ehr
    issuer: {issuer}
    jwks_file: ehr.json
    fhir_servers: ["{fhir_server}"]
"""


@dataclass
class Run:
    """The service, and all that was sent and answered."""

    service: Serving
    sent: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def token(self, path: str = PATH, /, **changes: Any) -> str:
        """A token full of markers, good but for the changes."""
        now = int(time.time())
        marked = {"sub": MARKER, "tenant": MARKER, "fhirUser": f"Practitioner/{MARKER}", "note": MARKER}
        times = {"iat": now, "exp": now + 120, "aud": forge.PUBLIC_URL + path}
        made = token(**{"jti": f"{MARKER}-{len(self.sent)}", **marked, **times, **changes})
        self.sent.append(made)
        return made

    def post(self, authorization: str, content: Any, path: str = PATH) -> int:
        """Send a request; keep what came back, headers too."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        answer = requests.post(self.service.url + path, data=data, headers=headers, timeout=15)
        self.answers.append(f"{answer.headers} {answer.text}")
        self.statuses.append(answer.status_code)
        return answer.status_code


@pytest.fixture
def run(tmp_path: Path) -> Iterator[tuple[Run, FHIRStub]]:
    (tmp_path / "ehr.json").write_bytes(forge.key_set(forge.jwk(ec_key(), forge.EC_KID)))
    with running_stub() as stub:
        text = SITE.format(public_url=forge.PUBLIC_URL, issuer=forge.ISSUER, fhir_server=stub.url)
        with serving(tmp_path, text) as service:
            yield Run(service), stub


def trusted(run: Run, stub: FHIRStub) -> None:
    """Good tokens: answered, replayed, with data to fetch that come, fail, are no JSON, or echo the access token."""
    good = run.token()
    run.post(f"Bearer {good}", hook_request())
    run.post(f"Bearer {good}", hook_request())
    lacking = hook_request() | {"prefetch": {}} | access(stub.url, ACCESS_TOKEN)
    echo = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": f"Bearer {ACCESS_TOKEN}"}]}
    for fault in (None, status(401), body(HTML), body(json.dumps(echo).encode())):
        stub.faults = {"conditions": fault} if fault else {}
        run.post(f"Bearer {run.token()}", lacking)
    run.post(f"Bearer {run.token()}", lacking | {"fhirServer": "https://elsewhere.example/fhir"})
    run.post(f"Bearer {run.token()}", lacking | {"fhirServer": "http://127.0.0.1:1/fhir"})
    run.post(f"Bearer {run.token()}", b'{"hook": "' + ACCESS_TOKEN.encode())
    run.post(f"Bearer {run.token()}", {"fhirAuthorization": ACCESS_TOKEN, "hook": ACCESS_TOKEN})
    run.post(f"Bearer {run.token(f'{PATH}/feedback')}", FEEDBACK, f"{PATH}/feedback")
    run.post(f"Bearer {run.token(f'{PATH}/feedback')}", {"feedback": [{"card": MARKER}]}, f"{PATH}/feedback")


def distrusted(run: Run) -> None:
    """Bad tokens of many kinds, also in places where none belongs, until the address is limited."""
    for changes in ({"exp": 1, "iat": 0}, {"aud": MARKER}, {"iss": f"https://{MARKER}"}, {"jti": [MARKER]}):
        run.post(f"Bearer {run.token(**changes)}", hook_request())
    forged = run.token(key=ec_key("attacker"))
    for authorization in (
        f"Basic {forged}",
        f"Bearer {forged}",
        f"Bearer {forged} {forged}",
        f"Bearer {MARKER * 3000}",
    ):
        run.post(authorization, hook_request())
    run.post("Bearer x", hook_request(), f"/{forged}")
    run.post("Bearer x", hook_request(), f"{PATH}?access_token={forged}")
    for _ in range(45):
        run.post(f"Bearer {run.token(key=ec_key('attacker'))}", hook_request())


def broken(run: Run) -> None:
    """A state store and an audit log that are gone."""
    folder = run.service.folder
    for file in folder.glob("state.db*"):
        file.unlink()
    (folder / "state.db").mkdir()
    assert run.post(f"Bearer {run.token()}", hook_request()) == 503
    (folder / "state.db").rmdir()
    (folder / "audit").rename(folder / "audit-moved")
    (folder / "audit").write_text("in the way")
    assert run.post(f"Bearer {run.token()}", hook_request()) == 503


def written(folder: Path) -> dict[str, bytes]:
    """Everything in the folder of the service but its keys and configuration."""
    own = {"ehr.json", "sii-cds.yaml"}
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in own}


def test_whole_run_leaves_no_token_anywhere(run: tuple[Run, FHIRStub]) -> None:
    made, stub = run
    trusted(made, stub)
    distrusted(made)
    before_it_broke = written(made.service.folder)
    broken(made)
    metrics = requests.get(f"{made.service.url}/metrics", timeout=10).text
    made.service.process.terminate()
    made.service.process.wait(timeout=20)

    assert {200, 400, 401, 403, 404, 412, 503} <= set(made.statuses), "otherwise a path was not taken"
    assert any(request.authorization == f"Bearer {ACCESS_TOKEN}" for request in stub.received)
    places = {**before_it_broke, **written(made.service.folder), "metrics": metrics.encode()}
    assert {"stdout.log", "state.db"} <= {place.rpartition("/")[2] for place in places}
    assert any("audit" in place and content for place, content in places.items())
    places["answers"] = "\n".join(made.answers).encode()
    assert leaks(made, places) == []
    assert leaks(made, {"planted": f"x{made.sent[-1].split('.')[2]}x".encode()}) == ["planted"], "the search finds"


def leaks(run: Run, places: dict[str, bytes]) -> list[str]:
    """Where a marker or any of the three parts of a token stands."""
    parts = {part.encode() for text in run.sent for part in text.split(".")} | {MARKER.encode()}
    return [place for place, content in places.items() if any(part in content for part in parts)]
