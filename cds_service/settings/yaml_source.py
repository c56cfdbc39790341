"""A configuration text as plain values, with the place of every key and list item.

Read strictly: UTF-8 only (a byte order mark is skipped), one document, no duplicate key, no invisible character, and
limits on size, depth and the number of values that aliases unfold into. The reader returns a Document or raises
SettingsError, never anything else.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cds_service.foreign_bytes import wide_encoding
from cds_service.settings.errors import KeyPath, Place, Problem, SettingsError, dotted
from cds_service.settings.named_files import read_named_file
from cds_service.settings.scalars import plain_scalar
from cds_service.settings.yaml_tree import Mapping, Node, Scalar, Sequence, YamlSyntaxError, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_BYTES: Final = 256 * 1024
MAX_VALUES: Final = 10_000


@dataclass(slots=True)
class Document:
    """What was written: values (mappings as dict, lists as tuple), where, and what was wrong with the writing."""

    data: dict[str, object]
    places: dict[KeyPath, Place]
    """A key's place is where the key starts; a list item's is where the item starts."""
    root: Place
    """Stands for keys that were not written."""
    problems: list[Problem] = field(default_factory=list)

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
    document = Document({}, {}, Place.in_file(name, 1, 1))
    value = _parsed(text, document, lambda node: Place.in_file(name, node.line, node.column))
    if value is None:
        return document
    if not isinstance(value, dict):
        sentence = 'holds no sections; start with lines such as "service:" and put the keys below them'
        raise SettingsError([Problem(document.root, "", sentence)])
    document.data = value
    return document


def parse_value(text: str, place: Place, path: KeyPath) -> object:
    """Read one YAML scalar or flow list that does not stand in a file. Raises SettingsError naming the place."""
    document = Document({}, {}, place)
    try:
        value = _parsed(text, document, lambda _node: place, path)
    except SettingsError as error:
        sentences = (problem.sentence for problem in error.problems)
        raise SettingsError(Problem(place, dotted(path), sentence) for sentence in sentences) from error
    if document.problems:
        raise SettingsError(document.problems)
    return value


def _parsed(text: str, document: Document, place: Callable[[Node], Place], path: KeyPath = ()) -> object:
    try:
        tree = read_tree(text)
        return None if tree is None else _Unfolding(document, place).value(tree, path)
    except YamlSyntaxError as error:
        at = place(Scalar(error.line, error.column, "", True))
        raise SettingsError([*document.problems, Problem(at, "", error.sentence)]) from error


def _decoded(raw: bytes, name: str) -> str:
    if wide := wide_encoding(raw):
        raise SettingsError([Problem(Place.in_file(name, 1, 1), "", f"the file is {wide}; save it as UTF-8")])
    raw = raw.removeprefix(BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        sentence = "a character is not written in UTF-8; save the file as UTF-8"
        raise SettingsError([Problem(Place.in_file(name, line, column), "", sentence)]) from error


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    return getattr(error, "strerror", None) or "the name is not usable"


class _Unfolding:
    """Turns nodes into values, notes where each was written, and follows aliases within MAX_VALUES."""

    def __init__(self, document: Document, place: Callable[[Node], Place]) -> None:
        self._document = document
        self._place = place
        self._left = MAX_VALUES

    def value(self, node: Node, path: KeyPath) -> object:
        self._left -= 1
        if self._left < 0:
            raise YamlSyntaxError(node.line, node.column, f"more than {MAX_VALUES} values, aliases counted")
        if isinstance(node, Scalar):
            text = self._visible(node, path)
            return plain_scalar(text) if node.plain else text
        if isinstance(node, Sequence):
            return tuple(self._item(item, (*path, index)) for index, item in enumerate(node.items))
        return self._mapping(node, path)

    def _item(self, node: Node, path: KeyPath) -> object:
        self._document.places[path] = self._place(node)
        return self.value(node, path)

    def _mapping(self, node: Mapping, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        first_lines: dict[str, int] = {}
        for key, value in node.entries:
            if not isinstance(key, Scalar):
                raise YamlSyntaxError(key.line, key.column, "a key is one word; this one is a list or a mapping")
            name = self._visible(key, path)
            if name in first_lines:
                sentence = f"stands twice; it was set before in line {first_lines[name]}"
                self._problem(key, (*path, name), sentence)
                continue
            first_lines[name] = key.line
            self._document.places[(*path, name)] = self._place(key)
            values[name] = self.value(value, (*path, name))
        return values

    def _visible(self, node: Scalar, path: KeyPath) -> str:
        # A no-break space copied from a word processor looks right and matches nothing.
        hidden = next((character for character in node.text if not character.isprintable()), None)
        if hidden is None:
            return node.text
        self._problem(node, path, f"holds a character that cannot be seen (U+{ord(hidden):04X}); type it anew")
        return "".join(character if character.isprintable() else "?" for character in node.text)

    def _problem(self, node: Node, path: KeyPath, sentence: str) -> None:
        self._document.problems.append(Problem(self._place(node), dotted(path), sentence))
