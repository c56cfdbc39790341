"""A FHIR server of a made-up hospital on loopback: searches as far as doctor asks, and wrong in the ways it is told.

It knows patient, code, category, date, _sort, _count and pages. `wrong` holds the names of what it does wrong.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.charts import bundle
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json
    from tests.support.hospital import Hospital

TOKEN = "canary-access-token-4711"
BASE_PATH = "/fhir"
_DAY = 10


@dataclass
class Behaviour:
    """What the server does. `wrong`: parameters that are ignored ("code"), or one of the words in `_Handler`."""

    wrong: frozenset[str] = frozenset()
    status: dict[str, int] = field(default_factory=dict)
    token: str | None = None
    latency: float = 0.0
    remark: Json | None = None
    fhir_version: str = "4.0.1"


class HospitalServer(ThreadingHTTPServer):
    """Serves a hospital. `targets` are the requests received."""

    daemon_threads = True

    def __init__(self, hospital: Hospital, behaviour: Behaviour) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.resources = hospital.resources()
        self.behaviour = behaviour
        self.targets: list[str] = []
        self.tokens: list[str | None] = []

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.server_port}{BASE_PATH}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that has waited long enough goes away."""


class _Handler(BaseHTTPRequestHandler):
    server: HospitalServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        behaviour = self.server.behaviour
        self.server.targets.append(self.path)
        self.server.tokens.append(self.headers.get("Authorization"))
        time.sleep(behaviour.latency)
        parts = urlsplit(self.path)
        kind, _, identifier = parts.path.removeprefix(f"{BASE_PATH}/").partition("/")
        if kind == "metadata":
            self._answer({"resourceType": "CapabilityStatement", "fhirVersion": behaviour.fhir_version})
        elif behaviour.token is not None and self.headers.get("Authorization") != f"Bearer {behaviour.token}":
            self._answer(_outcome("error"), 401)
        elif kind in behaviour.status:
            self._answer(_outcome("error"), behaviour.status[kind])
        elif identifier:
            found = [r for r in self._of_type(kind) if r["id"] == identifier]
            self._answer(found[0] if found else _outcome("error"), 200 if found else 404)
        elif "sort-refused" in behaviour.wrong and "_sort" in parts.query:
            self._answer(_outcome("error"), 400)
        else:
            self._answer(self._search(kind, parse_qs(parts.query)))

    def _search(self, kind: str, query: dict[str, list[str]]) -> Json:
        wrong = self.server.behaviour.wrong
        page = int(query.pop("page", ["0"])[0])
        if "whole-page" in wrong and page:
            page = 0
        found = [r for r in self._of_type(kind) if self._matches(r, query, page)]
        if "_sort" in query and "_sort" not in wrong:
            found.sort(key=lambda r: r.get("effectiveDateTime", ""), reverse=True)
        size = 1000 if "_count" in wrong else int(query.get("_count", ["50"])[0])
        shown = found[page * size : (page + 1) * size]
        links = []
        if len(found) > (page + 1) * size and "next" not in wrong:
            links = [{"relation": "next", "url": self._next(kind, query, page + 1)}]
        remark = self.server.behaviour.remark
        total = len(found) + 3 if "total" in wrong else len(shown)
        return bundle(*shown, *([remark] if remark else []), link=links, total=total)

    def _next(self, kind: str, query: dict[str, list[str]], page: int) -> str:
        base = "http://127.0.0.2:1/fhir" if "next-elsewhere" in self.server.behaviour.wrong else self.server.url
        return f"{base}/{kind}?{urlencode({**query, 'page': page}, doseq=True)}"

    def _matches(self, resource: Json, query: dict[str, list[str]], page: int) -> bool:
        wrong = self.server.behaviour.wrong
        loses = "next-loses-patient" in wrong and page > 0
        if "patient" in query and "patient" not in wrong and not loses:
            subject = resource.get("subject", {}).get("reference", "")
            if subject != f"Patient/{query['patient'][0]}":
                return False
        if "code" in query and "code" not in wrong and not self._has_code(resource, query["code"][0].split(",")):
            return False
        if "category" in query and "category" not in wrong and "category" not in resource:
            return False
        return "date" in wrong or all(self._dated(resource, date) for date in query.get("date", ()))

    def _has_code(self, resource: Json, wanted: list[str]) -> bool:
        if "several-codes" in self.server.behaviour.wrong:
            wanted = wanted[:1]
        codings = resource["code"].get("coding", ())
        return any(f"{coding.get('system')}|{coding.get('code')}" in wanted for coding in codings)

    def _dated(self, resource: Json, date: str) -> bool:
        day = str(resource.get("effectiveDateTime", ""))[:_DAY]
        if "days-lost" in self.server.behaviour.wrong:
            return False
        return day >= date[2:] if date.startswith("ge") else day <= date[2:]

    def _of_type(self, kind: str) -> list[Json]:
        return [resource for resource in self.server.resources if resource["resourceType"] == kind]

    def _answer(self, content: Json, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the library's
        """Keep quiet."""


def _outcome(severity: str, code: str = "processing") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def remark(code: str) -> Json:
    """Build a remark beside an answer that quotes a patient, as some servers' do."""
    return {
        "resourceType": "OperationOutcome",
        "id": "remark",
        "issue": [{"severity": "warning", "code": code, "diagnostics": "canary: patient=p001 ignored"}],
    }


@contextmanager
def running_hospital(hospital: Hospital, **behaviour: Any) -> Iterator[HospitalServer]:
    """Serve until the block ends."""
    server = HospitalServer(hospital, Behaviour(**behaviour))
    with served(server):
        yield server
