"""The commented default file is written from the definitions that check a file."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cds_service.settings.defaults import commented_defaults, yaml_text
from cds_service.settings.models import SECTIONS, ClientSettings
from cds_service.settings.yaml_source import plain_scalar

if TYPE_CHECKING:
    from cds_service.settings.section import SettingsSection
    from tests.unit.settings.conftest import Load

OPEN = "authentication: {required: false}\n"


def entry_uncommented(text: str) -> str:
    """Take the first character off each line of the client example, as its comment says."""
    return "\n".join(line[1:] if line.startswith("#  ") else line for line in text.splitlines())


def test_default_file_passes_the_check_with_warnings(load: Load) -> None:
    settings = load(commented_defaults())
    assert settings.authentication.required is False
    assert all("authentication.required" in warning for warning in settings.warnings)


def test_default_file_changes_nothing_but_the_keys_of_a_first_try(load: Load) -> None:
    written = dict(load(commented_defaults()).effective_values())
    built_in = dict(load(OPEN).effective_values())
    assert [path for path in written if written[path] != built_in[path]] == [("service", "public_url")]


def test_default_file_names_every_key_with_a_comment_above() -> None:
    lines = entry_uncommented(commented_defaults()).splitlines()
    models: tuple[type[SettingsSection], ...] = (*SECTIONS.values(), ClientSettings)
    for model in models:
        for key in model.model_fields:
            at = next(index for index, line in enumerate(lines) if re.match(rf" +(- )?{key}: ", line))
            assert lines[at - 1].lstrip().startswith("# "), key


def test_client_example_of_the_default_file_is_an_entry(load: Load, tmp_path: Path) -> None:
    (tmp_path / "ehr-jwks.json").write_text("{}")
    text = entry_uncommented(commented_defaults()).replace("required: false", "required: true")
    (client,) = load(text).clients
    assert client.name == "main-ehr"
    assert client.fhir_servers == ("https://ehr.hospital.example/fhir/r4",)


def test_default_file_says_who_approves_and_what_needs_a_restart() -> None:
    text = commented_defaults()
    assert "# Clinical content. The cut-off that SII is compared with.\nrule:" in text
    assert "Needs a restart.\n  port: 8080" in text
    assert "Needs a restart.\n  cutoff" not in text


@pytest.mark.parametrize(
    ("value", "text", "reason"),
    [
        (Decimal("405.080"), "405.08", "exact"),
        (Decimal(1000), "1000", "no exponent"),
        (2.0, "2.0", "number"),
        (True, "true", "boolean"),
        (None, "null", "nothing"),
        (("a", "b"), "[a, b]", "list"),
        ((), "[]", "no entry"),
        ("127.0.0.1", "127.0.0.1", "an address needs no quotes"),
        ("8080", '"8080"', "text that looks like a number"),
        ("true", '"true"', "text that looks like a boolean"),
        ("a: b", '"a: b"', "text that looks like a key"),
        ("", '""', "empty text"),
        ("Zürich", '"Zürich"', "readable as it is"),
        (Path("/var/lib"), "/var/lib", "path"),
    ],
)
def test_yaml_text(value: object, text: str, reason: str) -> None:
    assert yaml_text(value) == text, reason
    if isinstance(value, str) and not text.startswith('"'):
        assert plain_scalar(text) == value
