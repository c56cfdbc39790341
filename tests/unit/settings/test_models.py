"""Keys, defaults and marks of every section."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic
import pytest

from cds_service.cards.wording import LANGUAGES
from cds_service.settings import RESTART_KEYS, restart_needed, settings_from_dict
from cds_service.settings.models import SECTIONS, ClientSettings, Settings
from cds_service.settings.section import Content, SettingsSection

if TYPE_CHECKING:
    from tests.unit.settings.conftest import Load

FIXTURES = Path(__file__).parents[2] / "fixtures"
OPEN = "authentication: {required: false}\n"

# The contract: every key of a section and its default. None of them may be dropped or renamed.
DEFAULTS: dict[str, dict[str, object]] = {
    "service": {
        "public_url": "https://cds.hospital.example",
        "mode": "active",
        "language": "en",
        "accept_unreviewed_language": False,
        "timezone": "UTC",
    },
    "server": {
        "host": "127.0.0.1",
        "port": 8080,
        "workers": 2,
        "threads": 16,
        "max_request_bytes": 10485760,
        "hook_deadline_seconds": 2.0,
        "trusted_proxies": (),
    },
    "authentication": {"required": True, "leeway_seconds": 60, "max_lifetime_seconds": 900},
    "rule": {"cutoff": Decimal("405.08"), "cutoff_source": "published"},
    "eligibility": {"mode": "required", "minimum_age": 18},
    "timing": {
        "post_procedure_exclusion_days": 27,
        "baseline_window_days": 30,
        "max_age_days": 90,
        "same_draw_minutes": 60,
        "albumin_window_days": 7,
        "follow_up_years": 5,
    },
    "normalization": {"accept_statuses": ("final", "amended", "corrected")},
    "cards": {
        "show_not_above_cutoff": False,
        "show_baseline_above": True,
        "show_indeterminate": True,
        "detail": "short",
        "snooze_hours": 0,
        "snooze_unless_sii_rises_percent": 25,
        "assessment_extension": True,
    },
    "mappings": {"overlays": ()},
    "acquisition": {
        "strategy": "staged",
        "connect_timeout_seconds": 0.5,
        "allow_http_hosts": (),
        "max_pages": 10,
        "max_entries": 5_000,
        "max_response_bytes": 20971520,
        "ca_file": None,
        "proxy": None,
    },
    "audit": {
        "directory": "BASE/audit",
        "feedback_comments": False,
        "values": True,
        "on_failure": "refuse",
        "hmac_key_file": None,
        "pseudonymize_patient": False,
        "rotate_bytes": 268435456,
        "retention_days": 2200,
    },
    "state": {"url": "sqlite:///BASE/state.db"},
    "cors": {"origins": ()},
}
CLIENT_DEFAULTS = {
    "name": "a",
    "issuer": "b",
    "jwks_file": None,
    "jwks_url": None,
    "jku": (),
    "smart_app": None,
    "algorithms": ("ES384", "RS384"),
    "audiences": (),
    "tenants": (),
    "fhir_servers": (),
    "mode": None,
    "language": None,
    "open_fhir_server": False,
}


def test_sections_are_the_documented_ones() -> None:
    assert set(SECTIONS) == set(DEFAULTS)
    assert set(Settings.model_fields) == {*DEFAULTS, "clients"}


@pytest.mark.parametrize("section", [name for name in DEFAULTS if name != "authentication"])
def test_section_left_out_has_the_documented_keys_and_defaults(section: str, tmp_path: Path) -> None:
    settings = settings_from_dict({"authentication": {"required": False}}, tmp_path)
    values = {
        key: str(value).replace(str(tmp_path), "BASE") if key in ("directory", "url") else value
        for key, value in getattr(settings, section)
    }
    assert values == DEFAULTS[section]


def test_authentication_defaults_are_strict() -> None:
    fields = SECTIONS["authentication"].model_fields
    assert {key: field.default for key, field in fields.items()} == DEFAULTS["authentication"]


def test_client_has_the_documented_keys_and_defaults(load: Load) -> None:
    (client,) = load(f"{OPEN}clients: [{{name: a, issuer: b}}]").clients
    assert dict(client) == CLIENT_DEFAULTS


@pytest.mark.parametrize(
    ("section", "content"),
    [(name, Content.CLINICAL) for name in ("rule", "eligibility", "timing", "normalization", "cards", "mappings")]
    + [
        (name, Content.OPERATIONS)
        for name in ("service", "server", "authentication", "acquisition", "audit", "state", "cors")
    ],
)
def test_section_says_who_approves_it(section: str, content: Content) -> None:
    assert SECTIONS[section].content is content


def test_every_key_is_described() -> None:
    models: tuple[type[SettingsSection], ...] = (*SECTIONS.values(), ClientSettings)
    assert [key for model in models for key, field in model.model_fields.items() if not field.description] == []


def test_hash_once_computed_changes_nothing_of_the_values(load: Load) -> None:
    settings = load(OPEN)
    before = tuple(settings.effective_values())
    first = settings.hash
    assert tuple(settings.effective_values()) == before
    assert restart_needed(settings, settings) == ()
    assert load(OPEN).hash == first


def test_settings_are_frozen(load: Load) -> None:
    with pytest.raises(pydantic.ValidationError):
        load(OPEN).server.port = 1


def test_languages_are_those_of_the_cards() -> None:
    assert LANGUAGES == ("en", "zh-Hans")


def test_restart_keys_are_listen_address_workers_and_directories() -> None:
    assert RESTART_KEYS == (
        "server.host",
        "server.port",
        "server.workers",
        "server.threads",
        "server.max_request_bytes",
        "audit.directory",
        "audit.hmac_key_file",
        "audit.rotate_bytes",
        "audit.retention_days",
        "state.url",
    )


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        ("", (), "nothing changed"),
        ("rule: {cutoff: 330}", (), "clinical content changes in place"),
        ("service: {mode: silent}", (), "the mode changes in place"),
        ("server: {port: 1, workers: 1}", ("server.port", "server.workers"), "listen address and workers"),
        ("audit: {directory: other}", ("audit.directory",), "a directory"),
    ],
)
def test_restart_needed_names_the_changed_restart_keys(
    load: Load, text: str, keys: tuple[str, ...], reason: str
) -> None:
    assert restart_needed(load(OPEN), load(OPEN + text)) == keys, reason


def test_files_are_those_that_a_reload_reads_again(tmp_path: Path, load: Load) -> None:
    example = FIXTURES / "overlays" / "site-codes.yaml"
    for name in ("ca.pem", "keys.json", "key"):
        (tmp_path / name).write_text("00" * 32)
    settings = load(
        "clients:\n"
        "  - {name: a, issuer: a, jwks_file: keys.json}\n"
        "  - {name: b, issuer: b, jwks_url: https://b.example/keys}\n"
        "acquisition: {ca_file: ca.pem}\n"
        "audit: {hmac_key_file: key}\n"
        f"mappings: {{overlays: [{example}]}}\n"
    )

    assert settings.files == (example, tmp_path / "keys.json", tmp_path / "ca.pem"), (
        "the key of the chain needs a restart"
    )
