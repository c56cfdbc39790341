"""The manifest of a Bulk Data export: which files there should be, and until when it speaks (FHIR Bulk Data, 2.0.0)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from cds_service.foreign_bytes import UNREADABLE, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from cds_service.insight.sources.remote_files import ExportPath

_LARGEST: Final = 16 * 1024 * 1024


class _Output(msgspec.Struct):
    type: str | None = None
    url: str | None = None
    count: int | None = None


class _Manifest(msgspec.Struct):
    transactionTime: str  # noqa: N815
    output: tuple[_Output, ...] = ()
    deleted: Any = None


_DECODER: Final = msgspec.json.Decoder(_Manifest)


class ListedFile(NamedTuple):
    """A file that a manifest names, and how many resources it should hold, where it tells."""

    path: ExportPath
    resources: int | None


class Manifest(NamedTuple):
    """What an export says of itself. `transaction_time` as written; what is later is not in it."""

    path: ExportPath
    transaction_time: str
    files: tuple[ListedFile, ...]

    @property
    def missing(self) -> tuple[ExportPath, ...]:
        """Name the files that are not there."""
        return tuple(file.path for file in self.files if not file.path.is_file())


def read_manifest(path: ExportPath) -> Manifest | None:
    """Read a file as a manifest; None for any other file. Files are looked for beside it, by the end of their URL."""
    if path.suffix != ".json" or path.stat().st_size > _LARGEST:
        return None
    try:
        sent = decode(_DECODER, path.read_bytes())
    except UNREADABLE:
        return None
    return Manifest(path, sent.transactionTime, tuple(_listed(sent.output, path.parent)))


def find_manifests(paths: Iterable[ExportPath]) -> tuple[Manifest, ...]:
    """Return the manifests among the files that are named and in the folders that are named. Raises OSError."""
    found = []
    for path in paths:
        candidates: list[ExportPath] = sorted(path.glob("*.json"), key=str) if path.is_dir() else [path]
        found += [manifest for file in candidates if (manifest := read_manifest(file)) is not None]
    return tuple(found)


def _listed(output: Iterable[_Output], folder: ExportPath) -> Iterator[ListedFile]:
    for one in output:
        name = Path(unquote(urlsplit(one.url or "").path)).name
        if name:
            yield ListedFile(_beside(folder, name, one.type), one.count)


def _beside(folder: ExportPath, name: str, resource_type: str | None) -> ExportPath:
    """Return the file of that name, with or without an ending, plain or gzip; the name itself where there is none."""
    endings = ("", ".ndjson", ".gz", ".ndjson.gz")
    candidates = [folder / f"{name}{ending}" for ending in endings]
    if resource_type:
        candidates += [folder / f"{resource_type}.{name}{ending}" for ending in endings]
    return next((file for file in candidates if file.is_file()), candidates[0])


def read_transaction_time(transaction_time: str, zone: tzinfo) -> datetime | None:
    """Return the moment up to which an export speaks, in `zone` where it names none; None where it cannot be read."""
    try:
        moment = datetime.fromisoformat(transaction_time)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
