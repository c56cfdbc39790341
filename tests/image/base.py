"""Base images made from Debian packages: the machine that tests reaches no image registry."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

# A build needs venv and pip, which Debian keeps in packages of their own; what only runs has neither.
_BUILD_PACKAGES: Final = ("python3-venv", "python3.*-venv", "python3-pip-whl", "python3-setuptools-whl")
_LEFT_OUT: Final = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")


def make_bases(folder: Path) -> tuple[Path, Path]:
    """Make two archives in a folder: one to build on, with pip and venv, and one to run on, without."""
    root = folder / "root"
    _bootstrap(root)
    build, run = folder / "build.tar", folder / "run.tar"
    _pack(root, build)
    installed = _output("chroot", root, "dpkg-query", "--show", "--showformat=${Package}\n", *_BUILD_PACKAGES)
    subprocess.run(
        ["chroot", root, "dpkg", "--purge", "--force-depends", *installed.split()], check=True, capture_output=True
    )
    _pack(root, run)
    return build, run


def _bootstrap(root: Path) -> None:
    """Install Debian into a folder, from where this machine's own packages come."""
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    # libstdc++6 is in every image with apt, Python's official ones among them; numpy does not start without it.
    packages = "--include=python3,python3-venv,ca-certificates,libstdc++6"
    command: list[str | Path] = [
        "mmdebstrap",
        "--quiet",
        "--variant=essential",
        "--format=directory",
        packages,
        *options,
        "",
        root,
        "-",
    ]
    subprocess.run(command, input=_sources(), check=True)


def _sources() -> bytes:
    apt = Path("/etc/apt")
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]
    deb822 = sorted((apt / "sources.list.d").glob("*.sources"))
    found = [path.read_bytes() for path in (*files, *deb822) if path.is_file()]
    return b"\n\n".join(found)


def _pack(root: Path, archive: Path) -> None:
    subprocess.run(["tar", "--create", "--directory", root, "--file", archive, "--one-file-system", "."], check=True)


def _output(*command: str | Path) -> str:
    # The status is 1 where one of several patterns matches nothing.
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
