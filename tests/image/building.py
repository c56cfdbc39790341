"""Building `docker/Dockerfile` with buildah in a chroot, with wheels that the machine's own pip fetched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from tests.architecture.checkout import ROOT

_LOCKS: Final = ("requirements.lock", ".ci/build-tools.lock")
_TAG: Final = "localhost/sii-cds"


class Buildah:
    """buildah without an engine, a registry, or anything outside one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep where everything goes."""
        self._folder = folder
        storage: list[str | Path] = ["--root", folder / "storage", "--runroot", folder / "run"]
        self._command: list[str | Path] = ["buildah", "--storage-driver", "vfs", *storage]

    def build_base(self, archive: Path) -> str:
        """Make an image of an archive and return its name."""
        dockerfile = archive.with_suffix(".Dockerfile")
        dockerfile.write_text(f"FROM scratch\nADD {archive.name} /\n", encoding="utf-8")
        name = f"localhost/base-{archive.stem}"
        self._build(name, dockerfile, archive.parent)
        return name

    def build_image(self, bases: tuple[str, str], wheels: Path) -> None:
        """Build the image as `docker/README.md` says, on these bases (to build, to run) and from these wheels alone."""
        build_base, run_base = bases
        arguments = {"BASE": run_base, "BUILD_BASE": build_base, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
        options = [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
        self._build(_TAG, ROOT / "docker/Dockerfile", ROOT, *options, "--volume", f"{wheels}:/wheels:ro")

    def configuration(self) -> dict[str, Any]:
        """Return what the image says about how it is run, as a container engine reads it."""
        found = json.loads(self._output("inspect", "--type", "image", _TAG))
        configuration: dict[str, Any] = found["Docker"]["config"]
        return configuration

    def unpacked(self) -> Path:
        """Return the root file system of the image."""
        return Path(self._output("mount", self._output("from", _TAG)))

    def _build(self, tag: str, dockerfile: Path, context: Path, *options: str) -> None:
        command: list[str | Path] = [
            "bud",
            "--quiet",
            "--isolation",
            "chroot",
            "--format",
            "docker",
            "--tag",
            tag,
            "--file",
            dockerfile,
        ]
        done = subprocess.run(
            [*self._command, *command, *options, context], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"the build of {tag} failed:\n{done.stdout}\n{done.stderr}")

    def _output(self, *arguments: str) -> str:
        return subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def fetch_wheels(folder: Path) -> Path:
    """Fetch what the locks name, for the Python that runs this: the base must have the same."""
    for lock in _LOCKS:
        locked: list[str | Path] = [
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--dest",
            folder,
            "--requirement",
            ROOT / lock,
        ]
        subprocess.run([sys.executable, "-m", "pip", "--quiet", "download", *locked], check=True)
    return folder
