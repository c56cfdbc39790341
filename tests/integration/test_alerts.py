"""Alert rules: Prometheus accepts them, each fires on what it is for, and none on a quiet day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.promtool import ALERTS, alerts, firing, promtool

if TYPE_CHECKING:
    from pathlib import Path

A, B = 'instance="a"', 'instance="b"'
WORKERS = f'sii_cds_workers{{{A},configuration="x",mappings="m"}}'
READ = "sii_cds_hook_duration_seconds"
HOOKS = f'sii_cds_hooks_total{{{A},client="ehr",outcome="%s"}}'
UPSTREAM = "sii_cds_upstream_duration_seconds"
SERVER = f'{A},server="https://ehr/fhir"'
REFUSED = "sii_cds_trust_refusals_total"

# Name, series of one sample a minute, when it must fire, and why that matters.
FIRING: list[tuple[str, dict[str, str], str, str]] = [
    ("SiiCdsDown", {f'up{{{A},job="sii-cds"}}': "0x10"}, "5m", "a host is gone"),
    ("SiiCdsNotReady", {f'sii_cds_ready{{{A},check="audit"}}': "1x5 0x10"}, "10m", "the disk is full"),
    ("SiiCdsDefect", {f'sii_cds_refusals_total{{{A},status="500"}}': "_x5 1x20", WORKERS: "2x30"}, "7m", "the first"),
    ("SiiCdsDefect", {f'sii_cds_refusals_total{{{A},status="500"}}': "4x30 5x10"}, "35m", "one more"),
    (
        "SiiCdsSlow",
        {f'{READ}_bucket{{{A},service="s",le="0.5"}}': "0+9x40", f'{READ}_count{{{A},service="s"}}': "0+10x40"},
        "35m",
        "one of ten is slow",
    ),
    (
        "SiiCdsDataUnavailable",
        {f'sii_cds_refusals_total{{{A},reason="data-unavailable"}}': "0+1x60", f"{READ}_count{{{A}}}": "0+10x60"},
        "50m",
        "a broken template",
    ),
    ("SiiCdsAuditClockInDoubt", {f"sii_cds_audit_clock_in_doubt{{{A}}}": "0x5 1x10"}, "7m", "a start in 2038"),
    ("SiiCdsAuditNotWritten", {f"sii_cds_audit_write_failures_total{{{A}}}": "0x5 1x10"}, "7m", "one record"),
    (
        "SiiCdsAuditSlow",
        {f"sii_cds_audit_write_seconds_total{{{A}}}": "0+10x40", f"sii_cds_audit_records_total{{{A}}}": "0+60x40"},
        "30m",
        "0.17 seconds each",
    ),
    (
        "SiiCdsIndeterminateOften",
        {HOOKS % "indeterminate": "0+2x120", HOOKS % "above-cutoff": "0+1x120"},
        "110m",
        "two of three without a decision",
    ),
    (
        "SiiCdsUnitsNotRead",
        {f'sii_cds_observations_excluded_total{{{A},client="ehr",reason="unit-unknown"}}': "0+1x120"},
        "90m",
        "a unit was changed",
    ),
    (
        "SiiCdsFhirServerFails",
        {
            f'sii_cds_upstream_failures_total{{{SERVER},reason="status-401"}}': "0+2x40",
            f"{UPSTREAM}_count{{{SERVER}}}": "0+10x40",
        },
        "20m",
        "a token without scopes",
    ),
    (
        "SiiCdsFhirServerFails",
        {
            f'sii_cds_upstream_failures_total{{{SERVER},reason="left-alone"}}': "0+2x40",
            f"{UPSTREAM}_count{{{SERVER}}}": "10x40",
        },
        "20m",
        "it is spared, so that nothing is asked any more",
    ),
    (
        "SiiCdsFhirServerSlow",
        {
            f'{UPSTREAM}_bucket{{{SERVER},le="0.5"}}': "0+8x40",
            f'{UPSTREAM}_bucket{{{SERVER},le="+Inf"}}': "0+10x40",
            f'{UPSTREAM}_bucket{{{SERVER},le="1.0"}}': "0+10x40",
        },
        "30m",
        "one of five above half a second",
    ),
    (
        "SiiCdsConfigurationRefused",
        {f"sii_cds_configuration_last_reload_successful{{{A}}}": "1x5 0x10"},
        "10m",
        "a typing error",
    ),
    (
        "SiiCdsWorkersDisagree",
        {WORKERS: "1x20", f'sii_cds_workers{{{A},configuration="y",mappings="m"}}': "1x20"},
        "10m",
        "one worker did not reload",
    ),
    (
        "SiiCdsHostsDisagree",
        {WORKERS: "2x60", f'sii_cds_workers{{{B},configuration="x",mappings="n"}}': "2x60"},
        "45m",
        "another overlay on the other host",
    ),
    ("SiiCdsWorkerDied", {f"sii_cds_worker_starts_total{{{A}}}": "2x30 3x10"}, "35m", "killed for its memory"),
    ("SiiCdsTokensRefused", {f'{REFUSED}{{{A},client="ehr",reason="expired"}}': "0+6x40"}, "30m", "its clock is wrong"),
    ("SiiCdsTokenReplayed", {f'{REFUSED}{{{A},client="ehr",reason="replayed"}}': "_x5 1x20"}, "7m", "the first"),
    (
        "SiiCdsTokenReplayed",
        {f'{REFUSED}{{{A},client="ehr",reason="replayed"}}': "5x20 0x5 1x20"},
        "27m",
        "the first after a restart",
    ),
    (
        "SiiCdsAddressLimited",
        {f'sii_cds_limited_addresses_total{{{A},client=""}}': "_x5 1x20", WORKERS: "2x30"},
        "7m",
        "the first",
    ),
    (
        "SiiCdsKeysNotRead",
        {
            f'sii_cds_key_set_reads_total{{{A},client="ehr",result="failed"}}': "0+1x90",
            f'sii_cds_key_set_reads_total{{{A},client="ehr",result="usable"}}': "3x90",
        },
        "60m",
        "the key server is gone",
    ),
    (
        "SiiCdsKeysNotRead",
        {
            f'sii_cds_key_set_reads_total{{{A},client="ehr",result="failed"}}': "_x40 1x60",
            f'sii_cds_key_set_reads_total{{{A},client="ehr",result="usable"}}': "1x100",
        },
        "60m",
        "a key file was read once and not again until it changes",
    ),
    (
        "SiiCdsKeysNotRead",
        {
            f'sii_cds_key_set_reads_total{{{A},client="ehr",result="failed"}}': "0+1x60 0+1x60",
            f'sii_cds_key_set_reads_total{{{A},client="ehr",result="usable"}}': "3x60 _x60",
        },
        "85m",
        "restarted during the outage: the counter begins anew",
    ),
]

QUIET = {
    f'up{{{A},job="sii-cds"}}': "1x300",
    f'sii_cds_ready{{{A},check="audit"}}': "1x300",
    f'sii_cds_refusals_total{{{A},status="500",reason="defect"}}': "3x300",
    f'sii_cds_refusals_total{{{A},status="412",reason="data-unavailable"}}': "0+1x300",
    f'{READ}_bucket{{{A},service="s",le="0.5"}}': "0+100x300",
    f'{READ}_count{{{A},service="s"}}': "0+100x300",
    HOOKS % "indeterminate": "0+5x300",
    HOOKS % "above-cutoff": "0+20x300",
    f"sii_cds_audit_write_failures_total{{{A}}}": "2x300",
    f"sii_cds_audit_clock_in_doubt{{{A}}}": "0x300",
    f"sii_cds_audit_write_seconds_total{{{A}}}": "0+0.2x300",
    f"sii_cds_audit_records_total{{{A}}}": "0+100x300",
    f'sii_cds_observations_excluded_total{{{A},client="ehr",reason="comparator"}}': "0+10x300",
    f'sii_cds_upstream_failures_total{{{SERVER},reason="given-up"}}': "0+50x300",
    f'{UPSTREAM}_bucket{{{SERVER},le="0.5"}}': "0+100x300",
    f'{UPSTREAM}_bucket{{{SERVER},le="+Inf"}}': "0+100x300",
    f"{UPSTREAM}_count{{{SERVER}}}": "0+100x300",
    f"sii_cds_configuration_last_reload_successful{{{A}}}": "1x300",
    WORKERS: "2x300",
    # Restarted: fewer starts than before.
    f"sii_cds_worker_starts_total{{{A}}}": "3x150 2x150",
    f'{REFUSED}{{{A},client="",reason="not-a-bearer-token"}}': "0+30x300",
    f'{REFUSED}{{{A},client="ehr",reason="replayed"}}': "1x300",
    f'{REFUSED}{{{A},client="client-test",reason="replayed"}}': "0+1x300",
    f'sii_cds_key_set_reads_total{{{A},client="ehr",result="failed"}}': "0+1x300",
    f'sii_cds_key_set_reads_total{{{A},client="ehr",result="usable"}}': "0+5x300",
}


def test_rules_are_accepted_by_prometheus() -> None:
    answer = promtool("check", "rules", ALERTS)

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(("name", "series", "at", "reason"), FIRING, ids=[f"{c[0]}-{c[3]}" for c in FIRING])
def test_alert_fires_on_what_it_is_for(tmp_path: Path, name: str, series: dict[str, str], at: str, reason: str) -> None:
    assert name in firing(tmp_path, series, at), reason


def test_alert_on_an_ehr_that_fell_silent_compares_with_a_week_ago(tmp_path: Path) -> None:
    # A sample in ten minutes: a week of hooks, then none.
    series = {HOOKS % "not-eligible": "0+10x1008 10080x30"}

    assert firing(tmp_path, series, "172h", "10m") == {"SiiCdsEhrStoppedCalling"}
    assert firing(tmp_path, series, "167h", "10m") == set()


def test_every_alert_has_a_case_that_fires() -> None:
    assert {case[0] for case in FIRING} | {"SiiCdsEhrStoppedCalling"} == set(alerts())


@pytest.mark.parametrize("at", ["30m", "100m", "160m", "290m"])
def test_no_alert_fires_on_a_quiet_day(tmp_path: Path, at: str) -> None:
    heartbeat = f'sii_cds_ready{{{B},check="state"}}'
    # One known alert, so that a silent checker is not taken for a quiet day.
    assert firing(tmp_path, QUIET | {heartbeat: "0x300"}, at) == {"SiiCdsNotReady"}


def test_alerts_say_what_to_do_and_how_urgent_it_is() -> None:
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in {"page", "ticket"}, name
        assert set(rule["annotations"]) == {"summary", "description"}, name
        assert len(rule["annotations"]["description"]) > 40, name
