"""Which modules a source text imports."""

import ast
from collections.abc import Iterator


def imported_names(source: str, module: str, *, is_package: bool = False) -> set[str]:
    """Absolute dotted names of every import, wherever it stands: in a function, or for type checking only.

    `from a import b` yields `a.b`, as `b` may be a module.
    """
    package = module if is_package else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom():
                base = _absolute_base(node, package)
                names.update(f"{base}.{alias.name}" for alias in node.names)
            case ast.Call():
                names.update(_imported_by_call(node))
            case _:
                pass
    return names


def is_within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _absolute_base(node: ast.ImportFrom, package: str) -> str:
    if node.level == 0:
        return node.module or ""
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - node.level + 1])
    return f"{base}.{node.module}" if node.module else base


def _imported_by_call(node: ast.Call) -> Iterator[str]:
    """The name given to `importlib.import_module` or `__import__` as a literal."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if function in {"import_module", "__import__"} and node.args:
        argument = node.args[0]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value
