"""One YAML document as a tree of nodes with positions, built from parser events.

Values are not built here: a node that an alias names is shared, so a text of a few lines that would unfold into
millions of values ("billion laughs") stays a few nodes until `yaml_source` unfolds it within its limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH: Final = 20

_OTHER_VERSION: Final = "the YAML version named here is not supported; leave the line out"


class YamlSyntaxError(Exception):
    """The text is not one YAML document of the kind used here. Line and column count from 1."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        """Keep the position and the sentence."""
        super().__init__(sentence)
        self.line = line
        self.column = column
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as written; `plain` is false when it stands in quotes or in a block."""

    line: int
    column: int
    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    column: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order written, duplicates included."""

    line: int
    column: int
    entries: tuple[tuple[Node, Node], ...]


Node = Scalar | Sequence | Mapping


def read_tree(text: str) -> Node | None:
    """Parse one document; None when the text holds nothing but comments.

    Raises YamlSyntaxError for broken YAML, a second document, an explicit tag, an unknown alias, or nesting deeper
    than MAX_DEPTH.
    """
    events = YAML(typ="safe", pure=True).parse(text)
    try:
        return _TreeBuilder(events).document()
    except AssertionError as error:
        # So the parser refuses version 1.5, for one; version 2.0 it refuses as the others below.
        raise YamlSyntaxError(1, 1, _OTHER_VERSION) from error
    except MarkedYAMLError as error:
        raise _in_plain_words(error) from error
    except (YAMLError, OverflowError) as error:
        # OverflowError: the parser meets an escape such as "\UFFFFFFFF", which names no character.
        raise YamlSyntaxError(1, 1, "a character is not allowed in YAML") from error


class _TreeBuilder:
    """Turns parser events into nodes."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            documents += 1
            if documents > 1:
                raise _at(event, "a second document starts here; the configuration is one YAML document")
            root = self._node(next(self._events), 1)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _at(event, "nested too deeply")
        if isinstance(event, AliasEvent):
            return self._aliased(event)
        if event.tag is not None:
            raise _at(event, "tags (words after !) are not used here; write the value alone")
        node = self._untagged(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _untagged(self, event: Any, depth: int) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, ScalarEvent):
            return Scalar(line, column, event.value, event.style is None)
        if isinstance(event, SequenceStartEvent):
            return Sequence(line, column, tuple(self._until(SequenceEndEvent, depth + 1)))
        flat = list(self._until(MappingEndEvent, depth + 1))
        return Mapping(line, column, tuple(zip(flat[::2], flat[1::2], strict=True)))

    def _until(self, end: type, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), end):
            yield self._node(event, depth)

    def _aliased(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise _at(event, f'no anchor "{event.anchor}" ends before this alias; text that starts with * needs quotes')
        return self._anchors[event.anchor]


def _at(event: Any, sentence: str) -> YamlSyntaxError:
    return YamlSyntaxError(event.start_mark.line + 1, event.start_mark.column + 1, sentence)


# What the parser says -> what the reader of the message should look for.
_PLAIN_WORDS = (
    ("'\\t'", "a tab stands here; YAML is indented with spaces only"),
    ("mapping values are not allowed", 'a colon stands where none may; put text that holds ": " in quotes'),
    ("expected '<document start>'", "text follows where the value is complete; check quotes and brackets"),
    ("expected <block end>", "the indentation does not match the lines above"),
    ("could not find expected ':'", 'a colon and a value ("key: value") are missing here'),
    ("end of stream", "the quotes opened here are not closed"),
    ("incompatible YAML", _OTHER_VERSION),
)


def _in_plain_words(error: MarkedYAMLError) -> YamlSyntaxError:
    said = str(error.problem or error.context)
    mark = error.problem_mark or error.context_mark
    sentence = next((words for sign, words in _PLAIN_WORDS if sign in said), f"not valid YAML: {said}")
    if "end of stream" in said and error.context_mark is not None:
        mark = error.context_mark
    return YamlSyntaxError(mark.line + 1, mark.column + 1, sentence) if mark else YamlSyntaxError(1, 1, sentence)
