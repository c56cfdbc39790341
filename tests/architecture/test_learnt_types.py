"""Types of msgspec are learnt when a module is imported: two threads that are first at once kill the process (0083)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cds_service

PACKAGE = Path(cds_service.__file__).parent
# What a function may read for the first time.
ALLOWED = {
    "dict[str, Any]": "nothing to learn",
    "kind": "the policy of a record, read by commands, which have one thread",
    "_CleanBundle[resource_class]": "readers of Bundles are made when their module is imported",
    "resource_class": "as above",
}
# All have read their file before one of them converts it.
FIRST_READERS = """
import sys, threading, msgspec
sys.setswitchinterval(1e-6)
from datetime import timezone
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.model_card.content import build_content
barrier, convert = threading.Barrier(8), msgspec.convert
def convert_together(*arguments):
    barrier.wait()
    return convert(*arguments)
msgspec.convert = convert_together
policy = ClinicalPolicy(timezone=timezone.utc)
threads = [threading.Thread(target=build_content, args=(policy, '1.0')) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_types_read_in_a_function_are_learnt_when_the_module_is_imported() -> None:
    unlearnt = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in _unlearnt(path.read_text(encoding="utf-8"))
    }

    assert unlearnt == set()


@pytest.mark.parametrize(
    ("source", "expected", "reason"),
    [
        ("def f(x): return msgspec.convert(x, A)", {"A"}, "the second thread of two finds half a type"),
        ("def f(x): return msgspec.json.decode(x, type=A)", {"A"}, "the same by another name"),
        ("def f(): return msgspec.json.Decoder(A)", {"A"}, "a decoder made late learns late"),
        ("def f(x): return msgspec.json.decode(x)", set(), "no type"),
        ("D = msgspec.json.Decoder(tuple[A, B])\ndef f(x): return msgspec.convert(x, B)", set(), "learnt with another"),
        ("D: Final = msgspec.json.Decoder(A)\ndef f(x): return msgspec.convert(x, A)", set(), "learnt above"),
    ],
)
def test_unlearnt_type_is_found_by_the_call_that_would_learn_it(source: str, expected: set[str], reason: str) -> None:
    assert _unlearnt(source) == expected, reason


def test_first_readers_of_the_model_card_at_once_leave_the_process_alive() -> None:
    # Two in three died before the types were learnt first.
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", FIRST_READERS], capture_output=True, text=True, check=False)

        assert (done.returncode, done.stderr) == (0, "")


def _unlearnt(source: str) -> set[str]:
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inner = {call for function in functions for call in ast.walk(function) if isinstance(call, ast.Call)}
    learnt = {
        name.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call not in inner
        for kind in _types_of(call)
        for name in ast.walk(kind)
        if isinstance(name, ast.Name)
    }
    read = {ast.unparse(kind) for call in inner for kind in _types_of(call)}
    return read - learnt - ALLOWED.keys()


def _types_of(call: ast.Call) -> list[ast.expr]:
    """The types that a call makes msgspec learn."""
    called = ast.unparse(call.func)
    by_name = [keyword.value for keyword in call.keywords if keyword.arg == "type"]
    match called:
        case "msgspec.convert":
            return [*call.args[1:2], *by_name]
        case "msgspec.json.decode":
            return by_name
        case "msgspec.json.Decoder":
            return [*call.args[:1], *by_name]
        case _:
            return []
