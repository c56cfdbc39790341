"""The files of the checkout: what git would commit, or everything where there is no git."""

import os
import subprocess
from functools import cache
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cds_service", "fhir_mappings")


@cache
def repository_files() -> tuple[PurePosixPath, ...]:
    """Paths relative to the root, sorted."""
    names = _files_known_to_git() or _files_on_disk()
    return tuple(sorted(PurePosixPath(name) for name in names if (ROOT / name).is_file()))


def python_files() -> tuple[PurePosixPath, ...]:
    """Python source files of the repository."""
    return tuple(path for path in repository_files() if path.suffix == ".py")


def read(path: PurePosixPath) -> str:
    """Text of a repository file."""
    return (ROOT / path).read_text(encoding="utf-8")


def module_name(path: PurePosixPath) -> str:
    """`a/b.py` is `a.b`, `a/__init__.py` is `a`."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _files_known_to_git() -> list[str]:
    """Tracked and new files; empty outside a git checkout of this very folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    names = [name for name in answer.stdout.split("\0") if name]
    return names if "pyproject.toml" in names else []


def _files_on_disk() -> list[str]:
    """Every file that .gitignore does not name."""
    ignored = GitIgnoreSpec.from_lines([".git/", *read(PurePosixPath(".gitignore")).splitlines()])
    names = []
    for folder, subfolders, files in os.walk(ROOT):
        place = Path(folder).relative_to(ROOT)
        subfolders[:] = [name for name in subfolders if not ignored.match_file(f"{(place / name).as_posix()}/")]
        names += [(place / name).as_posix() for name in files]
    return [name for name in names if not ignored.match_file(name)]
