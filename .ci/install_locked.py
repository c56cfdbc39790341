"""Install what locks name into the environment of the Python that runs this, and tell how far it is.

pip is silent or tells everything; a first installation takes a minute or more. On a terminal one line is rewritten,
elsewhere a line is written now and then. Only the standard library: nothing else is there yet.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Built distributions only: compiling a source distribution would fetch build tools that no lock names.
PIP: Final = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off")
LOCKED: Final = ("--require-hashes", "--only-binary", ":all:")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# A requirement with the lines that go on with it.
ENTRY: Final = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\S*==.*\n(?:[ \t]+.*\n)*", re.MULTILINE)
AT_HAND: Final = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9][A-Za-z0-9._-]*)")
OTHER_PLATFORM: Final = re.compile(r"^Ignoring [A-Za-z0-9]")
PUT_IN_PLACE: Final = re.compile(r"^Installing collected packages: (.+)")
_WAIT_SECONDS: Final = 0.5
# Elsewhere than on a terminal, one line for each of this many steps.
_SPARSE: Final = 20


class Progress:
    """The line that tells how far it is."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._is_terminal, self._last = stream, stream.isatty(), ""

    def tell(self, what: str, done: int, total: int) -> None:
        """Say `what`, with how many of how many."""
        text = f"{what}: {done} of {total}"
        if text == self._last or not (self._is_terminal or done % _SPARSE == 0 or done == total):
            return
        self._last = text
        self._stream.write(f"\r  {text}\x1b[K" if self._is_terminal else f"  {text}\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal and self._last:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def pins(locks: Iterable[str]) -> int:
    """Count the pins in the texts of locks, those for other platforms too; what two locks share counts once."""
    return len({match[0].splitlines()[0] for lock in locks for match in ENTRY.finditer(lock)})


def needed_by_extra_alone(project: str, extra: str) -> set[str]:
    """Return the names that pyproject.toml lists under this extra and nowhere else."""
    described = tomllib.loads(project)["project"]
    lists = {"": described["dependencies"], **described["optional-dependencies"]}
    names = {key: {NAME.match(line)[0].lower() for line in lines} for key, lines in lists.items()}  # type: ignore[index]
    return names.pop(extra) - set().union(*names.values())


def leave_out(lock: str, names: set[str]) -> str:
    """Return a lock without these packages. pip refuses to go on should another package need one of them."""
    return ENTRY.sub(lambda match: "" if match["name"].lower() in names else match[0], lock)


def follow(lines: Iterator[str], total: int, installed: Path, progress: Progress) -> list[str]:
    """Tell the progress of pip from its lines; an empty line says that time passes. Returns what pip said."""
    at_hand: set[str] = set()
    to_place, before, said = 0, 0, []
    for line in lines:
        if line:
            said.append(line)
        total -= OTHER_PLATFORM.match(line) is not None
        if match := AT_HAND.match(line):
            at_hand.add(match[1].lower())
            progress.tell("fetching packages", min(len(at_hand), total), total)
        elif match := PUT_IN_PLACE.match(line):
            to_place, before = len(match[1].split(",")), _installed(installed)
        if to_place:
            progress.tell("putting them in place", min(_installed(installed) - before, to_place), to_place)
    return said


def _installed(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.dist-info"))


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield the lines that a process writes, and an empty one whenever nothing comes for half a second."""
    rest, stream = b"", process.stdout
    while stream:
        if not select.select([stream], [], [], _WAIT_SECONDS)[0]:
            yield ""
            continue
        block = os.read(stream.fileno(), 65536)
        *whole, rest = (rest + block).split(b"\n")
        yield from (line.decode(errors="replace").rstrip() for line in whole)
        if not block:
            yield rest.decode(errors="replace")
            return


def install(locks: Mapping[str, str]) -> int:
    """Have pip install what the texts of locks name; print what it said when it fails. Returns its exit code."""
    progress = Progress(sys.stdout)
    command = [sys.executable, *PIP, *LOCKED]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in locks.items():
            path = Path(folder, Path(name).name)
            path.write_text(text, encoding="utf-8")
            command += ["-r", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pip:  # noqa: S603  own words
            said = follow(_lines(pip), pins(locks.values()), Path(sysconfig.get_path("purelib")), progress)
    progress.end()
    if pip.returncode:
        sys.stderr.write("\n".join([*said, ""]))
    return pip.returncode


def main(arguments: list[str]) -> int:
    """Install the locks named, without the packages of the extra named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("locks", nargs="+", metavar="LOCK")
    parser.add_argument("--without-extra", metavar="NAME", help="leave out what this extra of pyproject.toml adds")
    options = parser.parse_args(arguments)
    locks = {name: Path(name).read_text(encoding="utf-8") for name in options.locks}
    what = " and ".join(options.locks)
    if options.without_extra:
        unwanted = needed_by_extra_alone(Path("pyproject.toml").read_text(encoding="utf-8"), options.without_extra)
        locks = {name: leave_out(text, unwanted) for name, text in locks.items()}
        what += f" without {' and '.join(sorted(unwanted))}"
    sys.stdout.write(f"Installing {what} into {Path(sys.prefix).name}\n")
    sys.stdout.flush()
    started = time.monotonic()
    code = install(locks)
    if code == 0:
        sys.stdout.write(f"Installed in {time.monotonic() - started:.0f} s\n")
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
