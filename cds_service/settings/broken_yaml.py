"""Why a text is no YAML, in the words of those who wrote it: on the line to be mended, with the remedy.

The parser names the place where it could not go on. A colon that is missing is noticed on the next line or the one
after, and a line that is indented too far is taken for more text of the value above it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.settings.excerpts import may_hold_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ruamel.yaml.error import MarkedYAMLError

_DASH: Final = "-"
OTHER_VERSION: Final = "the YAML version named here is not supported; leave the line out"

# The ends of lines that the parser counts (YAML 1.1 and 1.2).
_LINE_END: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as the parser counts them, without their ends."""
    return _LINE_END.split(text)


class Mark(NamedTuple):
    """A place in a text; line and column count from 0, as the parser counts."""

    line: int
    column: int


class YamlSyntaxError(Exception):
    """The text is not one YAML document of the kind used here. `mark` says where; None stands for its beginning."""

    def __init__(self, mark: Mark | None, sentence: str) -> None:
        super().__init__(sentence)
        self.mark = mark
        self.sentence = sentence


_WORD: Final = r"(?P<key>[A-Za-z_][\w.-]{0,39})"
_GLUED: Final = re.compile(rf"\s*-{_WORD}:")
_WITHOUT_COLON: Final = (
    (re.compile(rf"{_WORD}："), 'a full-width colon stands here; write "{key}: " with a plain colon and a space'),
    (re.compile(rf"{_WORD}:\S"), 'a space is missing after the colon; write "{key}: " before the value'),
    (re.compile(rf"{_WORD}\s*="), 'an equals sign stands where a colon belongs; write "{key}: " before the value'),
    (re.compile(rf"{_WORD}\s*(?:\s#.*)?$"), 'a colon is missing after "{key}"; write "{key}:"'),
    (re.compile(rf"{_WORD}\s"), 'a colon is missing after "{key}"; write "{key}: " before the value'),
)


def missing_colon(text: str) -> str | None:
    """Say what a text lacks that should be a key with its value; None where it does not look like one.

    Nothing but the word in front is repeated: what follows may be a secret.
    """
    for form, sentence in _WITHOUT_COLON:
        found = form.match(text)
        if found and not may_hold_secret(found["key"]):
            return sentence.format(key=found["key"])
    return None


def missing_blank(key: str) -> str:
    """Say what an entry of a list lacks whose dash stands close to its first key."""
    return f'a space is missing after the dash; write "- {key}: "'


def in_plain_words(error: MarkedYAMLError, text: str) -> YamlSyntaxError:
    """Put what the parser says into a sentence at the place to be mended."""
    said = str(error.problem or error.context)
    at, begun = _mark(error.problem_mark), _mark(error.context_mark)
    lines = lines_of(text)
    mark = at or begun
    for sign, explain in _EXPLAINED:
        if mark and sign in said and (found := explain(lines, mark, begun)):
            return found
    sentence = next((words for sign, words in _PLAIN_WORDS if sign in said), f"not valid YAML: {said}")
    return YamlSyntaxError(mark, sentence)


def _mark(mark: Mark | None) -> Mark | None:
    return None if mark is None else Mark(mark.line, mark.column)


def _colon_expected(lines: Sequence[str], _at: Mark, begun: Mark | None) -> YamlSyntaxError | None:
    sentence = missing_colon(lines[begun.line][begun.column :]) if begun else None
    return YamlSyntaxError(begun, sentence or 'a colon and a value ("key: value") are missing here')


def _colon_too_many(lines: Sequence[str], at: Mark, _begun: Mark | None) -> YamlSyntaxError | None:
    """The key before this colon belongs to a text that began on a line above, or the colon stands within a value."""
    if _has_colon(lines[at.line][: at.column]):
        return None
    above = _above(lines, at.line)
    if above is not None and (glued := _GLUED.match(lines[above])):
        return YamlSyntaxError(Mark(above, _indentation(lines[above])), missing_blank(glued["key"]))
    if above is not None and _has_value(lines[above]):
        return _wrong_indentation(lines, at)
    first = at.line
    while above is not None and not _has_colon(lines[above]):
        first, above = above, _above(lines, above)
    return _colon_missing_in(lines, first)


def _block_end(lines: Sequence[str], at: Mark, _begun: Mark | None) -> YamlSyntaxError | None:
    """A line that fits no block above, or text behind a value that is complete."""
    if lines[at.line][: at.column].strip(" -"):
        return YamlSyntaxError(at, _COMPLETE)
    return _wrong_indentation(lines, at)


def _second_content(lines: Sequence[str], at: Mark, _begun: Mark | None) -> YamlSyntaxError | None:
    """Something stands behind the first value: an INI file, a first line without colon or with spaces in front."""
    first = next((number for number in range(at.line) if _is_content(lines[number])), None)
    if first is None:
        return None
    if lines[first].startswith("["):
        sentence = 'this is the form of an INI file; write sections as "service:" and keys below as "  mode: silent"'
        return YamlSyntaxError(Mark(first, 0), sentence)
    if _indentation(lines[first]) > at.column:
        sentence = "wrong indentation: the first key is indented; begin it in column 1, as the sections below"
        return YamlSyntaxError(Mark(first, _indentation(lines[first])), sentence)
    return _colon_missing_in(lines, first)


