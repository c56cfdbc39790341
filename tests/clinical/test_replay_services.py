"""Two services in one log: each decision is recomputed under the limits of its own service, or not at all.

The clock stands in Auckland, where the day is another one than in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from cds_service.audit.log import AuditLog
from cds_service.audit.reading import read_entries, verify_log
from cds_service.audit.records import ConfigurationRecord, HookRecord, ViewRecord
from cds_service.cards.options import CardOptions
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.site import Site
from cds_service.insight.sources.replay import OTHER_SERVICE, UNKNOWN_LIMIT
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from tests.support import charts
from tests.support.recorded import Hook, record, replayed
from tests.support.strategies import json_text

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Pacific/Auckland")
BODY = json_text(charts.hook_request()).encode()
SITE = Site(ClinicalPolicy(ZONE), load_mappings(), CardOptions("https://x.example/"), "active", "a", SII)
# SII of the chart is 711.7: above the published cut-off, not above this one.
OTHER = replace(SITE, policy=ClinicalPolicy(ZONE, cutoff=Decimal(800)), service=replace(SITE.service, id="nlr-risk"))


@dataclass(frozen=True)
class LaterPolicy(ClinicalPolicy):
    """The policy of a version that knows a limit more."""

    follow_up_months: int = 60


def write(directory: Path, *sites: tuple[str, Site]) -> None:
    for name, site in sites:
        record(directory, [Hook(name, BODY, charts.NOW.astimezone(ZONE), site)])


def test_replay_of_two_services_with_one_configuration_tells_them_apart(tmp_path: Path) -> None:
    write(tmp_path, ("ours", SITE), ("other", OTHER), ("ours again", SITE))

    recomputed, not_recomputed = replayed(tmp_path, SITE)
    assert [(one.request_id, one.now) for one in recomputed] == [("ours", None), ("ours again", None)]
    assert [one.why for one in not_recomputed] == [f"{OTHER_SERVICE}: nlr-risk"]


def test_replay_with_current_limits_leaves_other_services_out_too(tmp_path: Path) -> None:
    from cds_service.insight.sources.replay import NotRecomputed, replay

    write(tmp_path, ("other", OTHER))

    (found,) = replay(read_entries(tmp_path), {SITE.service.id: SITE}, current_limits=True)
    assert isinstance(found, NotRecomputed)


def test_replay_refuses_limits_of_a_later_version_that_it_would_not_apply(tmp_path: Path) -> None:
    write(tmp_path, ("later", replace(SITE, policy=LaterPolicy(ZONE))))

    recomputed, not_recomputed = replayed(tmp_path, SITE)
    assert recomputed == []
    assert [one.why for one in not_recomputed] == [f"{UNKNOWN_LIMIT}: follow_up_months"]


def test_replay_covers_views_and_says_of_refused_ones_that_nothing_was_decided(tmp_path: Path) -> None:
    write(tmp_path, ("hook", SITE))
    hook = next(entry.record for entry in read_entries(tmp_path) if isinstance(entry.record, HookRecord))
    members = msgspec.structs.asdict(hook)
    for name in ("hook_instance", "mode", "presentation"):
        del members[name]
    log = AuditLog(tmp_path, key=None, rotate_bytes=1 << 30)
    log.append(ViewRecord(**{**members, "request_id": "view", "shown": True}))
    log.append(ViewRecord(**{**members, "request_id": "turned", "outcome": "not-above-cutoff"}))
    log.append(ViewRecord(**{**members, "request_id": "refused", "outcome": "refused", "refused": "scope-missing"}))

    recomputed, not_recomputed = replayed(tmp_path, SITE)
    assert [(one.request_id, one.changed) for one in recomputed] == [
        ("hook", ()),
        ("view", ()),
        ("turned", ("outcome",)),
    ]
    assert len(not_recomputed) == 1
    assert verify_log(tmp_path).counts["view"] == 3


def test_every_hook_and_configuration_record_names_its_service(tmp_path: Path) -> None:
    write(tmp_path, ("ours", SITE), ("other", OTHER))

    lines = [line for path in sorted(tmp_path.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    members = [msgspec.json.decode(line) for line in lines]
    assert [(one["kind"], one["service"]) for one in members if one["kind"] in ("hook", "configuration")] == [
        ("configuration", "sii-recurrence-risk"),
        ("hook", "sii-recurrence-risk"),
        ("configuration", "nlr-risk"),
        ("hook", "nlr-risk"),
    ]
    records = [entry.record for entry in read_entries(tmp_path) if isinstance(entry.record, ConfigurationRecord)]
    assert [record.service for record in records] == ["sii-recurrence-risk", "nlr-risk"]
