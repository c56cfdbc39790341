"""A configuration text as plain values, with the place of every key and list item.

Read strictly: UTF-8 only (a byte order mark is skipped), one document, no duplicate key, no invisible character, and
limits on size, depth and the number of values that aliases unfold into. The reader returns a Document or raises
SettingsError, never anything else.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from cds_service.foreign_bytes import wide_encoding
from cds_service.settings.broken_yaml import OTHER_VERSION, Mark, YamlSyntaxError, in_plain_words, lines_of
from cds_service.settings.errors import KeyPath, Place, Problem, SettingsError, dotted
from cds_service.settings.excerpts import SourceLine
from cds_service.settings.named_files import read_named_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ruamel.yaml.nodes import Node

MAX_BYTES: Final = 256 * 1024
MAX_VALUES: Final = 10_000
MAX_DEPTH: Final = 20
_NO_CHARACTER: Final = "a character is not allowed in YAML"


@dataclass(slots=True)
class Document:
    """What was written: values (mappings as dict, lists as tuple), where, and what was wrong with the writing."""

    data: dict[str, object]
    places: dict[KeyPath, Place]
    """A key's place is where the key starts; a list item's is where the item starts."""
    root: Place
    """Stands for keys that were not written."""
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[KeyPath] = field(default_factory=set)
    """Keys and values that are told as a problem already; the text that stands for them was not written so."""
    below: dict[KeyPath, Place] = field(default_factory=dict)
    """Where a text begins that stands in a line below its key."""

    def place_of(self, path: KeyPath) -> Place:
        """Find where a value, or else the nearest thing that encloses it, was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, self.root)


def read_document(path: Path) -> Document:
    """Read a configuration file. Raises SettingsError when it cannot be read as one YAML mapping."""
    name = str(path)
    whole_file = Place(name, name, (0, 0, 0, name))
    try:
        raw = read_named_file(path)
    except (OSError, ValueError) as error:
        raise SettingsError([Problem(whole_file, "", f"cannot be read: {_reason(error)}")]) from error
    if len(raw) > MAX_BYTES:
        raise SettingsError([Problem(whole_file, "", f"is larger than {MAX_BYTES // 1024} KiB")])
    return parse_document(_decoded(raw, name), name)


def parse_document(text: str, name: str) -> Document:
    """Read a configuration text; `name` stands for it in errors. Raises SettingsError."""
    lines = lines_of(text)
    # A resource that was named as configuration by mistake is perhaps a patient's: no line of it is shown.
    of_a_patient = '"resourceType"' in text and '"ConceptMap"' not in text

    def place(line: int, column: int) -> Place:
        if of_a_patient:
            return Place.in_hidden_line(name, line + 1, column + 1)
        written = lines[line] if line < len(lines) else ""
        return Place.in_file(name, SourceLine(written, line + 1, column + 1))

    document = Document({}, {}, place(0, 0))
    value = _parsed(text, document, lambda mark: place(mark.line, mark.column))
    if value is None:
        return document
    if not isinstance(value, dict):
        sentence = 'holds no sections; start with lines such as "service:" and put the keys below them'
        raise SettingsError([Problem(document.root, "", sentence)])
    document.data = value
    return document


def parse_value(text: str, place: Place, path: KeyPath) -> object:
    """Read one YAML scalar or flow list that comes from outside a file. Raises SettingsError naming the place."""
    document = Document({}, {}, place)
    try:
        value = _parsed(text, document, lambda _mark: place, path)
    except SettingsError as error:
        sentences = (problem.sentence for problem in error.problems)
        raise SettingsError(Problem(place, dotted(path), sentence) for sentence in sentences) from error
    if document.problems:
        raise SettingsError(document.problems)
    return value


def _parsed(text: str, document: Document, place: Callable[[Any], Place], path: KeyPath = ()) -> object:
    try:
        tree = _tree(text)
        return None if tree is None else _Unfolding(document, place).value(tree, path)
    except YamlSyntaxError as error:
        at = document.root if error.mark is None else place(error.mark)
        raise SettingsError([*document.problems, Problem(at, "", error.sentence)]) from error


