"""The service of one site, called as a CDS Client calls it.

With SERVICE_UNDER_TEST=nlr-risk it is the second CDS Service of `tests/support/second_service.py`: the protocol is kept
by all services, not by one (`tests/integration/test_second_service.py` runs it so).
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.conformance.fhir_server import FHIRServer, running_fhir_server
from tests.support.charts import NOW
from tests.support.second_service import NLR_RISK, offered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.charts import Json

DISCOVERY = "/cds-services"
SERVICE_ID = os.environ.get("SERVICE_UNDER_TEST", "sii-recurrence-risk")
SERVICE = f"{DISCOVERY}/{SERVICE_ID}"
FEEDBACK = f"{SERVICE}/feedback"
ORIGIN = "https://ehr.hospital.example"

# The clock stands in a zone that is neither UTC nor that of the site.
CLOCK = NOW.astimezone(timezone(timedelta(hours=-5)))


@dataclass(frozen=True)
class Service:
    """What a CDS Client sees."""

    http: FlaskClient

    def discover(self) -> Json:
        """Return the one entry of the discovery answer."""
        services = self.http.get(DISCOVERY).get_json()["services"]
        (entry,) = (service for service in services if service["id"] == SERVICE_ID)
        return dict(entry)

    def ask(self, request: Json, **options: Any) -> TestResponse:
        """Call the service."""
        return self.http.post(SERVICE, json=request, **options)

    def cards(self, request: Json) -> list[Json]:
        """Return the cards of an answer that must be a success."""
        response = self.ask(request)
        assert response.status_code == 200, response.text
        return list(response.get_json()["cards"])

    def outcome(self, request: Json) -> str:
        """Return the outcome of the assessment."""
        response = self.ask(request)
        assert response.status_code == 200, response.text
        return str(response.get_json()["extension"]["org.sii-cds.assessment"]["outcome"])

    def send_feedback(self, *items: Json) -> TestResponse:
        """Report what became of cards."""
        return self.http.post(FEEDBACK, json={"feedback": list(items)})


class Site(Protocol):
    """Builds the service of a site; arguments are configuration sections."""

    def __call__(self, **sections: Any) -> Service: ...


@pytest.fixture
def site(tmp_path: Path) -> Site:
    def _site(**sections: Any) -> Service:
        return built(tmp_path, sections)

    return _site


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The service with the defaults. It keeps nothing between requests but its audit log and its counters."""
    return built(tmp_path_factory.mktemp("site"), {})


def built(base: Path, sections: dict[str, Any]) -> Service:
    defaults: dict[str, Any] = {
        "service": {"public_url": "https://cds.hospital.example", "timezone": "Asia/Shanghai"},
        "authentication": {"required": False},
        "cors": {"origins": [ORIGIN]},
    }
    settings = settings_from_dict(defaults | sections, base)
    # Such a cut-off that the usual draw lies above it, and the low one below.
    with offered(Decimal(3)) if NLR_RISK.id == SERVICE_ID else nullcontext():
        return Service(create_app(settings, now=lambda: CLOCK).test_client())


@pytest.fixture
def fhir() -> Iterator[FHIRServer]:
    with running_fhir_server() as server:
        yield server
