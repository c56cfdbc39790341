"""The YAML reader: positions, strictness, limits; never anything but a Document or a SettingsError."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.settings.errors import Place, SettingsError
from cds_service.settings.yaml_source import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    parse_document,
    parse_value,
    read_document,
)


def lines_of(text: str) -> list[str]:
    """Give the error lines of a text that is no usable YAML."""
    with pytest.raises(SettingsError) as caught:
        parse_document(text, "f")
    return [str(problem) for problem in caught.value.problems]


def bomb(levels: int) -> str:
    """Write a list of lists of lists …, each naming the one before ten times."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("path", "position", "reason"),
    [
        (("server",), "f:2:1", "a section"),
        (("server", "port"), "f:3:3", "a key: where it starts, not its value"),
        (("clients",), "f:4:1", "a list"),
        (("clients", 0), "f:5:5", "a list item: after the dash"),
        (("clients", 0, "name"), "f:5:5", "the first key of an item"),
        (("clients", 0, "tenants", 1), "f:6:18", "an item of a flow list"),
        (("cors", "origins"), "f:8:8", "a key of a flow mapping"),
        (("cors", "nothing"), "f:8:1", "a key not written: what encloses it"),
        (("audit", "directory"), "f:1:1", "a section not written: the start of the file"),
    ],
)
def test_place_of_path_is_where_it_was_written(path: tuple[str | int, ...], position: str, reason: str) -> None:
    text = """# comment
server:
  port: 8080
clients:
  - name: a
    tenants: [x, y]

cors: {origins: []}
"""
    assert parse_document(text, "f").place_of(path).text == position, reason


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("server:\n\tport: 1", "f:2:1: a tab stands here; YAML is indented with spaces only", "tab"),
        ("a: b: c", 'f:1:5: a colon stands where none may; put text that holds ": " in quotes', "colon in text"),
        (
            "a:\n  b: 1\n c: 2",
            'f:3:2: wrong indentation: begin this line in column 3 like "b" above, or in column 1 like',
            "indentation",
        ),
        ("a: 'x", "f:1:4: the quotes opened here are not closed", "quotes"),
        ("a: {b", 'f:1:4: the bracket "{" opened here is not closed', "flow mapping"),
        ("{a: b}}", "f:1:7: text follows where the value is complete; check quotes and brackets", "bracket"),
        ("a: *b", 'f:1:4: no anchor "b" ends before this alias; text that starts with * needs quotes', "alias"),
        ("a: &b [*b]", 'f:1:8: no anchor "b" ends before this alias; text that starts with * needs quotes', "loop"),
        ("a: 1\n---\nb: 2", "f:2:1: a second document starts here; the configuration is one YAML document", "two"),
        ("a: !!python/name:os.system x", "f:1:4: tags (words after !) are not used here", "tag"),
        ("a: !!int '3'", "f:1:4: tags (words after !) are not used here", "even a core tag"),
        ("%YAML 2.0\n---\na: 1", "f:1:1: the YAML version named here is not supported; leave the line out", "version"),
        ("%YAML 1.5\n---\na: 1", "f:1:1: the YAML version named here is not supported; leave the line out", "minor"),
        ("? [a]\n: 1", "f:1:3: a key is one word; this one is a list or a mapping", "list as key"),
        ("[" * 1000, f"f:1:{MAX_DEPTH + 1}: nested too deeply", "depth"),
        ('a: "\\UFFFFFFFF"', "f:1:1: a character is not allowed in YAML", "no such character"),
        ("a: \x07", "f:1:4: a character is not allowed in YAML", "control character"),
        ("- a", "f:1:1: holds no sections; start with lines such as", "a list"),
        ("a", "f:1:1: holds no sections; start with lines such as", "a word"),
    ],
)
def test_broken_yaml_is_refused_with_its_position(text: str, line: str, reason: str) -> None:
    (said,) = lines_of(text)
    assert said.startswith(line), reason


def test_duplicate_key_is_named_and_the_rest_is_read() -> None:
    document = parse_document("b: 1\na: 1\na: 2\nc: 3", "f")
    assert [str(problem) for problem in document.problems] == ["f:3:1: a: stands twice; it was set before in line 2"]
    assert document.data == {"b": 1, "a": 1, "c": 3}


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "~", "null"])
def test_empty_text_is_an_empty_document(text: str) -> None:
    assert parse_document(text, "f").data == {}


