"""Fault drills in one process: what the caller sees, what the log says, and that it works again by itself.

docs/operations.md has a row for each; tests/architecture/test_fault_drills.py holds the two together.
"""

from __future__ import annotations

import shutil
import socket
import sqlite3
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.outcomes import refused
from tests.support.charts import NOW, draw, hook_request
from tests.support.drill_site import DrillSite, drill_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The deadline of a hook, and what may come on top of it on a busy machine.
DEADLINE, GRACE = 2.0, 3.0
FHIR = "https://fhir.hospital.example/r4"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[DrillSite]:
    (tmp_path / "state").mkdir()
    with drill_site(tmp_path, NOW, state={"url": "sqlite:///state/state.db"}) as built:
        assert built.ask().status_code == 200
        yield built


def wait_until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def outcome(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["extension"]["org.sii-cds.assessment"]["outcome"])


def test_drill_state_store_locked_is_503_until_it_is_free(site: DrillSite) -> None:
    other = sqlite3.connect(site.folder / "state" / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()

    refused(site.ask(), 503)
    assert time.monotonic() - begun < DEADLINE + GRACE
    refused(site.ready(), 503)
    assert "state" in site.details(503)[-1]

    other.execute("ROLLBACK")
    other.close()
    # After a wait in vain nobody asks the store for half a second.
    assert wait_until(lambda: site.ready().status_code == 200)
    assert site.ask().status_code == 200


def test_drill_state_store_gone_is_503_until_its_directory_is_back(site: DrillSite) -> None:
    shutil.rmtree(site.folder / "state")

    refused(site.ask(), 503)
    assert "state" in refused(site.ready(), 503)["issue"][0]["diagnostics"]
    assert all("state" in detail for detail in site.details(503))

    (site.folder / "state").mkdir()
    assert wait_until(lambda: site.ready().status_code == 200)
    assert site.ask().status_code == 200


def without_conditions(base: str = FHIR) -> dict[str, Any]:
    access = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
    return hook_request(without=("conditions",), members={"fhirServer": base, "fhirAuthorization": access})


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_drill_fhir_server_down_is_412_that_names_the_data(tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{closed_port()}/r4"
    client = {"jwks_file": "keys.json", "fhir_servers": [base]}
    with drill_site(tmp_path, NOW, client) as site:
        begun = time.monotonic()
        told = refused(site.ask(without_conditions(base)), 412)

        assert time.monotonic() - begun < DEADLINE + GRACE
        assert "conditions" in told["issue"][0]["diagnostics"]
        assert site.details(412) == ["unavailable: conditions"]
        assert any("connection" in str(line).casefold() for line in site.log()), site.log()
        assert outcome(site.ask()) == "above-cutoff", "who sends the data is answered as before"


@pytest.mark.parametrize("waits", [False, True], ids=["no such name", "name server silent"])
def test_drill_dns_failure_is_412_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        if waits:
            time.sleep(DEADLINE + GRACE)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = {"jwks_file": "keys.json", "fhir_servers": [FHIR]}
    with drill_site(tmp_path, NOW, client) as site:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        begun = time.monotonic()

        refused(site.ask(without_conditions()), 412)

        assert time.monotonic() - begun < DEADLINE + 0.8 * GRACE
        assert site.details(412) == ["unavailable: conditions"]


def test_drill_key_server_down_is_401_with_the_reason_in_the_log(tmp_path: Path) -> None:
    client = {"jwks_url": f"http://127.0.0.1:{closed_port()}/jwks.json"}
    with drill_site(tmp_path, NOW, client) as site:
        refused(site.ask(), 401)
        assert "keys-unavailable" in str(site.log())


@pytest.mark.parametrize(("hours", "reason"), [(2, "expired"), (-2, "issued-in-future")])
def test_drill_clock_jump_tokens_are_401_with_the_reason_in_the_log(site: DrillSite, hours: int, reason: str) -> None:
    made = int(site.now.timestamp())
    site.now += timedelta(hours=hours)

    refused(site.ask(iat=made, exp=made + 300), 401)
    assert reason in str(site.log()[-1])
    assert site.ask().status_code == 200, "whose clock agrees is answered"


@pytest.mark.parametrize(
    ("days", "expected", "reason"),
    [
        (-60, "indeterminate", "results from the future are not used, and said to be so"),
        (60, "indeterminate", "results grow stale"),
        (-200, "not-eligible", "the procedure lies in the future"),
    ],
)
def test_drill_clock_jump_draws_are_not_used_at_the_wrong_time(
    site: DrillSite, days: int, expected: str, reason: str
) -> None:
    site.now += timedelta(days=days)

    answer = site.ask(hook_request(*draw()))

    assert outcome(answer) == expected, reason
    assert "warning" not in {card["indicator"] for card in answer.get_json()["cards"]}
    site.now -= timedelta(days=days)
    assert outcome(site.ask()) == "above-cutoff"