def _decoded(raw: bytes, name: str) -> str:
    if wide := wide_encoding(raw):
        # No line of it: read as another encoding it would be nonsense.
        raise SettingsError([Problem(Place.in_hidden_line(name), "", f"the file is {wide}; save it as UTF-8")])
    raw = raw.removeprefix(BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = lines_of(raw[: error.start].decode("utf-8"))
        written = lines_of(raw.decode("utf-8", errors="replace"))[len(before) - 1]
        place = Place.in_file(name, SourceLine(written, len(before), len(before[-1]) + 1))
        sentence = "a character is not written in UTF-8; save the file as UTF-8"
        raise SettingsError([Problem(place, "", sentence)]) from error


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    return getattr(error, "strerror", None) or "the name is not usable"


class _Unfolding:
    """Turns nodes into values, notes where each was written, and follows aliases within MAX_VALUES."""

    def __init__(self, document: Document, place: Callable[[Any], Place]) -> None:
        self._document = document
        self._place = place
        self._left = MAX_VALUES

    def value(self, node: Node, path: KeyPath) -> object:
        self._left -= 1
        if self._left < 0:
            raise YamlSyntaxError(node.start_mark, f"more than {MAX_VALUES} values, aliases counted")
        if isinstance(node, SequenceNode):
            return tuple(self._item(item, (*path, index)) for index, item in enumerate(node.value))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        text = self._visible(node, path)
        if text != node.value:
            self._document.unreadable.add(path)
        is_plain = isinstance(node, ScalarNode) and node.style is None
        return plain_scalar(text) if is_plain else text

    def _item(self, node: Node, path: KeyPath) -> object:
        self._document.places[path] = self._place(node.start_mark)
        return self.value(node, path)

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        first_lines: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise YamlSyntaxError(key.start_mark, "a key is one word; this one is a list or a mapping")
            name = self._visible(key, path)
            if name != key.value:
                self._document.unreadable.add((*path, name))
            if name in first_lines:
                sentence = f"stands twice; it was set before in line {first_lines[name]}"
                self._problem(key, (*path, name), sentence)
                continue
            first_lines[name] = key.start_mark.line + 1
            self._document.places[(*path, name)] = self._place(key.start_mark)
            if isinstance(value, ScalarNode) and value.start_mark.line > key.start_mark.line:
                self._document.below[(*path, name)] = self._place(value.start_mark)
            values[name] = self.value(value, (*path, name))
        return values

    def _visible(self, node: Node, path: KeyPath) -> str:
        # A no-break space copied from a word processor looks right and matches nothing.
        text: str = node.value
        hidden = next((character for character in text if not character.isprintable()), None)
        if hidden is None:
            return text
        self._problem(node, path, f"holds a character that cannot be seen (U+{ord(hidden):04X}); type it anew")
        return "".join(character if character.isprintable() else "?" for character in text)

    def _problem(self, node: Node, path: KeyPath, sentence: str) -> None:
        self._document.problems.append(Problem(self._place(node.start_mark), dotted(path), sentence))


class _StrictComposer(Composer):
    """ruamel's composer, but for what is refused here: tags, and an alias within the value that it names.

    Values are not built: a node that an alias names is shared, so a text of a few lines that would unfold into
    millions of values ("billion laughs") is a few nodes until it is unfolded within its limit.
    """

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        # An anchor may be given again: the alias means the one before it.
        self.warn_double_anchors = False
        self._open: list[str] = []

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent):
            if event.anchor in self._open or event.anchor not in self.anchors:
                words = f'no anchor "{event.anchor}" ends before this alias; text that starts with * needs quotes'
                raise YamlSyntaxError(event.start_mark, words)
            return super().compose_node(parent, index)
        if event.tag is not None:
            raise YamlSyntaxError(event.start_mark, "tags (words after !) are not used here; write the value alone")
        self._open.append(event.anchor)
        node = super().compose_node(parent, index)
        self._open.pop()
        return node


def _tree(text: str) -> Node | None:
    """Parse one document; None when the text holds nothing but comments.

    Raises YamlSyntaxError for broken YAML, a second document, an explicit tag, an unknown alias, or nesting deeper
    than MAX_DEPTH.
    """
    reader = YAML(typ="safe", pure=True)
    reader.Composer = _StrictComposer
    reader.max_depth = MAX_DEPTH
    try:
        root: Node | None = reader.compose(text)
    except AssertionError as error:
        # So the parser refuses version 1.5, for one; version 2.0 it refuses as the others below.
        raise YamlSyntaxError(None, OTHER_VERSION) from error
    except MarkedYAMLError as error:
        raise in_plain_words(error, text) from error
    except ReaderError as error:
        before = lines_of(text[: error.position])
        raise YamlSyntaxError(Mark(len(before) - 1, len(before[-1])), _NO_CHARACTER) from error
    except (YAMLError, OverflowError) as error:
        # OverflowError: the parser meets an escape such as "\UFFFFFFFF", which names no character.
        raise YamlSyntaxError(None, _NO_CHARACTER) from error
    return root


_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# Digits and exponents are bounded, so that no text makes a number that is costly to build.
_DECIMAL_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_PREFIXED_INTEGER = re.compile(r"0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]{1,30}|[0-9]{1,30}(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,3})?")


def plain_scalar(text: str) -> str | int | bool | Decimal | None:
    """Return the meaning of an unquoted scalar in the core schema of YAML 1.2 (section 10.3.2), else its text.

    `yes`, `off`, `22:30` and `1_000` are text, `010` is ten and `1e3` is a number, whatever YAML 1.1 made of them. A
    number with a fraction or an exponent becomes a Decimal and never passes through binary floating point. `.inf` and
    `.nan` stay text: every number of the configuration is finite.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _DECIMAL_INTEGER.fullmatch(text):
        return int(text, 10)
    if _PREFIXED_INTEGER.fullmatch(text):
        return int(text, 0)
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    return text
