"""Where a value was written, what is wrong with it, and the error that carries all problems at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cds_service.errors import ConfigurationError
from cds_service.settings.excerpts import SourceLine, excerpt, may_hold_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

# The way to a value: section, key, and the index of a list item; () is the whole configuration.
KeyPath = tuple[str | int, ...]

_HIDDEN: Final = "(a key that is not shown)"


def dotted(path: KeyPath) -> str:
    """Write a key path as people read it: `clients.0.issuer`."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a position in the file, an environment variable, or the calling program."""

    text: str
    """What an error line begins with."""
    origin: str
    """What `config show` prints beside the value."""
    order: tuple[int, int, int, str] = (2, 0, 0, "")
    """Sorts file positions first, then environment variables by name."""
    source: SourceLine | None = None
    """The line of a file; None for every other place."""

    @classmethod
    def in_file(cls, name: str, source: SourceLine) -> Place:
        """Name a position."""
        return replace(cls.in_hidden_line(name, source.number, source.column), source=source)

    @classmethod
    def in_hidden_line(cls, name: str, line: int = 1, column: int = 1) -> Place:
        """Name a position in a file of which no line is to be shown; line and column count from 1."""
        return cls(f"{name}:{line}:{column}", f"{name}:{line}", (0, line, column, name))

    @classmethod
    def in_environment(cls, variable: str) -> Place:
        """Name an environment variable."""
        return cls(variable, f"environment {variable}", (1, 0, 0, variable))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with its place and the key it concerns (empty for the file as a whole)."""

    place: Place
    key: str
    sentence: str

    def __str__(self) -> str:
        """Print `file:line:column: key: what is wrong`."""
        key = _HIDDEN if may_hold_secret(self.key) else self.key
        return ": ".join(part for part in (self.place.text, key, self.sentence) if part)

    @property
    def excerpt(self) -> tuple[str, ...]:
        """The line that it is about with a caret below; none from outside a file, and none that may hold a secret."""
        source = self.place.source
        return () if source is None or may_hold_secret(source.text) else excerpt(source)


class SettingsError(ConfigurationError):
    """The configuration cannot be used. `problems` holds every problem found, sorted by position."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sort the problems; the text of the error is one line for each."""
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.place.order, problem.key)))
        super().__init__(log_detail="\n".join(str(problem) for problem in self.problems))
