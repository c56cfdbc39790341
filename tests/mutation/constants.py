"""Mutants of what mutmut cannot reach: constants, tables, defaults, enumerations, properties and `__new__`.

mutmut switches between copies of a function while the program runs, so code that runs once at import is out of its
reach. Here each mutant is a fresh import of a changed syntax tree in a process of its own; no file is changed.
Prints every mutant that the tests given as arguments do not notice.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

# Loaded once, before the processes part; the packages under test are not among them.
import flask  # noqa: F401
import msgspec  # noqa: F401
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.machinery import ModuleSpec
    from types import ModuleType

PACKAGES = ("cds_service/clinical", "cds_service/normalization")
PROCESSES = 2
SECONDS = 120
# Names that speak to the type checker alone.
TYPE_ALIASES = frozenset({"_Order", "_Lanes", "Kind", "Decided", "Assessment"})


class Mutant(NamedTuple):
    """A module with one change."""

    module: str
    line: int
    change: str
    tree: ast.Module


class MutatedModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed syntax tree in place of the module's file."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.tree, self._mutant.module, "exec"), module.__dict__)  # noqa: S102  the own source


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield the mutants of one file."""
    tree = ast.parse(path.read_text())
    outside = {id(node) for node in _outside_functions(tree)}
    for place, node in enumerate(ast.walk(tree)):
        for number, (change, _) in enumerate(_changes(node) if id(node) in outside else ()):
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[place]
            _changes(twin)[number][1]()
            module = ".".join(path.with_suffix("").parts)
            yield Mutant(module, getattr(node, "lineno", 0), change, ast.fix_missing_locations(changed))


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what mutmut leaves out: all but plain functions, annotations, docstrings and type aliases."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef) and not child.decorator_list and child.name != "__new__":
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) in TYPE_ALIASES:
            continue
        if isinstance(node, (ast.AnnAssign, ast.arg)) and child is node.annotation:
            continue
        if isinstance(node, ast.FunctionDef) and child is node.returns:
            continue
        yield child
        yield from _outside_functions(child)


def _changes(node: ast.AST) -> list[tuple[str, Callable[[], None]]]:
    """List the changes of one node, each with what makes it."""
    if isinstance(node, ast.Constant):
        changed = _other_constant(node.value)
        return [(f"{node.value!r} -> {changed!r}", lambda: setattr(node, "value", changed))]
    if isinstance(node, (ast.Set, ast.Tuple, ast.List)) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return [
            (f"without {ast.unparse(e)}", lambda place=place: node.elts.pop(place))  # type: ignore[misc]
            for place, e in enumerate(node.elts)
        ]
    if isinstance(node, ast.Dict):
        return [
            (f"without {ast.unparse(key or node)}", lambda place=place: _drop_entry(node, place))  # type: ignore[misc]
            for place, key in enumerate(node.keys)
        ]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [("minus -> plus", lambda: setattr(node, "op", ast.UAdd()))]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [("* -> +", lambda: setattr(node, "op", ast.Add()))]
    if isinstance(node, ast.IfExp):
        return [
            ("always the first", lambda: setattr(node, "test", ast.Constant(True))),
            ("always the second", lambda: setattr(node, "test", ast.Constant(False))),
        ]
    return []


def _other_constant(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return f"XX{value}XX"
    return ""


def _drop_entry(node: ast.Dict, place: int) -> None:
    del node.keys[place], node.values[place]


def _unchanged(module: str) -> ast.Module:
    return ast.parse(Path(*module.split(".")).with_suffix(".py").read_text())


def start(mutant: Mutant, tests: list[str]) -> int:
    """Run the tests against a mutant in a process of its own and return its id."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        output = os.open(os.devnull, os.O_WRONLY)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.meta_path.insert(0, MutatedModule(mutant))
        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])))
    return child


def survivors_of(mutants: list[Mutant], tests: list[str]) -> list[Mutant]:
    """Return the mutants against which every test passes; one that hangs is noticed too."""
    survivors: list[Mutant] = []
    running: dict[int, Mutant] = {}
    waiting = list(reversed(mutants))
    while waiting or running:
        if waiting and len(running) < PROCESSES:
            mutant = waiting.pop()
            running[start(mutant, tests)] = mutant
            continue
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            survivors.append(mutant)
            sys.stdout.write(f"survived: {mutant.module}:{mutant.line}: {mutant.change}\n")
            sys.stdout.flush()
    return survivors


def main(tests: list[str]) -> int:
    """Try every mutant, print the survivors and the counts of each package."""
    files = [path for package in PACKAGES for path in sorted(Path(package).glob("*.py"))]
    mutants = [mutant for path in files for mutant in mutants_of(path)]
    unchanged = Mutant(mutants[0].module, 0, "nothing", _unchanged(mutants[0].module))
    if os.waitpid(start(unchanged, tests), 0)[1] != 0:
        sys.stderr.write("The tests fail without any mutant\n")
        return 1
    survivors = survivors_of(mutants, tests)
    totals, alive = (Counter(m.module.rpartition(".")[0] for m in some) for some in (mutants, survivors))
    for package, total in totals.items():
        sys.stdout.write(f"{package}: {total} mutants, {alive[package]} survived\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
