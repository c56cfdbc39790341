"""Texts that are no YAML: each is reported on the line that is to be mended, with its remedy."""

from __future__ import annotations

import pytest

from cds_service.settings.errors import SettingsError
from cds_service.settings.yaml_source import parse_document

MISSING = 'a colon is missing after "{}"; write "{}:"'
MISSING_BEFORE_VALUE = 'a colon is missing after "{}"; write "{}: " before the value'


def the_problem(text: str) -> str:
    """Give the one error line of a text that is no YAML."""
    with pytest.raises(SettingsError) as caught:
        parse_document(text, "f")
    (problem,) = caught.value.problems
    return str(problem).removeprefix("f:")


@pytest.mark.parametrize(
    ("text", "place", "key", "reason"),
    [
        ("service:\n  mode: silent\nserver\n  port: 1\n", "3:1", "server", "a section, noticed two lines below"),
        ("service: {}\nserver\n", "2:1", "server", "the last line"),
        ("server\n  port: 1\n", "1:1", "server", "the first line"),
        ("# words\n\nserver # words\n  port: 1\n", "3:1", "server", "comments and blank lines"),
        ("server\n\n# words\n  port: 1\n", "1:1", "server", "noticed after a comment"),
        ("server\r\n  port: 1\r\n", "1:1", "server", "lines of Windows"),
        ("a\n b\n c: 1\n", "1:1", "a", "two in a row: the first one first"),
        ("clients:\n  - name\n    issuer: b\n", "2:5", "name", "an entry of a list"),
    ],
)
def test_missing_colon_of_a_section_is_reported_on_its_own_line(text: str, place: str, key: str, reason: str) -> None:
    assert the_problem(text) == f"{place}: {MISSING.format(key, key)}", reason


@pytest.mark.parametrize(
    ("text", "place", "key", "reason"),
    [
        ("server:\n  port 8000\n  host: x\n", "2:3", "port", "the first key"),
        ("server:\n  host: x\n  port 8000\n  workers: 2\n", "3:3", "port", "between two"),
        ("server:\n  host: x\n  port 8000\naudit: {}\n", "3:3", "port", "the last of its section"),
        ("server:\n  host: x\n  port 8000", "3:3", "port", "the last of the file"),
        ("clients:\n  - name a\n    issuer: b\n", "2:5", "name", "an entry of a list"),
        ("clients:\n  - name: a\n    issuer b\n    mode: x\n", "3:5", "issuer", "within an entry"),
        ("state:\n  url postgresql://u:hunter2@h/d\n  x: 1\n", "2:3", "url", "the value is not repeated"),
    ],
)
def test_missing_colon_of_a_key_is_reported_on_its_own_line(text: str, place: str, key: str, reason: str) -> None:
    assert the_problem(text) == f"{place}: {MISSING_BEFORE_VALUE.format(key, key)}", reason


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        ("server:\n  port:80\n  host: x\n", '2:3: a space is missing after the colon; write "port: " before', "glued"),
        ("server:\n  port = 80\n  host: x\n", '2:3: an equals sign stands where a colon belongs; write "port: "', "="),
        ("server：\n  port: 1\n", '1:1: a full-width colon stands here; write "server: "', "an input method"),
        ("clients:\n  - name: a\n  -name: b\n", '3:3: a space is missing after the dash; write "- name: "', "2nd dash"),
        ("clients:\n  -name: a\n   issuer: b\n", '2:3: a space is missing after the dash; write "- name: "', "dash"),
        (
            "hunter2/x\n  port: 1\n",
            '2:7: a colon stands where none may; put text that holds ": " in',
            "no key: not named",
        ),
    ],
)
def test_colon_that_stands_otherwise_is_told_as_what_it_is(text: str, said: str, reason: str) -> None:
    assert the_problem(text).startswith(said), reason