def test_crlf_line_ends_are_counted_as_lines() -> None:
    assert parse_document("a: 1\r\nb: 2\r\n", "f").place_of(("b",)).text == "f:2:1"


def test_lists_become_tuples_and_aliases_share_values() -> None:
    document = parse_document("a: &x [1, two]\nb: *x", "f")
    assert document.data == {"a": (1, "two"), "b": (1, "two")}


def test_alias_bomb_is_stopped_at_the_limit() -> None:
    (said,) = lines_of(bomb(9))
    assert f"more than {MAX_VALUES} values" in said


def test_aliases_below_the_limit_are_followed() -> None:
    values = parse_document(bomb(3), "f").data["a2"]
    assert isinstance(values, tuple)
    assert len(values) == 10


@pytest.mark.parametrize(
    ("text", "sentence", "reason"),
    [
        ("a: x\u00a0y", "f:1:4: a: holds a character that cannot be seen (U+00A0); type it anew", "no-break space"),
        ("a\u200b: x", "f:1:1: holds a character that cannot be seen (U+200B); type it anew", "zero-width space"),
        ('a: "\\uD800"', "f:1:4: a: holds a character that cannot be seen (U+D800); type it anew", "surrogate"),
        ('a: "x\\0"', "f:1:4: a: holds a character that cannot be seen (U+0000); type it anew", "NUL"),
        ("a: |\n  x\n  y", "f:1:4: a: holds a character that cannot be seen (U+000A); type it anew", "line end"),
    ],
)
def test_invisible_character_is_named(text: str, sentence: str, reason: str) -> None:
    assert [str(problem) for problem in parse_document(text, "f").problems] == [sentence], reason


@pytest.mark.parametrize(
    ("raw", "line", "reason"),
    [
        ("a: 1".encode("utf-16"), "1:1: the file is UTF-16; save it as UTF-8", "Windows editor"),
        ("a: 1".encode("utf-16-be"), "1:1: the file is UTF-16; save it as UTF-8", "without a mark"),
        ("a: 1".encode("utf-32"), "1:1: the file is UTF-32; save it as UTF-8", "rare, named all the same"),
        (b"\xef\xbb\xbf# ok\na: \xe4\n", "2:4: a character is not written in UTF-8", "places behind a mark"),
        (b"# ok\na: \xe4\n", "2:4: a character is not written in UTF-8", "ISO 8859-1"),
        (b"\xc3\xa4\xff", "1:2: a character is not written in UTF-8", "columns are characters, not bytes"),
        (b"#" * (MAX_BYTES + 1), " is larger than 256 KiB", "size"),
    ],
)
def test_undecodable_file_is_refused(tmp_path: Path, raw: bytes, line: str, reason: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(raw)
    with pytest.raises(SettingsError) as caught:
        read_document(path)
    assert str(caught.value.problems[0]).startswith(f"{path}:{line}"), reason


def test_file_with_a_byte_order_mark_is_read_as_without(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: {b: 1}\n")

    document = read_document(path)

    assert document.data == {"a": {"b": 1}}
    assert document.place_of(("a", "b")).text.endswith(":1:5")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("absent.yaml", "no such file"), (".", "it is a directory"), ("a\0b", "the name is not usable")],
)
def test_unreadable_file_is_a_sentence(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_document(Path(f"{tmp_path}/{name}"))
    assert str(caught.value.problems[0]).endswith(f"cannot be read: {sentence}")


@pytest.mark.parametrize(("text", "value"), [("9000", 9000), ("[a, b]", ("a", "b")), ("", None), ("a b", "a b")])
def test_value_outside_a_file_is_read_as_yaml(text: str, value: object) -> None:
    assert parse_value(text, Place.in_environment("V"), ("a", "b")) == value


def test_broken_value_outside_a_file_names_its_place() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_value("[a", Place.in_environment("V"), ("a", "b"))
    assert str(caught.value.problems[0]).startswith('V: a.b: the bracket "[" opened here')
