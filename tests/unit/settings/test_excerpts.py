"""The line below a problem: where the caret stands, what is cut, and what is never shown."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.settings import SettingsError, load_settings
from cds_service.settings.errors import Place, Problem
from cds_service.settings.excerpts import SourceLine, excerpt, may_hold_secret

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "column", "shown", "caret", "reason"),
    [
        ("a: x", 1, "  7 | a: x", "    | ^", "the first column"),
        ("  port: x", 3, "  7 |   port: x", "    |   ^", "indented"),
        ("\tport: x", 2, "  7 |     port: x", "    |     ^", "a tab is four columns wide"),
        ("名称: x y", 5, "  7 | 名称: x y", "    |       ^", "wide characters take two columns"),
        ("e\u0301: xy", 5, "  7 | e\u0301: xy", "    |    ^", "a combining accent takes none"),
        ("a: \x1b[31mx", 4, "  7 | a: ?[31mx", "    |    ^", "nothing that a terminal obeys"),
        ("a: \u202ex", 4, "  7 | a: ?x", "    |    ^", "nothing that turns a line around"),
        ("a: x", 9, "  7 | a: x", "    |     ^", "behind the end"),
        ("", 1, "  7 |", "    | ^", "an empty line"),
    ],
)
def test_excerpt_has_its_caret_under_the_place(text: str, column: int, shown: str, caret: str, reason: str) -> None:
    assert excerpt(SourceLine(text, 7, column)) == (shown, caret), reason


def test_excerpt_of_a_number_of_three_digits_keeps_the_caret_in_line() -> None:
    assert excerpt(SourceLine("a: x", 120, 4)) == ("  120 | a: x", "      |    ^")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    st.integers(min_value=1, max_value=400),
)
def test_excerpt_is_two_short_lines_and_its_caret_is_within_the_first(text: str, column: int) -> None:
    shown, caret = excerpt(SourceLine(text, 1, column))
    assert all(character.isprintable() for character in shown + caret)
    assert _columns(shown) <= 6 + 100
    assert len(caret) <= 6 + 61
    assert caret.endswith("^")


def _columns(text: str) -> int:
    drawn = (character for character in text if unicodedata.category(character) not in {"Mn", "Me"})
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in drawn)


def test_excerpt_of_a_long_line_is_cut_on_both_sides_of_the_place() -> None:
    shown, caret = excerpt(SourceLine(f"{'a' * 5000}X{'b' * 5000}", 1, 5001))
    assert shown.startswith("  1 | …a")
    assert shown.endswith("b…")
    assert shown[caret.index("^")] == "X"


SECRET_LINES = [
    ("  url: postgresql://cds:hunter2@db/cds", "user and password"),
    ("  proxy: http://cds@proxy:3128", "a user name alone"),
    ("  proxy: http:/cds:hunter2@proxy", "an address with a slip of the pen"),
    ("  url: 'postgresql://db/cds?password=hunter2'", "a parameter"),
    ("  password: hunter2", "a key of that name"),
    ("  client_secret: hunter2", "the secret where its file belongs"),
    ("  hmac_key: hunter2", "the key where its file belongs"),
    ("  password hunter2", "the colon is missing"),
    ("  Passwort = hunter2", "another language, another mark"),
    ("  密码：hunter2", "and another"),
    ('  "token": "hunter2"', "JSON"),
    ("  -----BEGIN EC PRIVATE KEY-----", "a private key"),
    ("  hmac_key_file: 6f1c0e5a9b7d4c3f8a2e1d0b5c4f7a9e", "a key that nobody called one"),
    ("  x: eyJhbGciOiJFUzM4NCIsImtpZCI6ImsxIn0.eyJpc3MiOiJhIn0.c2ln", "a token"),
]


@pytest.mark.parametrize(("line", "reason"), SECRET_LINES)
def test_line_that_may_hold_a_secret_is_not_shown(line: str, reason: str) -> None:
    assert Problem(Place.in_file("f", SourceLine(line, 1, 3)), "a", "is wrong").excerpt == (), reason


@pytest.mark.parametrize(
    "line",
    [
        "  client_secret_file: ehr.secret",
        "  hmac_key_file: audit.key",
        "  authentication: client_secret_basic",
        "  public_url: https://cds.hospital.example:8443/sii",
        "  approved_by: Dr. A. Lee (a.lee@hospital.example)",
        "  jwks_url: https://ehr.hospital.example/.well-known/jwks.json",
    ],
)
def test_line_without_secret_is_shown(line: str) -> None:
    assert Problem(Place.in_file("f", SourceLine(line, 1, 3)), "a", "is wrong").excerpt[0] == f"  1 | {line}"


def test_value_of_the_environment_is_not_shown() -> None:
    assert Problem(Place.in_environment("SII_CDS__SERVER__PORT"), "server.port", "is wrong").excerpt == ()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"resourceType": "Patient",\n "birthDate": "1960-01-01"}', [(), ()]),
        ('{"resourceType": "ConceptMap",\n "x": 1', [('  1 | {"resourceType": "ConceptMap",', "    | ^")]),
    ],
    ids=["a resource that may be a patient's", "an overlay"],
)
def test_resource_that_was_named_by_mistake_shows_no_line(
    text: str, lines: list[tuple[str, ...]], tmp_path: Path
) -> None:
    file = tmp_path / "sii-cds.yaml"
    file.write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_settings(file, {"SII_CDS__AUTHENTICATION__REQUIRED": "false"})

    assert [problem.excerpt for problem in caught.value.problems] == lines


def test_key_that_may_be_a_secret_is_not_named() -> None:
    line = str(Problem(Place("f:1:1", "f:1"), "clients.0.jwks_url:https://u:hunter2@h", "unknown key"))
    assert line == "f:1:1: (a key that is not shown): unknown key"


@pytest.mark.parametrize("line", ["/" * 200_000, ":" * 200_000, "BEGIN " * 40_000, "a" * 200_000, "key " * 50_000])
@pytest.mark.timeout(10)
def test_secrets_of_a_long_line_are_looked_for_in_one_pass(line: str) -> None:
    assert may_hold_secret(line) == (line.startswith("key"))
