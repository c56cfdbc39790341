"""The rows of a cohort as files: the same rows as CSV, for people, and as Parquet, for programs."""

from __future__ import annotations

import csv
import os
from datetime import date
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import MissingExtraError
from cds_service.insight.cohort.rows import COLUMNS, WHOLE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType
    from typing import TextIO

CSV_FILE: Final = "assessments.csv"
PARQUET_FILE: Final = "assessments.parquet"
_MISSING: Final = (
    "Rows of a cohort need pyarrow, which is not installed: pip install --require-hashes -r requirements.lock"
)
# Row groups have one size, so that the file does not depend on how the work was shared out.
_ROWS_A_GROUP: Final = 20_000

Cells = tuple[str, ...]


def require_pyarrow() -> ModuleType:
    """Return pyarrow. Raises MissingExtraError where it is not installed."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as error:
        raise MissingExtraError(_MISSING) from error


def open_private(path: Path) -> TextIO:
    """Open a new file in UTF-8 for writing, for its owner alone. Raises FileExistsError where there is one."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a new CSV file with a heading. Raises OSError."""
    with open_private(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_rows(folder: Path, rows: Iterable[Cells]) -> None:
    """Write sorted rows to both files. Raises MissingExtraError where pyarrow is not installed, and OSError."""
    arrow = require_pyarrow()
    schema = _schema(arrow)
    descriptor = os.open(folder / PARQUET_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as parquet, open_private(folder / CSV_FILE) as stream:
        text = csv.writer(stream, lineterminator="\n")
        text.writerow(COLUMNS)
        with arrow.parquet.ParquetWriter(parquet, schema) as table:
            for group in _groups(iter(rows)):
                text.writerows(group)
                columns = [_column(name, cells) for name, cells in zip(COLUMNS, zip(*group, strict=True), strict=True)]
                table.write_table(arrow.table(columns, schema=schema))


def _groups(rows: Iterator[Cells]) -> Iterator[list[Cells]]:
    while group := list(islice(rows, _ROWS_A_GROUP)):
        yield group


def _schema(arrow: ModuleType) -> Any:
    """Return the types: numbers with digits of their own as text, since binary fractions would round them."""
    kinds = {name: arrow.int64() for name in WHOLE_NUMBERS} | {"decision": arrow.date32()}
    return arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])


def _column(name: str, cells: Iterable[str]) -> list[Any]:
    read: Callable[[str], Any] = int if name in WHOLE_NUMBERS else date.fromisoformat if name == "decision" else str
    return [read(cell) if cell else None for cell in cells]
