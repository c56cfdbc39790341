"""The form of the repository: what stands at the top, and how large a file or a function may grow."""

import ast
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

import pytest

from tests.architecture.checkout import PACKAGES, python_files, read, repository_files

TOP_LEVEL_FOLDERS = frozenset({"cds_service", "docker", "docs", "fhir_mappings", "tests"})
TOP_LEVEL_FILES = frozenset({"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml"})
MOST_LINES_OF_FILE = 400
MOST_LINES_OF_FUNCTION = 40
# Names that gather what belongs elsewhere.
EMPTY_NAMES = frozenset({"common", "helper", "helpers", "misc", "util", "utils"})
BROAD_EXCEPTIONS = frozenset({"Exception", "BaseException"})
BROAD_HANDLER_FOLDER = PurePosixPath("cds_service/web")

Check = Callable[[PurePosixPath, str], list[str]]


def strangers_at_top(paths: Iterable[PurePosixPath]) -> list[str]:
    """First path components that the layout does not name; lock files and dot-names are free."""
    return sorted({path.parts[0] for path in paths if not _belongs_at_top(path)})


def _belongs_at_top(path: PurePosixPath) -> bool:
    first = path.parts[0]
    if first.startswith("."):
        return True
    if len(path.parts) > 1:
        return first in TOP_LEVEL_FOLDERS
    return first in TOP_LEVEL_FILES or first.endswith(".lock")


def missing_docstring(path: PurePosixPath, source: str) -> list[str]:
    """Files with code say in their first line what they are for."""
    tree = ast.parse(source)
    return [f"{path} has no docstring"] if tree.body and not ast.get_docstring(tree) else []


def long_file(path: PurePosixPath, source: str) -> list[str]:
    lines = len(source.splitlines())
    return [f"{path} has {lines} lines"] if lines > MOST_LINES_OF_FILE else []


def long_functions(path: PurePosixPath, source: str) -> list[str]:
    """Counted from `def` to the last line; decorators, as in a table of cases, do not count."""
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    sizes = [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions]
    return [f"{path}: {name} has {size} lines" for name, size in sizes if size > MOST_LINES_OF_FUNCTION]


def empty_name(path: PurePosixPath, _source: str) -> list[str]:
    parts = path.with_suffix("").parts
    return [f"{path} is named for nothing"] if EMPTY_NAMES.intersection(parts) else []


def broad_handlers(path: PurePosixPath, source: str) -> list[str]:
    """Places that catch or suppress every exception."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler | ast.Call))
    return [f"{path}:{node.lineno}" for node in nodes if _is_broad(node)]


def _is_broad(node: ast.ExceptHandler | ast.Call) -> bool:
    match node:
        case ast.ExceptHandler(type=None):
            return True
        case ast.ExceptHandler(type=caught) if caught is not None:
            return _names_broad_exception(caught)
        case ast.Call(func=ast.Attribute(attr="suppress") | ast.Name(id="suppress")):
            return any(_names_broad_exception(argument) for argument in node.args)
        case _:
            return False


def _names_broad_exception(caught: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id in BROAD_EXCEPTIONS for node in ast.walk(caught))


def misplaced_handlers(found: list[tuple[PurePosixPath, str]]) -> list[str]:
    """All broad handlers, unless there is only the one of the web edge."""
    in_web = [place for path, place in found if path.is_relative_to(BROAD_HANDLER_FOLDER)]
    return [place for _, place in found] if len(in_web) > 1 or len(in_web) < len(found) else []


def test_top_level_holds_only_named_entries() -> None:
    assert strangers_at_top(repository_files()) == []


@pytest.mark.parametrize("check", [missing_docstring, long_file, long_functions, empty_name])
def test_python_files_keep_their_form(check: Check) -> None:
    problems = [problem for path in python_files() for problem in check(path, read(path))]

    assert python_files()
    assert not problems, "\n".join(problems)


def test_broad_handler_stands_once_and_at_the_web_edge() -> None:
    sources = [path for path in python_files() if path.parts[0] in PACKAGES]
    found = [(path, place) for path in sources for place in broad_handlers(path, read(path))]

    assert misplaced_handlers(found) == []


FUNCTION_OF_41_LINES = "def f():\n" + "    x = 1\n" * 40


@pytest.mark.parametrize(
    ("check", "path", "source", "reason"),
    [
        (missing_docstring, "cds_service/a.py", "x = 1\n", "code without a docstring"),
        (missing_docstring, "cds_service/a.py", "# why\nx = 1\n", "a comment is no docstring"),
        (long_file, "cds_service/a.py", "x = 1\n" * 401, "one line too many"),
        (long_functions, "cds_service/a.py", FUNCTION_OF_41_LINES, "one line too many"),
        (
            long_functions,
            "tests/a.py",
            f"class A:\n    {FUNCTION_OF_41_LINES.replace(chr(10), chr(10) + '    ')}",
            "method",
        ),
        (empty_name, "cds_service/web/utils.py", "", "module"),
        (empty_name, "cds_service/common/dates.py", "", "folder"),
        (broad_handlers, "cds_service/a.py", "try: f()\nexcept: pass", "bare"),
        (broad_handlers, "cds_service/a.py", "try: f()\nexcept Exception: pass", "by name"),
        (broad_handlers, "cds_service/a.py", "try: f()\nexcept (ValueError, BaseException): pass", "in a tuple"),
        (broad_handlers, "cds_service/a.py", "with contextlib.suppress(Exception): f()", "suppressed"),
    ],
)
def test_check_bad_example_is_reported(check: Check, path: str, source: str, reason: str) -> None:
    assert check(PurePosixPath(path), source), reason


@pytest.mark.parametrize(
    ("check", "source", "reason"),
    [
        (missing_docstring, "", "an empty file says nothing"),
        (long_file, "x = 1\n" * 400, "at the limit"),
        (long_functions, "def f():\n" + "    x = 1\n" * 39, "at the limit"),
        (long_functions, "@mark(\n" + "    1,\n" * 60 + ")\ndef f(): ...\n", "a long table of cases"),
        (broad_handlers, "try: f()\nexcept (ValueError, KeyError): pass", "named exceptions"),
    ],
)
def test_check_good_example_is_accepted(check: Check, source: str, reason: str) -> None:
    assert check(PurePosixPath("cds_service/a.py"), source) == [], reason


@pytest.mark.parametrize(
    ("paths", "strangers"),
    [
        (["setup.py", "cds_service/app.py"], ["setup.py"]),
        (["scripts/run.sh", "scripts/x/y.sh"], ["scripts"]),
        (["docs"], ["docs"]),
        ([".ci/run", ".gitignore", "requirements.lock", "docs/a.md", "LICENSE"], []),
    ],
)
def test_top_level_strangers_are_named(paths: list[str], strangers: list[str]) -> None:
    assert strangers_at_top([PurePosixPath(path) for path in paths]) == strangers


@pytest.mark.parametrize(
    ("folders", "misplaced"),
    [
        ([], 0),
        (["cds_service/web"], 0),
        (["cds_service/web", "cds_service/web"], 2),
        (["cds_service/audit"], 1),
        (["cds_service/web", "fhir_mappings"], 2),
    ],
)
def test_broad_handlers_beyond_the_one_are_misplaced(folders: list[str], misplaced: int) -> None:
    found = [(PurePosixPath(folder) / "a.py", f"{folder}/a.py:1") for folder in folders]

    assert len(misplaced_handlers(found)) == misplaced
