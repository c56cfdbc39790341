"""Environment variables stand above the file."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from cds_service.settings import SettingsError, load_settings
from cds_service.settings.environment import VARIABLES

if TYPE_CHECKING:
    from tests.unit.settings.conftest import Load, Problems

OPEN = "authentication: {required: false}\nserver: {port: 1}\ncors: {origins: [https://a.example]}\n"


@pytest.mark.parametrize(
    ("name", "text", "section", "key", "value"),
    [
        ("SII_CDS__SERVER__PORT", "9000", "server", "port", 9000),
        ("SII_CDS__RULE__CUTOFF", "330.10", "rule", "cutoff", Decimal("330.10")),
        ("SII_CDS__SERVICE__PUBLIC_URL", "https://b.example", "service", "public_url", "https://b.example"),
        ("SII_CDS__CARDS__SHOW_INDETERMINATE", "false", "cards", "show_indeterminate", False),
        ("SII_CDS__NORMALIZATION__ACCEPT_STATUSES", "[final]", "normalization", "accept_statuses", ("final",)),
        ("SII_CDS__CORS__ORIGINS", "[]", "cors", "origins", ()),
        ("SII_CDS__ACQUISITION__PROXY", "", "acquisition", "proxy", None),
    ],
)
def test_variable_wins_over_the_file_and_is_named(
    load: Load, name: str, text: str, section: str, key: str, value: object
) -> None:
    settings = load(OPEN, {name: text, "PATH": "/bin"})
    assert getattr(getattr(settings, section), key) == value
    assert settings.origins[f"{section}.{key}"] == f"environment {name}"


def test_variable_alone_configures_without_a_file() -> None:
    settings = load_settings(None, {"SII_CDS__AUTHENTICATION__REQUIRED": "false"})
    assert settings.authentication.required is False
    assert settings.origins["server.port"] == "default"


def test_nothing_at_all_is_refused_without_a_position() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {})
    assert str(caught.value).startswith("(no configuration file): authentication.required: true needs")


def test_every_key_but_clients_has_a_variable() -> None:
    assert VARIABLES["SII_CDS__AUDIT__HMAC_KEY_FILE"] == ("audit", "hmac_key_file")
    assert not any("CLIENTS" in name for name in VARIABLES)


@pytest.mark.parametrize(
    ("name", "text", "line", "reason"),
    [
        ("SII_CDS__SERVER__PORT", "x", 'SII_CDS__SERVER__PORT: server.port: "x" is not a whole number', "type"),
        ("SII_CDS__SERVER__PORT", "", "SII_CDS__SERVER__PORT: server.port: is empty", "empty"),
        ("SII_CDS__SERVER__PORT", "70000", "SII_CDS__SERVER__PORT: server.port: must be at most 65535", "bound"),
        ("SII_CDS__SERVER__PORT", "[1", "SII_CDS__SERVER__PORT: server.port: the bracket", "syntax"),
        ("SII_CDS__SERVER__PORT", "{a: 1, a: 2}", "SII_CDS__SERVER__PORT: server.port.a: stands twice", "duplicate"),
        ("SII_CDS__SERVER__PORT", "a\udcff", "SII_CDS__SERVER__PORT: ", "bytes that are not UTF-8"),
        ("SII_CDS__CORS__ORIGINS", "['*']", 'SII_CDS__CORS__ORIGINS: cors.origins.0: "*" would open', "list item"),
        (
            "SII_CDS__SERVER__PROT",
            "1",
            'SII_CDS__SERVER__PROT: there is no such setting (did you mean "SII_CDS__SERVER__PORT"?)',
            "spelling",
        ),
        (
            "sii_cds__server__port",
            "1",
            'sii_cds__server__port: there is no such setting (did you mean "SII_CDS__SERVER__PORT"?)',
            "small letters",
        ),
        (
            "SII_CDS_SERVER__PORT",
            "1",
            'SII_CDS_SERVER__PORT: there is no such setting (did you mean "SII_CDS__SERVER__PORT"?)',
            "one underscore after the name",
        ),
        (
            "SII_CDS__SERVER_PORT",
            "1",
            'SII_CDS__SERVER_PORT: there is no such setting (did you mean "SII_CDS__SERVER__PORT"?)',
            "one underscore after the section",
        ),
        (
            "SII_CDS__CLIENTS__0__NAME",
            "a",
            "SII_CDS__CLIENTS__0__NAME: there is no such setting; write clients in the configuration file",
            "clients",
        ),
        ("SII_CDS__", "1", "SII_CDS__: there is no such setting", "prefix alone"),
    ],
)
def test_wrong_variable_is_refused_by_name(problems: Problems, name: str, text: str, line: str, reason: str) -> None:
    assert problems(OPEN, {name: text})[0].startswith(line), reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("SII_CDS_CONFIG", "names the file"),
        ("SII_CDS_SERVICE_HOST", "Kubernetes sets it for a service called sii-cds"),
        ("SII_CDS_SERVER_PORT", "Kubernetes sets it for a service called sii-cds-server"),
        ("SII_CDS_PORT_8080_TCP", "Kubernetes"),
        ("OTHER__SERVER__PORT", "another program"),
    ],
)
def test_variable_of_others_is_left_alone(load: Load, name: str, reason: str) -> None:
    assert load(OPEN, {name: "tcp://10.0.0.1:80"}).server.port == 1, reason


def test_variable_for_a_broken_section_leaves_the_error_of_the_file(problems: Problems) -> None:
    (line,) = problems("authentication: {required: false}\nserver: []\n", {"SII_CDS__SERVER__PORT": "1"})
    assert line.startswith("sii-cds.yaml:2:1: server: a list stands where keys are expected")


def test_variable_mends_a_wrong_value_of_the_file(load: Load) -> None:
    settings = load("authentication: {required: false}\nserver: {port: x}\n", {"SII_CDS__SERVER__PORT": "2"})
    assert settings.server.port == 2
