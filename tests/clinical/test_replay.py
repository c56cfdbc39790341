"""Replay as the regression test of an upgrade: nothing differs unless the tables do, and then exactly what they change.

The log is that of every demo story in three zones, of every row of the oracle, and of every laboratory sample.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds_service.audit.chart_keeping import MOST_BYTES, MOST_RESOURCES
from cds_service.audit.entries import verdict_members
from cds_service.audit.reading import read_entries
from cds_service.audit.records import ConfigurationRecord
from cds_service.cards.options import CardOptions
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.flow import decide
from cds_service.decision.site import Site
from cds_service.demo.client import hook_request as story_request
from cds_service.hooks.request import parse_cds_request
from cds_service.insight.sources.replay import (
    ELIGIBLE_NOW,
    NO_DECISION,
    NO_LIMITS,
    NO_VALUES,
    TOO_LARGE,
    NotRecomputed,
    replay,
)
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from fhir_mappings.mappings import build_mappings
from tests.clinical import test_cases, test_demo_stories, test_oracle, test_samples
from tests.support import charts
from tests.support.recorded import CLIENT, VALUES_KEPT, Hook, record, replayed
from tests.support.strategies import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cds_service.decision.recording import RecordingChoices
    from fhir_mappings.mappings import Mappings

MAPPINGS = load_mappings()


CLUMPS = charts.observation("7796-6", 0, valueQuantity=None, oid="clumps")
SPECIMEN: charts.Json = {"resourceType": "Specimen", "id": "s", "type": {"text": "CSF"}}
# What is told in texts, which no record keeps.
OTHER_MATERIALS: tuple[list[charts.Json], ...] = (
    charts.draw(specimen={"display": "Ascites"}),
    charts.draw(bodySite={"text": "Bone marrow of Jane Doe"}),
    charts.draw(contained=[{"resourceType": "Specimen", "id": "s", "type": {"text": "Pleural fluid"}}]),
    [*charts.draw(), SPECIMEN],
    [*charts.draw(specimen={"reference": "Specimen/s"}), SPECIMEN],
    [*charts.draw(), CLUMPS | {"valueString": "Present"}],
    [*charts.draw(), CLUMPS | {"valueString": "None seen"}],
    [*charts.draw(), CLUMPS | {"valueString": "as told to Jane Doe"}],
    charts.draw(interpretation=[{"text": "Platelet clumps"}], note=[{"text": "Called Jane Doe"}]),
)


def test_replay_keeps_no_text_of_a_laboratory(log: Path) -> None:
    kept = b"".join(path.read_bytes() for path in log.iterdir() if path.is_file())

    assert b"Jane Doe" not in kept
    assert b"Ascites" not in kept


def site_in(zone: str, mappings: Mappings = MAPPINGS) -> Site:
    return Site(ClinicalPolicy(ZoneInfo(zone)), mappings, CardOptions("https://x.example/"), "active", zone, SII)


def hooks() -> Iterator[Hook]:
    for zone in test_demo_stories.ZONES:
        for story in test_demo_stories.STORIES:
            noon = datetime.combine(story.built_for, datetime.min.time(), UTC).replace(hour=12)
            body = msgspec.json.encode(story_request(story, "story"))
            yield Hook(f"story {story.id} {story.built_for} {zone}", body, noon, site_in(zone))
    for row in test_oracle.ROWS:
        now = datetime.fromisoformat(row["now"])
        yield Hook(f"oracle {row['id']}", test_oracle.body(row), now, site_in(row["zone"]))
    for sample in test_samples.ROWS:
        now = datetime.fromisoformat(f"{sample.today}T10:00:00").replace(tzinfo=UTC)
        body = json.dumps(test_samples.hook(sample)).encode()
        yield Hook(f"sample {sample.file} {sample.why}", body, now, site_in("Europe/Berlin"))
    for folder, row in test_cases.ROWS:
        file = test_cases.CASES / folder / row["file"]
        moment = datetime.fromisoformat(test_cases.MOMENTS[folder])
        yield Hook(f"case {folder} {row['file']}", file.read_bytes(), moment, site_in("UTC"))
    for number, counts in enumerate(OTHER_MATERIALS):
        body = json_text(charts.hook_request(bloodCounts=charts.bundle(*counts))).encode()
        yield Hook(f"texts {number}", body, charts.NOW, site_in("UTC"))
    # Refused today: C22.9 does not say whether the tumor is primary.
    unclear = charts.hook_request(conditions=charts.bundle(charts.condition("C22.9")))
    yield Hook("unclear diagnosis", json_text(unclear).encode(), charts.NOW, site_in("UTC"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("audit")
    record(directory, hooks())
    return directory


def test_replay_of_the_whole_log_finds_no_difference(log: Path) -> None:
    recomputed, not_recomputed = replayed(log, site_in("UTC"))

    assert len(recomputed) == sum(1 for _ in hooks())
    assert not_recomputed == []
    assert [one for one in recomputed if one.now is not None] == []
    assert {one.then.outcome for one in recomputed} == {
        "above-cutoff",
        "not-above-cutoff",
        "indeterminate",
        "not-eligible",
    }


def without_unit(multiple: str, volume: str) -> Mappings:
    """Take a unit out of the table, and its multiple out of what units are put together from."""
    rows = MAPPINGS.rows
    grammar = rows.unit_grammar
    multiples = tuple(
        replace(part, spellings=tuple(spelling for spelling in part.spellings if spelling != multiple))
        for part in grammar.multiples
    )
    units = tuple(row for row in rows.units if row.spelling.casefold() != f"{multiple}/{volume}".casefold())
    assert len(units) < len(rows.units)
    return build_mappings(replace(rows, units=units, unit_grammar=replace(grammar, multiples=multiples)), "changed")


def with_factor(spelling: str, factor: str) -> Mappings:
    rows = MAPPINGS.rows
    units = tuple(replace(row, factor=Decimal(factor)) if row.spelling == spelling else row for row in rows.units)
    return build_mappings(replace(rows, units=units), "changed")


def without_code(code: str) -> Mappings:
    rows = MAPPINGS.rows
    return build_mappings(
        replace(rows, analyte_codes=tuple(row for row in rows.analyte_codes if row.code != code)), "c"
    )


def without_procedure(code: str) -> Mappings:
    rows = MAPPINGS.rows
    return build_mappings(replace(rows, procedures=tuple(row for row in rows.procedures if row.code != code)), "c")


def with_refused_diagnoses_counted() -> Mappings:
    """Count every refused diagnosis as a primary liver cancer: patients become eligible who were not."""
    rows = MAPPINGS.rows
    conditions = tuple(
        row._replace(category="primary") if row.category in ("ambiguous", "benign-or-uncertain") else row
        for row in rows.conditions
    )
    return build_mappings(replace(rows, conditions=conditions), "changed")


def decided_under(mappings: Mappings) -> dict[str, tuple[object, ...]]:
    """Decide every hook from its own body: what replay must come to without the body."""
    told: dict[str, tuple[object, ...]] = {}
    for hook in hooks():
        decision = decide(parse_cds_request(hook.body), CLIENT, replace(hook.site, mappings=mappings), hook.now)
        members = verdict_members(decision.assessment, keep_values=False)
        reasons = tuple(sorted(map(str, members.get("reasons", ()))))
        told[hook.name] = (members["outcome"], members.get("sii"), members.get("sample_time"), reasons)
    return told


CHANGES = [
    (without_unit("K", "uL"), "a unit is no longer read"),
    (with_factor("K/uL", "0.1"), "a unit is read as another one"),
    (without_code("770-8"), "a code is no longer read, so counts stand alone"),
    (without_code("777-3"), "a code is no longer read, so most draws are incomplete"),
    (without_procedure("609232008"), "a therapy no longer qualifies"),
    (with_refused_diagnoses_counted(), "diagnoses count that did not"),
]


@pytest.mark.parametrize(("changed", "reason"), CHANGES, ids=[reason for _, reason in CHANGES])
def test_replay_with_changed_tables_names_exactly_the_changed_decisions(
    log: Path, changed: Mappings, reason: str
) -> None:
    before, after = decided_under(MAPPINGS), decided_under(changed)
    truly_changed = {name for name in before if before[name] != after[name]}

    recomputed, _ = replayed(log, site_in("UTC", changed))
    named = {one.request_id: one for one in recomputed if one.now is not None}

    assert set(named) == truly_changed
    assert 0 < len(named) < len(before), "a change that changes something, and not all"
    for name, one in named.items():
        assert one.now is not None
        if one.now.outcome != ELIGIBLE_NOW:
            assert (one.now.outcome, one.now.sii, one.now.sample_time, tuple(sorted(one.now.reasons))) == after[name]
        else:
            assert before[name][0] == "not-eligible" != after[name][0]


def test_what_cannot_be_recomputed_is_named(tmp_path: Path) -> None:
    body = json_text(charts.hook_request()).encode()
    no_counts = json_text(charts.hook_request(without=("bloodCounts",))).encode()
    site = site_in("UTC")
    record(tmp_path, [Hook("no-values", body, charts.NOW, site)], replace_values(keep=False))
    record(tmp_path, [Hook("no-counts", no_counts, charts.NOW, site)])

    recomputed, not_recomputed = replayed(tmp_path, site)

    assert recomputed == []
    assert [one.why for one in not_recomputed] == [NO_VALUES, NO_DECISION]


def test_decision_whose_limits_are_not_in_the_log_is_not_recomputed(tmp_path: Path) -> None:
    record(tmp_path, [Hook("h", json_text(charts.hook_request()).encode(), charts.NOW, site_in("UTC"))])
    entries = [entry for entry in read_entries(tmp_path) if not isinstance(entry.record, ConfigurationRecord)]

    (found,) = replay(entries, {"sii-recurrence-risk": site_in("UTC")})

    assert isinstance(found, NotRecomputed)
    assert found.why == NO_LIMITS


def test_decision_is_recomputed_under_the_limits_of_its_time(tmp_path: Path) -> None:
    """SII 711.7 was above the published cut-off; a site that compares with 800 today reads it as it was."""
    record(tmp_path, [Hook("h", json_text(charts.hook_request()).encode(), charts.NOW, site_in("UTC"))])
    stricter = replace(site_in("UTC"), policy=ClinicalPolicy(ZoneInfo("UTC"), cutoff=Decimal(800)))

    (one,), _ = replayed(tmp_path, stricter)

    assert (one.then.outcome, one.now) == ("above-cutoff", None)


def replace_values(*, keep: bool) -> RecordingChoices:
    return replace(VALUES_KEPT, keep_values=keep)


@pytest.mark.parametrize(
    ("rows", "kept", "reason"),
    [
        (MOST_RESOURCES, True, "as many as a record takes"),
        (MOST_RESOURCES + 1, False, "one more"),
    ],
)
def test_record_of_a_long_chart_is_bounded(tmp_path: Path, rows: int, kept: bool, reason: str) -> None:
    results = [charts.observation(charts.PLATELETS, 200, oid=f"o{number}") for number in range(rows)]
    body = json_text(charts.hook_request(*results)).encode()
    record(tmp_path, [Hook("long", body, charts.NOW, site_in("UTC"))])

    recomputed, not_recomputed = replayed(tmp_path, site_in("UTC"))

    assert len(recomputed) == kept, reason
    assert [one.why for one in not_recomputed] == ([] if kept else [TOO_LARGE])


MOST_CODINGS = 1_000


@pytest.mark.parametrize(("codings", "kept"), [(100, True), (MOST_BYTES // 40, False)])
def test_record_of_long_texts_is_bounded(tmp_path: Path, codings: int, kept: bool) -> None:
    """More than 1,000 codings make a resource malformed, so they stand in several."""
    code = {"coding": [{"system": charts.LOINC, "code": charts.PLATELETS}] * min(codings, MOST_CODINGS)}
    numbers = range(-(-codings // MOST_CODINGS))
    results = [charts.observation(charts.PLATELETS, 200, code=code, oid=f"o{number}") for number in numbers]
    body = json_text(charts.hook_request(*results)).encode()
    record(tmp_path, [Hook("long", body, charts.NOW, site_in("UTC"))])

    recomputed, not_recomputed = replayed(tmp_path, site_in("UTC"))

    assert len(recomputed) == kept
    assert [one.why for one in not_recomputed] == ([] if kept else [TOO_LARGE])
