"""Every attack of the tables, sent to the whole service: the same answer to all, and the same work up to a point.

The tables stand in `test_refused_token_form.py`, `test_refused_signatures.py` and `test_refused_claims.py`, each row
with its reason. Here each row goes over HTTP: 401, and all 401 alike in body and headers.
"""

from __future__ import annotations

import itertools
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from joserfc import jws

from cds_service.app import create_app
from cds_service.authorization.refusals import Refusal
from cds_service.settings import settings_from_dict
from cds_service.state.database import StateStore
from tests.security import forge
from tests.security.conftest import OTHER_ISSUER, main_key_set, other_key_set
from tests.security.forge import ENDPOINT, NOW, ec_key, token
from tests.security.test_refused_claims import AUDIENCES, ISSUERS, TIMES, TOKEN_IDS
from tests.security.test_refused_signatures import ALGORITHMS, KEYS_AND_TEXTS
from tests.security.test_refused_token_form import HEADER_FIELDS, HEADER_MEMBERS, SEGMENTS
from tests.support.charts import hook_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from werkzeug.test import TestResponse

PATH = ENDPOINT.removeprefix(forge.PUBLIC_URL)
_CLAIMS = {"iss": ISSUERS, "": TIMES, "aud": AUDIENCES, "jti": TOKEN_IDS}


def _signed(make: Callable[[], str]) -> Callable[[], list[str]]:
    return lambda: [f"Bearer {make()}"]


def _claiming(changes: dict[str, Any]) -> Callable[[], list[str]]:
    return lambda: [f"Bearer {token(**changes)}"]


# What is wrong, the Authorization fields, and the reason that stands in the log.
ATTACKS: list[tuple[str, Callable[[], list[str]], Refusal]] = [
    *HEADER_FIELDS,
    *SEGMENTS,
    *HEADER_MEMBERS,
    *((what, _signed(make), reason) for what, make, reason in ALGORITHMS + KEYS_AND_TEXTS),
    *(
        (f"{claim} {what}".strip(), _claiming(changes), reason)
        for claim, rows in _CLAIMS.items()
        for what, changes, reason in rows
    ),
]
# Only these are found out after the signature was checked, so only whoever holds a client's key gets to them.
BEHIND_THE_SIGNATURE = {
    Refusal.SIGNATURE,
    Refusal.CLAIM_MISSING,
    Refusal.CLAIM_TYPE,
    Refusal.EXPIRED,
    Refusal.ISSUED_IN_FUTURE,
    Refusal.NOT_YET_VALID,
    Refusal.LIFETIME,
    Refusal.AUDIENCE,
    Refusal.REPLAYED,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("site")
    (folder / "ehr.json").write_bytes(main_key_set())
    (folder / "other.json").write_bytes(other_key_set())
    main = {"name": "main-ehr", "issuer": forge.ISSUER, "jwks_file": "ehr.json", "algorithms": ["ES384", "RS384"]}
    main["jku"] = [*forge.NAMED_KEY_SETS]
    other = {"name": "other-ehr", "issuer": OTHER_ISSUER, "jwks_file": "other.json", "algorithms": ["RS384"]}
    sections = {
        "service": {"public_url": forge.PUBLIC_URL},
        "clients": [{**main, "fhir_servers": [forge.FHIR_SERVER]}, {**other, "tenants": ["north"]}],
        "cors": {"origins": [forge.ISSUER]},
    }
    return create_app(settings_from_dict(sections, folder), now=lambda: NOW)


_addresses = itertools.count()


def send(app: Flask, fields: list[str], path: str = PATH) -> TestResponse:
    """Send a hook from an address that nobody used yet; several fields arrive as a WSGI server joins them."""
    number = next(_addresses)
    environ: dict[str, Any] = {"REMOTE_ADDR": f"10.9.{number >> 8}.{number & 255}"}
    if fields:
        # Past the client library, which sends no line feed; a server decodes the bytes of a field as Latin-1.
        environ["HTTP_AUTHORIZATION"] = ",".join(fields).encode().decode("latin-1")
    return app.test_client().post(path, json=hook_request(), environ_overrides=environ)


def seen_by_the_caller(response: TestResponse) -> tuple[object, ...]:
    """All of an answer but the id that each one has."""
    headers = sorted((name, value) for name, value in response.headers if name != "X-Request-Id")
    return response.status_code, response.data, tuple(headers)


@contextmanager
def counted_work() -> Iterator[dict[str, int]]:
    """Count what takes long enough to be measured from outside: signature checks and calls of the database."""
    work, asking = {"signatures": 0, "database": 0}, threading.get_ident()

    def counting(what: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            # The audit log keeps its head in the same database, from a thread of its own.
            work[what] += threading.get_ident() == asking
            return original(*arguments)

        return call

    with ExitStack() as stack:
        for kind in {type(model) for model in jws.JWSRegistry.algorithms.values()}:
            stack.enter_context(patch.object(kind, "verify", counting("signatures", kind.verify)))
        stack.enter_context(patch.object(StateStore, "execute", counting("database", StateStore.execute)))
        yield work


def test_table_holds_well_over_sixty_attacks() -> None:
    assert len({what for what, _, _ in ATTACKS}) >= 150
    assert {reason for _, _, reason in ATTACKS} >= set(Refusal) - {
        Refusal.KEYS_UNAVAILABLE,
        Refusal.REPLAYED,
        Refusal.TENANT,
        Refusal.TOO_MANY_FAILURES,
    }


@pytest.mark.parametrize(("what", "attack", "reason"), ATTACKS)
def test_attack_over_http_gets_the_one_refusal_and_costs_what_its_class_costs(
    what: str, attack: Callable[[], list[str]], reason: Refusal, app: Flask
) -> None:
    fields = attack()
    with counted_work() as work:
        refused = send(app, fields)

    assert seen_by_the_caller(refused) == seen_by_the_caller(send(app, [])), what
    assert refused.status_code == 401
    assert work == {"signatures": int(reason in BEHIND_THE_SIGNATURE), "database": 0}, what


@pytest.mark.parametrize("path", [PATH, f"{PATH}/feedback"])
def test_replayed_token_over_http_gets_the_one_refusal(path: str, app: Flask) -> None:
    text = f"Bearer {token(aud=forge.PUBLIC_URL + path)}"
    first = send(app, [text], path)
    again = send(app, [text], path)

    # A hook is no feedback: the first was trusted, whatever became of it then.
    assert first.status_code in (200, 400)
    assert seen_by_the_caller(again) == seen_by_the_caller(send(app, [], path))


def test_address_that_failed_too_often_gets_the_one_refusal(app: Flask) -> None:
    bad = token(key=ec_key("attacker"))
    overrides = {"REMOTE_ADDR": "192.0.2.9", "HTTP_AUTHORIZATION": f"Bearer {bad}"}
    client = app.test_client()
    with counted_work() as work:
        answers = {
            seen_by_the_caller(client.post(PATH, json=hook_request(), environ_overrides=overrides)) for _ in range(40)
        }

    assert answers == {seen_by_the_caller(send(app, []))}
    assert work["signatures"] < 40, "beyond the budget no signature is checked"


def test_tenant_not_listed_over_http_is_forbidden_without_a_reason(app: Flask) -> None:
    rsa = forge.rsa_key("other")
    tokens = (token("RS384", rsa, iss=OTHER_ISSUER), token("RS384", rsa, iss=OTHER_ISSUER, tenant="x"))
    answers = [send(app, [f"Bearer {text}"]) for text in tokens]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert not any(word in answer.text for answer in answers for word in ("tenant", "other-ehr", "north"))
