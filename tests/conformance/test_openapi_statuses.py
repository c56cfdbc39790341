"""Every status that an operation describes can be met, and its answer keeps to its description."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.security import forge
from tests.support import openapi
from tests.support.charts import hook_request
from tests.support.openapi import DOCUMENT, FEEDBACK, HOOK

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

DISCOVERY = "/cds-services"
MOST_BYTES = 65_536
NORTH = {"tenant": "north"}
GOOD_FEEDBACK = {"feedback": [{"card": "1", "outcome": "accepted", "outcomeTimestamp": "2026-03-14T01:00:00Z"}]}


class SmallSite:
    """A service with one client, one tenant and a small limit for bodies."""

    def __init__(self, folder: Path) -> None:
        (folder / "keys.json").write_text(json.dumps({"keys": [forge.jwk(forge.ec_key(), forge.EC_KID)]}))
        client = {"name": "ehr", "issuer": forge.ISSUER, "jwks_file": "keys.json", "tenants": ["north"]}
        (folder / "state").mkdir()
        content = {
            "service": {"public_url": forge.PUBLIC_URL},
            "server": {"max_request_bytes": MOST_BYTES},
            "clients": [client],
            "state": {"url": "sqlite:///state/state.db"},
        }
        self.folder = folder
        self.http: FlaskClient = create_app(settings_from_dict(content, folder), now=lambda: forge.NOW).test_client()

    def without_state(self) -> SmallSite:
        """Take the state store away."""
        shutil.rmtree(self.folder / "state")
        return self

    def without_audit(self) -> SmallSite:
        """Take the audit log away, and put a file in its place."""
        shutil.rmtree(self.folder / "audit")
        (self.folder / "audit").write_text("")
        return self

    def get(self, path: str, **claims: Any) -> Any:
        return self.http.get(path, headers=bearer(path, **claims) if claims else {})

    def post(self, path: str, body: Any, claims: Any = NORTH, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        token = bearer(path, **claims) if claims is not None else {}
        return self.http.post(path, data=data, headers={"Content-Type": "application/json", **token, **headers})


def bearer(path: str, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {forge.token(aud=forge.PUBLIC_URL + path, **claims)}"}


@pytest.fixture
def small_site(tmp_path: Path) -> SmallSite:
    return SmallSite(tmp_path)


Case = tuple[str, str, int, Callable[[SmallSite], Any]]

# Those of the trend app are met in test_openapi_smart.py.
PATHS = [path for path in DOCUMENT["paths"] if not path.startswith("/smart/")]
OPEN_PATHS = [path for path in PATHS if path not in (HOOK, FEEDBACK)]
BODIES: dict[str, Any] = {HOOK: hook_request(), FEEDBACK: GOOD_FEEDBACK}


def cases() -> Iterator[Case]:
    """The name of the status's cause is the request itself."""
    for path in OPEN_PATHS:
        yield path, "GET", 200, partial(SmallSite.get, path=path)
    yield "/model-card", "GET", 200, lambda site: site.http.get("/model-card", headers={"Accept": "application/json"})
    yield DISCOVERY, "GET", 200, lambda site: site.get(DISCOVERY, tenant="north")
    yield DISCOVERY, "GET", 401, lambda site: site.get(DISCOVERY, tenant="north", exp=1)
    yield DISCOVERY, "GET", 403, lambda site: site.get(DISCOVERY, tenant="south")
    yield DISCOVERY, "GET", 503, lambda site: site.without_state().get(DISCOVERY, tenant="north")
    yield "/readyz", "GET", 503, lambda site: site.without_audit().get("/readyz")
    yield "/readyz", "GET", 503, lambda site: site.without_state().get("/readyz")
    for path, body in BODIES.items():
        yield from client_cases(path, body)
    yield HOOK, "POST", 400, lambda site: site.post(HOOK, hook_request(members={"hook": "order-sign"}))
    yield HOOK, "POST", 400, lambda site: site.post(HOOK, hook_request(patient={"resourceType": "Patient", "id": "q"}))
    yield HOOK, "POST", 412, lambda site: site.post(HOOK, hook_request(without=("conditions",)))


def client_cases(path: str, body: Any) -> Iterator[Case]:
    made: list[tuple[int, Callable[[SmallSite], Any]]] = [
        (200, lambda site: site.post(path, body)),
        (400, lambda site: site.post(path, b"{")),
        (400, lambda site: site.post(path, b"")),
        (400, lambda site: site.post(path, {})),
        (401, lambda site: site.post(path, body, None)),
        (403, lambda site: site.post(path, body, {"tenant": "south"})),
        (403, lambda site: site.post(path, body, {})),
        (413, lambda site: site.post(path, b" " * (MOST_BYTES + 1))),
        (415, lambda site: site.post(path, body, **{"Content-Type": "text/plain"})),
        (415, lambda site: site.post(path, body, **{"Content-Encoding": "gzip"})),
        (501, lambda site: site.post(path, body, **{"Transfer-Encoding": "gzip, chunked"})),
        (503, lambda site: site.without_audit().post(path, body)),
        (503, lambda site: site.without_state().post(path, body)),
    ]
    for status, ask in made:
        yield path, "POST", status, ask


CASES = list(cases())
DEFECT = 500


@pytest.mark.parametrize(("path", "method", "status", "ask"), CASES)
def test_status_is_met_and_keeps_to_the_description(
    small_site: SmallSite, path: str, method: str, status: int, ask: Callable[[SmallSite], Any]
) -> None:
    answer = ask(small_site)

    assert answer.status_code == status, answer.text
    assert openapi.problems(path, method, status, answer.headers, answer.data) == []


def test_statuses_all_but_the_defect_have_a_case() -> None:
    described = {
        (path, method, status)
        for path, method, _ in openapi.operations()
        for status in openapi.described_statuses(path, method)
        if path in PATHS
    }

    assert {(path, method, status) for path, method, status, _ in CASES} == {c for c in described if c[2] != DEFECT}