LIKE_PORT = 'begin this line in column 3 like "port" above'


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        ("server:\n  port: 1\n    host: x\n", f"3:5: {LIKE_PORT}", "too far"),
        ("server:\n  port: 1\n   host: x\n", f"3:4: {LIKE_PORT}", "too far by one"),
        ("server:\n  port: 1 # words\n    host: x\n", f"3:5: {LIKE_PORT}", "a comment between"),
        ("server:\n  port: '1'\n    host: x\n", f"3:5: {LIKE_PORT}", "quotes between"),
        ("server:\n  port: 1\n\n    host: x\n", f"4:5: {LIKE_PORT}", "a blank line between"),
        (
            "server:\n    port: 1\n  host: x\n",
            '3:3: begin this line in column 5 like "port" above, or in column 1 like "server" above',
            "not far enough",
        ),
        (
            "a: 1\nserver:\n  port: 1\n audit:\n  values: true\n",
            '4:2: begin this line in column 3 like "port" above, or in column 1 like "server" above',
            "a section",
        ),
        (" server:\n  port: 1\naudit: {}\n", "1:2: the first key is indented; begin it in column 1", "the first line"),
        (
            "clients:\n  - name: a\n     issuer: b\n",
            '3:6: begin this line in column 5 like "name" above',
            "in an entry",
        ),
        (
            "clients:\n  - name: a\n   issuer: b\n",
            '3:4: begin this line in column 5 like "name" above, or in column 1 like "clients" above',
            "between dash and key",
        ),
        (
            "clients:\n  - name: a\n  issuer: b\n",
            '3:3: begin this key in column 5 like "name" above, or with "- " where it begins an entry of the list',
            "below the dash",
        ),
        ("clients:\n  - name: a\n    - name: b\n", "3:5: begin this line in column 3 like the dash above", "a dash"),
        ("clients:\n    - name: a\n  - name: b\n", "3:3: begin this line in column 5 like the dash above", "a dash"),
    ],
)
def test_wrong_indentation_is_told_with_the_columns_that_fit(text: str, said: str, reason: str) -> None:
    place, _, columns = said.partition(" ")
    assert the_problem(text).startswith(f"{place} wrong indentation: {columns}"), reason


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        (
            "cors:\n  origins: [a, b\nstate:\n  url: x\n",
            '2:12: the bracket "[" opened here is not closed',
            "noticed below",
        ),
        ("server: {port: 1\naudit: {}\n", '1:9: the bracket "{" opened here is not closed', "noticed below"),
        ("server: {port: 1 host: x}\n", "1:22: a comma is missing before this place", "on one line"),
        ("a: 'it's'\n", "1:8: text follows where the value is complete; check quotes", "quotes within quotes"),
        ("a: @x\n", "1:4: text that starts with @ needs quotes", "a sign of its own"),
        ("a: %x\n", "1:4: text that starts with % needs quotes", "a sign of its own"),
        ("a: &\n", "1:5: text that starts with & or * needs quotes", "an anchor"),
        ("a: |x\n", "1:5: text that starts with | or > needs quotes", "a text of several lines"),
        (
            'a: "C:\\sii"\n',
            '1:4: within double quotes "\\" begins an escape; put this text in single',
            "a path of Windows",
        ),
        ('a: "C:\\users"\n', '1:4: within double quotes "\\" begins an escape', "half an escape"),
        ("a: |x y\n", "1:5: text that starts with | or > needs quotes", "a text of several lines"),
        ("a: , b\n", "1:4: a value is expected here; check commas, dashes and brackets", "a comma too many"),
        ("a:\n  - b: 1\n  --  c: 1\n", "3:3: wrong indentation: begin this line like those above", "two dashes"),
        ("a: - b\n", '1:4: a list begins on a line of its own; put "- " on the next line', "a dash behind a key"),
        ("[service]\nmode = silent\n", "1:1: this is the form of an INI file", "INI"),
    ],
)
def test_other_slip_is_told_with_its_remedy(text: str, said: str, reason: str) -> None:
    assert the_problem(text).startswith(said), reason


@pytest.mark.parametrize(
    "text",
    [
        "state:\n  hunter2hunter2hunter2hunter2hunter2: x\n    url: y\n",
        "hunter2hunter2hunter2hunter2hunter2 x\nurl: y\n",
        "state:\n  url: 'x' hunter2\n",
        "state:\n  password hunter2\n  url: x\n",
        "state: {password: hunter2\nurl: x\n",
    ],
)
def test_sentence_about_broken_text_never_repeats_what_may_be_a_secret(text: str) -> None:
    assert "hunter2" not in the_problem(text)


def test_text_of_two_lines_is_no_mistake() -> None:
    document = parse_document("rule:\n  cutoff_source: own\n    cohort\n  cutoff: 1\n", "f")
    assert document.data == {"rule": {"cutoff_source": "own cohort", "cutoff": 1}}
