"""What one key demands of another, and what is allowed but warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.settings import settings_from_dict

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.settings.conftest import Load, Problems

URL = "service: {public_url: 'https://cds.site.example'}\n"
CLIENT = "{name: a, issuer: b, jwks_url: 'https://e.example/jwks', fhir_servers: ['https://e.example/r4']}"
CLOSED = f"{URL}clients: [{CLIENT}]\n"
OPEN = f"{URL}authentication: {{required: false}}\n"


@pytest.mark.parametrize(
    ("text", "lines", "reason"),
    [
        (
            "authentication:\n  required: true\n",
            [
                "sii-cds.yaml:2:3: authentication.required: true needs at least one client; add an entry under "
                '"clients" with the issuer and the keys of your EHR'
            ],
            "written",
        ),
        (
            "# nothing\n",
            [
                "sii-cds.yaml:1:1: authentication.required: true needs at least one client; add an entry under "
                '"clients" with the issuer and the keys of your EHR'
            ],
            "by default",
        ),
        (
            f"{OPEN}server: {{host: 0.0.0.0}}\n",
            [
                "sii-cds.yaml:2:18: authentication.required: false is accepted only when nobody but this machine can "
                'call; server.host is "0.0.0.0": set server.host to 127.0.0.1, or keep authentication on and add '
                'your EHR under "clients"'
            ],
            "open to the network",
        ),
        (
            f"{URL}clients:\n  - name: main\n    issuer: b\n",
            ['sii-cds.yaml:3:5: clients.0.jwks_file: the public keys of "main" are missing; set jwks_file or jwks_url'],
            "no keys",
        ),
        (
            f"{URL}clients: [{CLIENT}, {CLIENT}]\n",
            [
                'sii-cds.yaml:2:110: clients.1.name: "a" is the name of clients.0 already',
                'sii-cds.yaml:2:119: clients.1.issuer: "b" is the issuer of clients.0 already',
            ],
            "the same client twice",
        ),
        (
            f"{CLOSED}audit: {{pseudonymize_patient: true}}\n",
            ["sii-cds.yaml:3:9: audit.pseudonymize_patient: true needs audit.hmac_key_file, the key of the pseudonyms"],
            "a pseudonym without a key is a hash that anybody can guess",
        ),
    ],
)
def test_rule_between_keys_is_enforced(problems: Problems, text: str, lines: list[str], reason: str) -> None:
    assert problems(text) == lines, reason


def test_two_key_sources_are_refused(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text("{}")
    text = f"{URL}clients: [{{name: a, issuer: b, jwks_url: 'https://e.example/k', jku: ['https://e.example/k']}}]"
    assert problems(text) == [
        "sii-cds.yaml:2:65: clients.0.jku: jwks_url is set, and is the one jku that tokens may name; leave jku out"
    ]
    text = f"{URL}clients: [{{name: a, issuer: b, jwks_file: k.json, jwks_url: 'https://e.example/k'}}]"
    assert problems(text) == ["sii-cds.yaml:2:51: clients.0.jwks_url: jwks_file is set too; keep one of the two"]


def test_rule_is_not_asked_when_a_key_it_reads_is_wrong(problems: Problems) -> None:
    lines = problems("clients: [{name: a, isuer: b}]\nserver: {host: 0.0.0.0, port: x}\n")
    assert [line.split(": ")[1] for line in lines] == ["clients.0.issuer", "clients.0.isuer", "server.port"]


def test_rule_is_asked_when_another_key_is_wrong(problems: Problems) -> None:
    lines = problems("authentication: {required: false}\nserver: {host: 0.0.0.0, port: x}\n")
    assert [line.split(": ")[1] for line in lines] == ["authentication.required", "server.port"]


def test_settings_without_oddities_have_no_warning(load: Load) -> None:
    assert load(CLOSED).warnings == ()


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        (f"clients: [{CLIENT}]", "1:1: service.public_url: is the example address", "not set"),
        (OPEN, "2:18: authentication.required: false lets everybody on this machine call", "open"),
        (f"{CLOSED}rule: {{cutoff: 330}}", "3:8: rule.cutoff: 330 is not the published 405.08", "other cut-off"),
        (f"{OPEN}clients: [{{name: a, issuer: b}}]", 'clients.0.jwks_file: "a" has no keys', "keys come later"),
        (f"{OPEN}clients: [{{name: a, issuer: b}}]", 'no FHIR server is listed for "a"', "prefetch only"),
        (
            "authentication: {required: false}\nservice: {public_url: 'http://localhost:443'}",
            "service.public_url: begins with http://, and port 443 is the usual one of https",
            "scheme and port",
        ),
        (
            "authentication: {required: false}\nservice: {timezone: EST}",
            'service.timezone: "EST" is a clock without summer time',
            "half a year wrong in New York",
        ),
        (
            f"{OPEN}clients: [{{name: a, issuer: b, jwks_url: 'https://ehr.example:80/jwks'}}]",
            "clients.0.jwks_url: begins with https://, and port 80 is the usual one of http",
            "scheme and port",
        ),
        (
            f"{OPEN}clients: [{{name: a, issuer: b, fhir_servers: ['https://ehr.example:80/fhir']}}]",
            "clients.0.fhir_servers.0: begins with https://, and port 80 is the usual one of http",
            "scheme and port",
        ),
        (
            f"{URL}clients: [{CLIENT[:-1]}, open_fhir_server: true}}]",
            "clients.0.open_fhir_server: true fetches data without a token",
            "test systems",
        ),
    ],
)
def test_odd_configuration_is_accepted_with_a_warning(load: Load, text: str, words: str, reason: str) -> None:
    assert any(words in warning for warning in load(text).warnings), reason


@pytest.mark.parametrize("rule", ["{cutoff: 405.08}", "{cutoff: 405.080}", "{cutoff: 330, cutoff_source: own cohort}"])
def test_cutoff_that_fits_its_source_has_no_warning(load: Load, rule: str) -> None:
    assert load(f"{CLOSED}rule: {rule}").warnings == ()


@pytest.mark.parametrize(
    ("server", "hosts", "accepted", "reason"),
    [
        ("http://fhir:8080/fhir", "[fhir]", True, "a server inside a Compose network"),
        ("http://FHIR:8080/fhir", "[fhir]", True, "host names have no case"),
        ("http://fhir:8080/fhir", "[]", False, "none is named"),
        ("http://fhir.example/fhir", "[fhir]", False, "another host that begins alike"),
        ("http://127.0.0.1:8080/fhir", "[]", True, "loopback needs no name"),
        ("https://fhir.example/fhir", "[]", True, "https needs none either"),
    ],
)
def test_fhir_server_over_http_is_accepted_on_named_hosts_with_a_warning(
    load: Load, problems: Problems, server: str, hosts: str, accepted: bool, reason: str
) -> None:
    client = f"{{name: a, issuer: b, jwks_url: 'https://e.example/jwks', fhir_servers: ['{server}']}}"
    text = f"{URL}clients: [{client}]\nacquisition: {{allow_http_hosts: {hosts}}}\n"

    if accepted:
        assert load(text).clients[0].fhir_servers == (server,), reason
    else:
        assert ["http is accepted" in line for line in problems(text)] == [True], reason


def test_allowed_http_host_is_warned_about(tmp_path: Path) -> None:
    sections = {"authentication": {"required": False}, "acquisition": {"allow_http_hosts": ["fhir"]}}

    assert [warning for warning in settings_from_dict(sections, tmp_path).warnings if "in clear text" in warning]
