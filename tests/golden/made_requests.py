"""The requests: every story, case and sample of the repository, generated charts, and all of these with a fault."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings

from cds_service.demo.client import hook_request
from cds_service.demo.patients import build_stories
from tests.clinical.test_samples import ROWS
from tests.clinical.test_samples import hook as sample_hook
from tests.conformance.answers import HOOKS
from tests.fuzz.json_mutator import mutate_json
from tests.golden.answering import HOOK, SITES, Request
from tests.support import charts
from tests.support.strategies import charts as generated_charts
from tests.support.strategies import damaged_requests, flawed, json_text, results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis import strategies as st

_CASES = Path(__file__).parents[1] / "fixtures" / "cases"
_CASE_MOMENTS = {"clinical": "2026-11-30T12:00:00Z", "laboratory": "2026-01-11T12:00:00Z"}
_STORY_DAYS = [date(2026, 11, 23) + timedelta(days=173 * number) for number in range(6)]
_NUMBER = 6000
_GENERATED = 300
_MOST_BYTES = 200_000

_Chart = tuple[str, bytes]


def make_requests() -> list[Request]:
    """Return six thousand requests, the same in every run."""
    whole = [*_stories(), *_cases(), *_samples(), *_answers()]
    generated = [*_generated(generated_charts(results() | flawed())), *_generated_damage()]
    at_every_site = [_request(site, *chart) for chart in whole for site in SITES]
    others = [_request(site, *chart) for chart, site in zip(generated, cycle(SITES), strict=False)]
    feedback = [Request("default", charts.NOW.isoformat(), f"{HOOK}/feedback", body) for body in _feedback()]
    made = [*at_every_site, *others, *feedback]
    return [*made, *islice(_damaged(whole), _NUMBER - len(made))]


def _request(site: str, now: str, body: bytes) -> Request:
    return Request(site, now, HOOK, body.decode("utf-8", "surrogateescape"))


def _stories() -> Iterator[_Chart]:
    for day in _STORY_DAYS:
        now = datetime.combine(day, datetime.min.time(), UTC).replace(hour=12).isoformat()
        for story in build_stories(day):
            yield now, json.dumps(hook_request(story, "story")).encode()


def _cases() -> Iterator[_Chart]:
    for folder, now in _CASE_MOMENTS.items():
        for path in sorted((_CASES / folder).glob("*.json")):
            yield now, path.read_bytes()


def _samples() -> Iterator[_Chart]:
    for sample in ROWS:
        yield f"{sample.today}T10:00:00+00:00", json.dumps(sample_hook(sample)).encode()


def _answers() -> Iterator[_Chart]:
    for body, _ in HOOKS.values():
        yield charts.NOW.isoformat(), json.dumps(body).encode()


def _generated(strategy: st.SearchStrategy[list[charts.Json]]) -> list[_Chart]:
    made: list[_Chart] = []

    @settings(max_examples=_GENERATED, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(resources: list[charts.Json]) -> None:
        made.append((charts.NOW.isoformat(), json_text(charts.hook_request(*resources)).encode()))

    collect()
    return made


def _generated_damage() -> list[_Chart]:
    made: list[_Chart] = []

    @settings(max_examples=_GENERATED, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(damaged_requests())
    def collect(body: charts.Json) -> None:
        text = json_text(body).encode("utf-8", "surrogatepass")
        if len(text) <= _MOST_BYTES:
            made.append((charts.NOW.isoformat(), text))

    collect()
    return made


def _damaged(whole: list[_Chart]) -> Iterator[Request]:
    """Change one to three places of each chart, again and again; half of what comes out is still decided."""
    for seed, ((now, body), site) in enumerate(zip(cycle(whole), cycle(SITES), strict=False)):
        if len(body) <= _MOST_BYTES:
            changed = mutate_json(body, _MOST_BYTES, seed)
            if changed is not None:
                yield _request(site, now, changed)


def _feedback() -> Iterator[str]:
    item: dict[str, Any] = {"card": "card-1", "outcomeTimestamp": "2026-11-23T09:00:00Z"}
    reason = {"reason": {"code": "known", "system": "urn:r"}, "userComment": "seen"}
    for changed in (
        {"outcome": "accepted"},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]},
        {"outcome": "overridden"},
        {"outcome": "overridden", "overrideReason": reason},
        {"outcome": "ignored"},
        {"outcome": "accepted", "card": ""},
        {"outcome": "accepted", "outcomeTimestamp": "2026-11-23"},
    ):
        yield json.dumps({"feedback": [item | changed]})
    yield json.dumps({"feedback": []})
