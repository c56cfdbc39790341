"""Reading a log from its directory: to verify it, and to look into its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.audit.chain import read_line
from cds_service.audit.decoding import decode_record
from cds_service.audit.files import look, opening_day, read_lines
from cds_service.audit.verification import verify_chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from cds_service.audit.bookkeeping import AnyRecord
    from cds_service.audit.chain import ChainHead
    from cds_service.audit.verification import Verification


class Entry(NamedTuple):
    """A line of the log with its place. `record` is None, and `sequence` 0, for a line that cannot be read."""

    file: str
    line: int
    sequence: int
    record: AnyRecord | None


def verify_log(
    directory: Path,
    keys: Sequence[bytes] = (),
    expected_head: ChainHead | None = None,
    *,
    site_key: bytes | None = None,
) -> Verification:
    """Verify what the log of a directory consists of now; see `verify_chain`.

    Raises OSError when the directory is missing or cannot be read.
    """
    extents = look(directory)
    while True:
        try:
            files = ((extent.path.name, read_lines(extent)) for extent in extents)
            return verify_chain(files, keys, expected_head, site_key=site_key)
        except FileNotFoundError:
            # Expired files are deleted while others read. Then the log begins later now, and says so.
            before, extents = extents, look(directory)
            if not extents or extents[0].path.name <= before[0].path.name:
                raise


def read_entries(directory: Path) -> Iterator[Entry]:
    """Yield all lines from the oldest on, without checking links. Raises OSError as `verify_log` does."""
    for extent in look(directory):
        for number, raw in enumerate(read_lines(extent), start=1):
            yield _read_entry(extent.path.name, number, raw)


def read_records(directory: Path, opened_since: date | None = None) -> Iterator[AnyRecord | None]:
    """Yield the records of all files, or of those begun on a UTC day or later; None for a line that cannot be read.

    Twice as fast as `read_entries`, since places are not told. Raises OSError as `verify_log` does.
    """
    for extent in look(directory):
        if opened_since is None or opening_day(extent.path.name) >= opened_since:
            yield from map(decode_record, read_lines(extent))


def _read_entry(file: str, number: int, raw: bytes) -> Entry:
    line = read_line(raw)
    record = decode_record(raw) if line is not None else None
    return Entry(file, number, line.sequence if line is not None and record is not None else 0, record)
