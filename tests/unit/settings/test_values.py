"""Which values are accepted, and in which words the others are refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cds_service.settings.models import Settings

if TYPE_CHECKING:
    from tests.unit.settings.conftest import Load, Problems

OPEN = "authentication: {required: false}\n"

ACCEPTED = [
    ("server: {port: 0}", "a free port"),
    ("server: {port: 65535}", "the last port"),
    ("server: {host: '::1'}", "IPv6"),
    ("server: {hook_deadline_seconds: 2}", "a whole number of seconds"),
    ("server: {hook_deadline_seconds: 0.05}", "part of a second"),
    ("rule: {cutoff: 330}", "a whole number"),
    ("rule: {cutoff: 1e3}", "an exponent"),
    ("rule: {cutoff_source: 'own cohort 2019-2024, n = 312'}", "a site names its study"),
    ("timing: {post_procedure_exclusion_days: 0}", "only day 0 is excluded"),
    ("timing: {max_age_days: 010}", "ten, by YAML 1.2"),
    ("eligibility: {minimum_age: 0}", "no lower limit"),
    ("normalization: {accept_statuses: [final]}", "stricter than the default"),
    ("service: {timezone: America/Argentina/Buenos_Aires}", "a zone of three parts"),
    ("service: {public_url: 'http://localhost:8080/'}", "http on loopback"),
    ("acquisition: {proxy: 'http://proxy.example:3128', ca_file: null}", "plain http to the proxy"),
    ("state: {url: 'postgresql+psycopg://cds@db.example/cds?passfile=/run/pgpass'}", "several hosts"),
    ("audit:\ncors:\nclients:\n", "sections whose keys are all commented out"),
    ("clients: [{name: a, issuer: b, mode: null, jwks_url: 'https://ehr.example/jwks?v=1'}]", "JWKS by URL"),
    ("clients: [{name: a, issuer: b, algorithms: [ES256, PS512, RS256]}]", "other asymmetric algorithms"),
]


@pytest.mark.parametrize(("text", "reason"), ACCEPTED)
def test_value_is_accepted(load: Load, text: str, reason: str) -> None:
    assert isinstance(load(OPEN + text), Settings), reason


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        ("server: {port: 65536}", "2:10: server.port: must be at most 65535, not 65536", "port"),
        ("server: {port: -1}", "2:10: server.port: must be at least 0, not -1", "port"),
        ("server: {port: '80'}", '2:10: server.port: "80" is text; write 80 without quotes', "quotes"),
        ("server: {port: 80.0}", "2:10: server.port: 80.0 is not a whole number", "point"),
        ("server: {port: 1e3}", "2:10: server.port: 1E+3 is not a whole number", "exponent"),
        ("server: {port: true}", "2:10: server.port: true is not a whole number", "boolean"),
        ("server: {port: 22:30}", '2:10: server.port: "22:30" is not a whole number', "base 60 is YAML 1.1"),
        ("server: {port: }", "2:10: server.port: is empty; write a value, or take the key out", "empty"),
        ("server: {host: 'http://a'}", "2:10: server.host: write an IP address or a host name", "URL"),
        ("server: {workers: 0}", "2:10: server.workers: must be at least 1, not 0", "no worker"),
        ("server: {hook_deadline_seconds: 0}", "server.hook_deadline_seconds: must be more than 0", "no time"),
        ("server: {hook_deadline_seconds: '2'}", '"2" is text; write 2 without quotes', "quotes"),
        ("authentication: {leeway_seconds: 301}", "authentication.leeway_seconds: must be at most 300", "leeway"),
        ("authentication: {max_lifetime_seconds: 3601}", "must be at most 3600, not 3601", "lifetime"),
        ("rule: {cutoff: 0}", "2:8: rule.cutoff: must be more than 0, not 0", "no cut-off"),
        ("rule: {cutoff: -405.08}", "2:8: rule.cutoff: must be more than 0, not -405.08", "sign"),
        ("rule: {cutoff: '405.08'}", '2:8: rule.cutoff: "405.08" is text; write 405.08 without quotes', "quotes"),
        (
            "rule: {cutoff: 405,08}",
            "2:20: rule.08: unknown key; a comma ends a value within braces: write decimals behind a point",
            "a comma ends a value inside braces",
        ),
        (
            "rule:\n  cutoff: 405,08",
            '3:3: rule.cutoff: "405,08" is not a number; decimals stand behind a point: write 405.08',
            "decimal comma",
        ),
        ("rule: {cutoff: .nan}", '2:8: rule.cutoff: ".nan" is not a number', "not a number"),
        ("rule: {cutoff: yes}", '2:8: rule.cutoff: "yes" is not a number', "word"),
        ("rule: {cutoff_source: ''}", "2:8: rule.cutoff_source: must not be empty", "empty"),
        ("eligibility: {mode: yes}", '2:15: eligibility.mode: "yes" is not one of required, assume', "yes"),
        ("cards: {show_indeterminate: yes}", '"yes" is neither true nor false; write true or false', "yes"),
        ("cards: {show_indeterminate: 1}", "1 is neither true nor false", "one is not true"),
        ("cards: []", '2:1: cards: a list stands where keys are expected; write "key: value" lines', "list"),
        ("cards: on", '2:1: cards: "on" stands where keys are expected', "word"),
        ("timing: {max_age_days: -1}", "2:10: timing.max_age_days: must be at least 0, not -1", "negative"),
        ("normalization: {accept_statuses: []}", "accept_statuses: needs at least one entry", "none"),
        ("normalization: {accept_statuses: final}", '"final" stands where a list is expected', "one word"),
        (
            "normalization: {accept_statuses: [final, preliminary]}",
            '2:42: normalization.accept_statuses.1: "prelim',
            "unverified results",
        ),
        (
            "service: {mode: slient}",
            '2:11: service.mode: "slient" is not one of active, silent (did you mean "silent"?)',
            "spelling",
        ),
        ("service: {language: de}", '2:11: service.language: "de" is not one of en, zh-Hans', "language"),
        ("service: {timezone: Europe/Berlim}", '(did you mean "Europe/Berlin"?)', "spelling"),
        ("service: {timezone: ../../etc/passwd}", "is not a time zone", "a path is no zone"),
        ("service: {timezone: localtime}", "is not a time zone", "depends on the machine"),
        ("service: {timezone: right/UTC}", "is not a time zone", "counts leap seconds"),
        ("service: {timezone: America}", "is not a time zone", "a directory"),
        ("service: {timezone: 2}", '2:11: service.timezone: 2 is not text; put it in quotes: "2"', "number"),
        ("service: {public_url: 'http://cds.example'}", "http is accepted on loopback only; use https", "no TLS"),
        ("service: {public_url: 'https://cds.example?x'}", "2:11: service.public_url: is used as the start", "query"),
        ("service: {public_url: cds.example}", "2:11: service.public_url: is not an absolute address", "no scheme"),
        ("acquisition: {strategy: serial}", '"serial" is not one of staged, parallel', "unknown strategy"),
        ("acquisition: {proxy: 'http://u:p@a'}", "acquisition.proxy: holds a user name or password", "secret"),
        ("acquisition: {ca_file: ca.pem}", "2:15: acquisition.ca_file: no such file: ", "absent file"),
        ("mappings: {overlays: [.]}", "2:23: mappings.overlays.0: is not a file: ", "directory"),
        ("mappings: {overlays: [5]}", "2:23: mappings.overlays.0: 5 is not the name of a file", "number"),
        ("audit: {directory: ''}", '2:9: audit.directory: "" is not the name of a file or directory', "empty"),
        ("audit: {hmac_key_file: key}", "2:9: audit.hmac_key_file: no such file: ", "absent file"),
        ("state: {url: state.db}", '2:9: state.url: write "sqlite:///FILE" or "postgresql://HOST/', "no URL"),
        ("state: {url: 'sqlite://'}", '2:9: state.url: write "sqlite:///FILE"', "memory of one process"),
        ("state: {url: 'sqlite:///:memory:'}", "2:9: state.url: must name a database file", "memory of one process"),
        ("state: {url: 'postgresql://u:p@h/db'}", "2:9: state.url: holds a password", "secret"),
        ("state: {url: 'postgresql://h/db?password=p'}", "2:9: state.url: holds a password", "secret"),
        ("cors: {origins: ['*']}", '2:18: cors.origins.0: "*" would open the service', "everybody"),
        (
            "clients: {name: a}",
            '2:11: clients: a dash is missing: an entry of a list begins with "- ", as in "- name: "',
            "not a list",
        ),
        ("clients: [a]", '2:11: clients.0: "a" stands where keys are expected', "not keys"),
        ("clients: [{name: a}]", "2:11: clients.0.issuer: this key is required", "no issuer"),
        ("clients: [{name: ' a', issuer: b}]", '2:12: clients.0.name: " a" must be one line', "space"),
        (
            "clients: [{name: a, issuer: b, algorithms: [HS256]}]",
            '2:45: clients.0.algorithms.0: "HS256" is not one of',
            "symmetric",
        ),
        ("clients: [{name: a, issuer: b, algorithms: [none]}]", '"none" is not one of ES256', "unsigned"),
        ("clients: [{name: a, issuer: b, algorithms: []}]", "clients.0.algorithms: needs at least one", "none"),
        (
            "clients: [{name: a, issuer: b, fhir_servers: ['http://a.example']}]",
            "2:47: clients.0.fhir_servers.0: http is accepted on loopback only, and on hosts of acquisition.",
            "no TLS",
        ),
        (
            "clients: [{name: a, issuer: b, jwks_url: 'file:///k'}]",
            "clients.0.jwks_url: is not an absolute",
            "file URL",
        ),
        (
            "clients: [{name: a, issuer: b, modus: silent}]",
            'clients.0.modus: unknown key (did you mean "mode"?)',
            "unknown",
        ),
        ("server: {prot: 1}", '2:10: server.prot: unknown key (did you mean "port"?)', "spelling"),
        ("port: 1", '2:1: port: unknown key (did you mean "server.port"?)', "key without its section"),
        ("rules: {cutoff: 1}", '2:1: rules: unknown key (did you mean "rule"?)', "section"),
        ("service: {cutoff: 1}", '2:11: service.cutoff: unknown key (did you mean "rule.cutoff"?)', "other section"),
        ("<<: {a: 1}", "2:1: <<: unknown key", "merge keys are YAML 1.1"),
    ],
)
def test_value_is_refused_with_position_and_sentence(problems: Problems, text: str, said: str, reason: str) -> None:
    lines = problems(f"{OPEN if not text.startswith('authentication') else '#' + chr(10)}{text}")
    assert any(said in line for line in lines), (reason, lines)


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        (
            "server:\n  port 80\naudit: {}",
            '3:3: server: a colon is missing after "port"; write "port: " before',
            "below",
        ),
        ("state:\n  url postgresql://u:p@h/d", "3:3: state: a colon is missing after", "the value is not repeated"),
        ("server: port 80", '2:1: server: "port 80" stands where keys are expected', "beside: the line has its colon"),
        ("clients:\n  - name a", '3:5: clients.0: a colon is missing after "name"; write "name: " before', "an entry"),
        (
            "clients:\n  -name: a\n  issuer: b",
            '3:3: clients: a space is missing after the dash; write "- name: "',
            "glued",
        ),
        ("clients:\n  name: a", '3:3: clients: a dash is missing: an entry of a list begins with "- "', "no dash"),
        ("server: {hook_deadline_seconds: 2s}", '"2s" is not a number; write the number alone, in the unit', "unit"),
        ("server: {max_request_bytes: 10 MB}", '"10 MB" is not a whole number; write the number alone', "unit"),
        ("server:\n  max_request_bytes: 10,485,760", "; write its digits without marks between them", "thousands"),
        ("server: {port: ８０８０}", '"８０８０" is not a whole number; write 8080 with plain digits', "input method"),
        ("rule:\n  cutoff: 1,000", "; write its digits without marks between them", "thousands, or decimals"),
        ("rule:\n  cutoff: 1.000,5", "; write its digits without marks between them", "both"),
        ("rule:\n  cutoff: -4,5", "; decimals stand behind a point: write -4.5", "sign"),
        ("server: {port: 22:30}", '"22:30" is not a whole number', "no number at all: no remedy"),
        (
            f"audit: {{hmac_key_file: {'0123456789abcdef' * 4}}}",
            "audit.hmac_key_file: no such file; write the name of the file that holds the key, not the key",
            "the key itself",
        ),
    ],
)
def test_usual_slip_is_answered_with_its_remedy(problems: Problems, text: str, said: str, reason: str) -> None:
    lines = problems(OPEN + text)
    assert any(said in line for line in lines), (reason, lines)
    assert not any("u:p@" in line or "0123456789" in line for line in lines), reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "service:\n  mode: silent\u00a0",
            "3:9: service.mode: holds a character that cannot be seen (U+00A0); type it anew",
        ),
        ("service:\n\u3000\u3000mode: silent", "3:1: holds a character that cannot be seen (U+3000); type it anew"),
    ],
)
def test_character_that_cannot_be_seen_is_one_problem(problems: Problems, text: str, said: str) -> None:
    assert problems(OPEN + text) == [f"sii-cds.yaml:{said}"]


PATH_KEYS = [
    "audit: {{directory: '{}'}}",
    "audit: {{hmac_key_file: '{}'}}",
    "acquisition: {{ca_file: '{}'}}",
    "mappings: {{overlays: ['{}']}}",
    "state: {{url: 'sqlite:///{}'}}",
    "clients: [{{name: a, issuer: b, jwks_file: '{}'}}]",
    "clients: [{{name: a, issuer: b, smart_app: {{client_id: c, private_key_file: '{}'}}}}]",
    "clients: [{{name: a, issuer: b, smart_app: {{client_id: c, client_secret_file: '{}'}}}}]",
]


@pytest.mark.skipif(os.name == "nt", reason="these are paths there")
@pytest.mark.parametrize("key", PATH_KEYS)
@pytest.mark.parametrize(
    ("path", "said"),
    [
        (r"C:\sii\x", "is a path of Windows, and this host has no drives; write one such as /var/lib/sii-cds"),
        ("d:/sii/x", "is a path of Windows, and this host has no drives"),
        (r"\\server\share\x", "is a path of Windows, and this host has no drives"),
        (r"audit\x", r'holds "\", which separates no directories on this host; write "/"'),
        ("~/x", 'starts with "~", which only a shell replaces; write the whole path'),
        ("${HOME}/x", 'starts with "$", which only a shell replaces'),
        ("ftp:///etc/x", "is an address, where the name of a file or directory belongs"),
    ],
)
def test_path_of_another_kind_of_host_is_told_as_one(problems: Problems, key: str, path: str, said: str) -> None:
    lines = problems(OPEN + key.format(path))
    assert any(said in line for line in lines), lines


def test_address_of_keys_under_jwks_file_is_sent_to_jwks_url(problems: Problems) -> None:
    lines = problems(f"{OPEN}clients: [{{name: a, issuer: b, jwks_file: 'https://u:p@ehr.example/jwks'}}]")
    assert lines[0].endswith(
        "clients.0.jwks_file: is an address, where the name of a file or directory belongs; write it under jwks_url"
    )
