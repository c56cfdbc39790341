"""A folder that is updated as Kubernetes updates a mounted ConfigMap: by one rename of a link to all files."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class ConfigMap:
    """`folder/NAME` leads to `..data/NAME`, and `..data` to a folder of its own for each version."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        """Mount the first version."""
        self._folder = folder
        self._numbers = count(1)
        self.update(files)
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")

    def update(self, files: Mapping[str, bytes]) -> None:
        """Write a new version beside the old one, and swap the link."""
        version = f"..version_{next(self._numbers)}"
        (self._folder / version).mkdir()
        for name, content in files.items():
            (self._folder / version / name).write_bytes(content)
        link = self._folder / "..data_tmp"
        link.symlink_to(version)
        link.replace(self._folder / "..data")
