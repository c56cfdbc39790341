"""Files that hospital IT writes: configuration and overlays."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cds_service.settings import Settings, SettingsError, load_settings
from cds_service.settings.defaults import commented_defaults
from cds_service.settings.network import is_loopback
from cds_service.settings.overlays import load_site_mappings
from fhir_mappings import load_mappings
from fhir_mappings.validate import validate_rows
from tests.support.serve_command import TRIAL
from tests.unit.settings.overlay_files import CONCEPT_MAP, EXAMPLE, HEAD

_TRUSTED_SERVERS = ("https://", "http://127.", "http://localhost", "http://[::1]")


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sii-cds-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def configuration_seeds() -> list[bytes]:
    """Return configurations that pass, and wrong ones."""
    client = "clients: [{name: a, issuer: https://a.example, jwks_url: https://a.example/j, algorithms: [ES384]}]\n"
    wrong = ("rule: {cutof: 1}\n", "a: &a [*a]\n", "server: {port: 08}\n", "? [x]\n: y\n", "%YAML 1.1\n---\na: no\n")
    return [text.encode() for text in (commented_defaults(), TRIAL, client, TRIAL + client, *wrong)]


def check_configuration(data: bytes) -> None:
    """Load a configuration; one that loads keeps the rules of trust, one that does not says where it is wrong."""
    path = _folder() / "c.yaml"
    path.write_bytes(data)
    try:
        settings = load_settings(path, {})
    except SettingsError as error:
        _check_problems(error, path)
        return
    assert len(settings.hash) == 12
    keys = _plain_yaml(data)
    assert keys is None or set(keys) <= set(Settings.model_fields), "an unknown section was accepted"
    assert settings.authentication.required or is_loopback(settings.server.host)
    assert not settings.authentication.required or settings.clients
    for client in settings.clients:
        assert "none" not in client.algorithms
        assert not any(name.startswith("HS") for name in client.algorithms)
        assert all(str(server).startswith(_TRUSTED_SERVERS) for server in client.fhir_servers)
    assert load_settings(path, {}).hash == settings.hash


def _plain_yaml(data: bytes) -> dict[str, Any] | None:
    try:
        read = YAML(typ="safe", pure=True).load(data)
    except (YAMLError, ValueError, UnicodeError):
        return None
    return read if isinstance(read, dict) else {}


def _check_problems(error: SettingsError, path: Path) -> None:
    assert error.problems
    for problem in error.problems:
        text = str(problem)
        text.encode()
        assert text.startswith(str(path.parent))
        assert "\n" not in text


def overlay_seeds() -> list[bytes]:
    """Return the overlays of the documentation."""
    row = "laboratory_codes:\n  - {system: http://loinc.org, code: 9999-9, analyte: platelets, basis: count}\n"
    return [EXAMPLE.read_bytes(), CONCEPT_MAP.read_bytes(), HEAD.encode(), (HEAD + row).encode()]


def check_overlay(data: bytes) -> None:
    """Read an overlay; what comes out holds together, and nothing shipped changed its meaning unsaid."""
    path = _folder() / "o.yaml"
    path.write_bytes(data)
    shipped = load_mappings()
    try:
        found = load_site_mappings([path])
    except SettingsError as error:
        _check_problems(error, path)
        return
    validate_rows(found.rows)
    assert found.version != shipped.version
    for row in shipped.rows.units:
        assert found.units.exact[row.kind].get(row.spelling) == row.factor, "a shipped unit changed"
    for analyte, limits in shipped.plausible.items():
        assert found.plausible[analyte] == limits
