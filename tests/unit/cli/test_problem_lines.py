"""Problems on standard error: the line of the file, in colors only where somebody sees them."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from cds_service.cli.problem_lines import print_problems
from cds_service.settings.errors import Place, Problem
from cds_service.settings.excerpts import SourceLine

if TYPE_CHECKING:
    import pytest

PROBLEM = Problem(Place.in_file("f", SourceLine("  port: x", 2, 3)), "server.port", "is wrong")
PLAIN = ["f:2:3: server.port: is wrong", "  2 |   port: x", "    |   ^"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> list[str]:
    """Return the lines that a stream gets as standard error."""
    monkeypatch.setattr(sys, "stderr", stream)
    print_problems([PROBLEM])
    return stream.getvalue().splitlines()


def test_problem_outside_a_terminal_has_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert printed(monkeypatch, io.StringIO()) == PLAIN


def test_problem_on_a_terminal_with_no_color_set_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(monkeypatch, _Terminal()) == PLAIN


def test_problem_on_a_terminal_has_a_red_caret_and_a_plain_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    message, _line, caret = printed(monkeypatch, _Terminal())
    assert message == PLAIN[0]
    assert caret == f"\x1b[31m{PLAIN[2]}\x1b[0m"


def test_problem_that_may_hold_a_secret_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place.in_file("f", SourceLine("  password: hunter2", 2, 3))
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    print_problems([Problem(place, "state.password", "unknown key")])
    assert stream.getvalue() == "f:2:3: state.password: unknown key\n"
