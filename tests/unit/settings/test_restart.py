"""A reload changes what it can, and nothing that goes with a key that waits for a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.settings import SettingsError, reloadable, restart_needed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.settings.conftest import Load

CLIENT = "clients: [{name: a, issuer: a, jwks_url: https://a.example/keys}]\n"
PUBLIC = CLIENT + 'server: {host: "10.0.0.1", port: 443}\n'


def test_restart_keys_stay_and_all_others_change(load: Load, tmp_path: Path) -> None:
    started = load(PUBLIC)
    wanted = load(
        CLIENT + "server: {host: 10.0.0.2, threads: 3, hook_deadline_seconds: 1.5}\n"
        "audit: {directory: other, values: false, rotate_bytes: 5}\nstate: {url: sqlite:///other.db}\n"
        "rule: {cutoff: 330, cutoff_source: ours}\n"
    )
    merged = reloadable(started, wanted)

    assert restart_needed(started, merged) == ()
    assert (merged.server.host, merged.server.threads, merged.server.port) == ("10.0.0.1", 16, 443)
    assert (merged.audit.directory, merged.audit.rotate_bytes) == (tmp_path / "audit", 268_435_456)
    assert merged.state.url == started.state.url
    assert (merged.server.hook_deadline_seconds, merged.audit.values, str(merged.rule.cutoff)) == (1.5, False, "330")
    assert merged.hash not in {started.hash, wanted.hash}, "it stands for what is in force"


def test_unchanged_restart_keys_leave_the_wanted_configuration_as_it_is(load: Load) -> None:
    wanted = load(PUBLIC + "rule: {cutoff: 330, cutoff_source: ours}\n")

    assert reloadable(load(PUBLIC), wanted).hash == wanted.hash


def test_authentication_is_not_turned_off_while_the_service_listens_to_others(load: Load) -> None:
    started = load(PUBLIC)
    wanted = load("server: {host: 127.0.0.1}\nauthentication: {required: false}\n")

    with pytest.raises(SettingsError) as caught:
        reloadable(started, wanted)
    (problem,) = caught.value.problems
    assert str(problem).startswith("before a restart: authentication.required: false is accepted only when")
