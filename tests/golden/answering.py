"""Answers requests in this process and tells what came of each; imports little, for it runs in old checkouts, too."""

from __future__ import annotations

import hashlib
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from fhir_mappings import load_mappings

if TYPE_CHECKING:
    from collections.abc import Iterable

HOOK = "/cds-services/sii-recurrence-risk"
# What the answers depend on besides the request: the same requests at sites that chose otherwise.
SITES: dict[str, dict[str, Any]] = {
    "default": {},
    "talkative": {
        "service": {"timezone": "Pacific/Auckland"},
        "cards": {"show_not_above_cutoff": True},
        "rule": {"cutoff": 300, "cutoff_source": "local"},
    },
    "assuming": {"eligibility": {"mode": "assume"}, "timing": {"max_age_days": 365}},
    "silent": {"service": {"mode": "silent", "timezone": "America/Los_Angeles"}, "audit": {"values": False}},
}


class Request(NamedTuple):
    """One POST: at which site, when, where to, and what; a body may be no UTF-8."""

    site: str
    now: str
    path: str
    body: str

    @property
    def data(self) -> bytes:
        """The body as it was sent."""
        return self.body.encode("utf-8", "surrogateescape")


class Came(NamedTuple):
    """What came of a request: its status, the answer, and the audit record without durations, links and hashes."""

    status: int
    answer: str
    record: str

    @property
    def digest(self) -> str:
        """Name all of it in a few characters."""
        return hashlib.sha256(repr(self).replace(load_mappings().version, "MAPPINGS").encode()).hexdigest()[:20]


class _Site:
    """A site that answers in this process; ids name the request they were made for."""

    def __init__(self, folder: Path, sections: dict[str, Any]) -> None:
        folder.mkdir()
        self._folder = folder
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._number = self._ids = 0
        content = {"authentication": {"required": False}, **sections}
        content["service"] = {"public_url": "https://cds.hospital.example", **sections.get("service", {})}
        settings = settings_from_dict(content, folder)
        self._http = create_app(settings, now=lambda: self._now, new_uuid=self._new_id).test_client()

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._number:08d}-0000-4000-8000-{self._ids:012d}"

    def ask(self, number: int, request: Request) -> tuple[int, str]:
        self._now, self._number, self._ids = datetime.fromisoformat(request.now), number, 0
        answer = self._http.post(request.path, data=request.data, content_type="application/json")
        return answer.status_code, answer.get_data(as_text=True)

    def records(self) -> dict[int, str]:
        """Return the records of each request by its number."""
        found: dict[int, str] = {}
        for path in sorted((self._folder / "audit").glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                members = json.loads(line)
                if "request_id" in members:
                    kept = {name: value for name, value in members.items() if name not in _VARYING}
                    number = int(members["request_id"][:8])
                    found[number] = found.get(number, "") + json.dumps(kept) + "\n"
        return found


# The hash of a configuration depends on the folder.
_VARYING = frozenset({"sequence", "link", "timings_ms", "configuration"})


def answer_all(requests: Iterable[Request]) -> list[Came]:
    """Answer requests in their order, each at its site."""
    requests = list(requests)
    with tempfile.TemporaryDirectory(prefix="golden-", dir=_memory()) as folder:
        sites = {name: _Site(Path(folder) / name, sections) for name, sections in SITES.items()}
        answers = [sites[request.site].ask(number, request) for number, request in enumerate(requests)]
        records = {name: site.records() for name, site in sites.items()}
    return [Came(*answers[number], records[request.site].get(number, "")) for number, request in enumerate(requests)]


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  what is kept there ends with the run
