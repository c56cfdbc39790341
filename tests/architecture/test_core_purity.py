"""The rule and the normalization compute: they neither read a clock, nor touch files, nor log."""

import ast

import pytest

from tests.architecture.checkout import module_name, python_files, read
from tests.architecture.imports import imported_names, is_within

CORE = ("cds_service.clinical", "cds_service.normalization")
IMPURE_MODULES = (
    "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets",
    "shutil", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "warnings",
)  # fmt: skip
IMPURE_CALLS = frozenset({"input", "open", "print"})
CLOCK_METHODS = frozenset({"now", "today", "utcnow"})


def impurities(source: str, module: str) -> list[str]:
    """Imports and calls that make a result depend on more than its arguments."""
    problems = [
        f"{module} imports {name}" for name in sorted(imported_names(source, module)) if is_within(name, IMPURE_MODULES)
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _is_impure(node.func):
            problems.append(f"{module}:{node.lineno} calls {ast.unparse(node.func)}")
    return problems


def _is_impure(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in IMPURE_CALLS
    return isinstance(function, ast.Attribute) and function.attr in CLOCK_METHODS


def test_core_whole_source_depends_on_arguments_only() -> None:
    modules = [path for path in python_files() if is_within(module_name(path), CORE)]
    problems = [problem for path in modules for problem in impurities(read(path), module_name(path))]

    assert modules
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("from datetime import datetime\ndatetime.now()", "the clock is an argument"),
        ("import datetime\ndatetime.date.today()", "so is the date"),
        ("from uuid import uuid4", "identifiers are arguments"),
        ("import logging", "reasons are returned, not logged"),
        ("open('x')", "no files"),
        ("from pathlib import Path", "no files by another name"),
        ("print('x')", "no output"),
    ],
)
def test_core_impure_source_is_reported(source: str, reason: str) -> None:
    assert impurities(source, "cds_service.clinical.sii"), reason


def test_core_time_given_as_argument_is_accepted() -> None:
    source = "from datetime import datetime\ndef age(now: datetime, then: datetime): return now - then"

    assert impurities(source, "cds_service.clinical.timing") == []
