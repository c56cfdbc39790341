"""The data files beside this module: their bytes, their parsed tables and their version."""

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from fhir_mappings.errors import MappingError
from fhir_mappings.reader import RowReader

FILE_NAMES = (
    "systems.toml",
    "analytes.toml",
    "refused.toml",
    "materials.toml",
    "findings.toml",
    "units.toml",
    "plausible.toml",
    "conditions.toml",
    "metastases.toml",
    "confounders.toml",
    "procedures.toml",
    "operations.toml",
    "body_sites.toml",
    "indications.toml",
)

_Value = TypeVar("_Value")


def read_data_files() -> dict[str, bytes]:
    """Return the bytes of every shipped data file by name. Raises OSError if the package is incomplete."""
    folder = Path(__file__).parent
    return {name: (folder / name).read_bytes() for name in FILE_NAMES}


def content_version(files: Mapping[str, bytes]) -> str:
    """Return twelve hexadecimal digits (of SHA-256) that change with any byte of any file."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()[:12]


class DataFile:
    """One parsed data file. Knows its sources and hands out its tables with their origin."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        try:
            self._tables = tomllib.loads(content.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise MappingError(name, str(error)) from error
        self._asked: set[str] = set()
        self._read_about()
        self.sources = self.texts_of("sources")

    def table(self, key: str) -> RowReader:
        """Return a single table. Raises MappingError if it is missing."""
        self._asked.add(key)
        return RowReader(self._tables.get(key), f"{self.name}, {key}")

    def texts_of(self, key: str) -> dict[str, str]:
        """Return a single table that holds nothing but texts."""
        table = self.table(key)
        return {name: table.text(name) for name in table.names()}

    def rows(self, key: str, read: Callable[[RowReader, tuple[str, ...]], Iterable[_Value]]) -> tuple[_Value, ...]:
        """Read every table of an array with `read`, which gets the row and its checked source keys."""
        self._asked.add(key)
        found = self._tables.get(key)
        if not isinstance(found, list):
            raise MappingError(self.name, f"no [[{key}]] tables")
        values: list[_Value] = []
        for number, raw in enumerate(found, start=1):
            row = RowReader(raw, f"{self.name}, {key} {number}")
            values.extend(read(row, self.sources_of(row)))
            row.finish()
        return tuple(values)

    def sources_of(self, row: RowReader) -> tuple[str, ...]:
        """Return the source keys of a row. Raises MappingError for a key that the file does not explain."""
        keys = row.texts("sources")
        unknown = [key for key in keys if key not in self.sources]
        if unknown:
            raise MappingError(row.origin, f"unknown source {', '.join(unknown)}")
        return keys

    def finish(self) -> None:
        """Refuse tables that nobody asked for: rows under a mistyped name must not be lost."""
        unknown = sorted(set(self._tables) - self._asked)
        if unknown:
            raise MappingError(self.name, f"unknown table {', '.join(unknown)}")

    def _read_about(self) -> None:
        about = self.table("about")
        for key in ("what", "release", "review"):
            about.text(key)
        about.text("notice", "")
        about.finish()