def _bracket(lines: Sequence[str], at: Mark, begun: Mark | None) -> YamlSyntaxError | None:
    if begun is None:
        return None
    opened = lines[begun.line][begun.column : begun.column + 1]
    if at.line == begun.line and lines[at.line][at.column :].strip():
        return YamlSyntaxError(at, f'a comma is missing before this place, or the end of what "{opened}" opens')
    return YamlSyntaxError(begun, f'the bracket "{opened}" opened here is not closed')


def _quotes(_lines: Sequence[str], at: Mark, begun: Mark | None) -> YamlSyntaxError | None:
    return YamlSyntaxError(begun or at, "the quotes opened here are not closed")


def _special(lines: Sequence[str], at: Mark, _begun: Mark | None) -> YamlSyntaxError | None:
    character = lines[at.line][at.column : at.column + 1]
    if character == "\t":
        return YamlSyntaxError(at, "a tab stands here; YAML is indented with spaces only")
    if not character.isprintable():
        return None
    return YamlSyntaxError(at, f"text that starts with {character} needs quotes")


def _escape(_lines: Sequence[str], at: Mark, begun: Mark | None) -> YamlSyntaxError | None:
    return YamlSyntaxError(begun or at, r'within double quotes "\" begins an escape; put this text in single quotes')


def _wrong_indentation(lines: Sequence[str], at: Mark) -> YamlSyntaxError:
    own = _indentation(lines[at.line])
    is_entry = lines[at.line].lstrip().startswith("-")
    begun = list(_begun_above(lines, at.line))
    if glued := _GLUED.match(lines[at.line]):
        return YamlSyntaxError(Mark(at.line, own), missing_blank(glued["key"]))
    if (own, _DASH) in begun and not is_entry:
        inner = "".join(f" {_like(place)}" for place in [place for place in begun if place[0] > own][-1:])
        said = f'begin this key{inner}, or with "- " where it begins an entry of the list'
    else:
        fitting = [place for place in begun if (place[1] == _DASH) == is_entry] or begun
        deeper = [place for place in fitting if place[0] > own][-1:]
        outer = [place for place in fitting if place[0] < own][:1]
        said = f"begin this line {', or '.join(map(_like, deeper + outer)) or 'like those above'}"
    return YamlSyntaxError(Mark(at.line, own), f"wrong indentation: {said}")


def _like(place: tuple[int, str]) -> str:
    column, name = place
    return f"in column {column + 1} like {'the dash' if name == _DASH else _quoted(name)} above"


def _quoted(name: str) -> str:
    return f'"{name}"' if name and not may_hold_secret(name) else "the text"


def _begun_above(lines: Sequence[str], line: int) -> Iterator[tuple[int, str]]:
    """Yield the columns in which blocks that are open above a line have begun, innermost first, with their words."""
    least = 1_000_000
    for number in range(line - 1, -1, -1):
        if not _is_content(lines[number]):
            continue
        for column, name in _starts(lines[number]):
            if column < least:
                least = column
                yield column, name
        if least == 0:
            return


def _starts(line: str) -> Iterator[tuple[int, str]]:
    found = re.match(rf"\s*(?P<dashes>(?:-\s+)*)[\"']?{_WORD}?", line)
    if found is None:
        return
    yield found.end("dashes"), found["key"] or ""
    for dash in reversed([place for place, character in enumerate(found["dashes"]) if character == "-"]):
        yield found.start("dashes") + dash, _DASH


def _colon_missing_in(lines: Sequence[str], line: int) -> YamlSyntaxError | None:
    column, _name = next(_starts(lines[line]), (_indentation(lines[line]), ""))
    sentence = missing_colon(lines[line][column:])
    return YamlSyntaxError(Mark(line, column), sentence) if sentence else None


def _above(lines: Sequence[str], line: int) -> int | None:
    return next((number for number in range(line - 1, -1, -1) if _is_content(lines[number])), None)


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _has_colon(text: str) -> bool:
    return re.search(r":(?:\s|$)", text) is not None


def _has_value(line: str) -> bool:
    return re.search(r":\s+[^\s#]", line) is not None


_COMPLETE: Final = "text follows where the value is complete; check quotes and brackets"

# What the parser says -> who finds the place to be mended.
_EXPLAINED: Final = (
    ("could not find expected ':'", _colon_expected),
    ("mapping values are not allowed", _colon_too_many),
    ("expected <block end>", _block_end),
    ("expected '<document start>'", _second_content),
    ("expected ',' or", _bracket),
    ("end of stream", _quotes),
    ("that cannot start any token", _special),
    ("escape", _escape),
)

# What the parser says -> what the reader of the message should look for.
_PLAIN_WORDS: Final = (
    ("mapping values are not allowed", 'a colon stands where none may; put text that holds ": " in quotes'),
    ("expected '<document start>'", _COMPLETE),
    ("incompatible YAML", OTHER_VERSION),
    ("another document", "a second document starts here; the configuration is one YAML document"),
    ("maximum depth", "nested too deeply"),
    ("sequence entries are not allowed", 'a list begins on a line of its own; put "- " on the next line'),
    ("chomping", "text that starts with | or > needs quotes"),
    ("comment or a line break", "text that starts with | or > needs quotes"),
    ("the node content", "a value is expected here; check commas, dashes and brackets"),
    ("alphabetic or numeric character", "text that starts with & or * needs quotes"),
)
