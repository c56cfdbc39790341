"""The folders that `cohort assess` wrote, read and checked: every row, or a sentence that says what is wrong."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import CohortFolderError
from cds_service.insight.cohort.rows import COLUMNS
from cds_service.insight.cohort.tables import CSV_FILE, PARQUET_FILE, require_pyarrow
from cds_service.insight.cohort.validation.entered import EnteredRow, read_entered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FORMAT: Final = 1
# What `cohort assess` takes where nothing else is said: five years.
DEFAULT_FOLLOW_UP: Final = 1_826
_BATCH: Final = 10_000
_DISAGREEMENTS: Final = "disagreements.csv"
_PROBLEMS: Final = "problems.jsonl"


@dataclass(slots=True)
class DesignRows:
    """The rows of one design in one folder: those that entered, and how many came to each outcome.

    `outcomes` counts all rows by outcome and reason, `entered_outcomes` those that entered; `index_procedures` is what
    `flow.json` says, else the number of rows.
    """

    entered: list[EnteredRow] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    entered_outcomes: Counter[str] = field(default_factory=Counter)
    index_procedures: int = 0


@dataclass(slots=True)
class Folder:
    """One site: its designs, the follow-up it was assessed with, and what was not as it should be.

    `without_index_procedure` counts patients of the export who have no row; None where `run.json` does not say.
    """

    path: Path
    follow_up: int
    designs: dict[str, DesignRows]
    without_index_procedure: int | None
    rule_versions: set[str]
    disagreements: Counter[str] | None
    remarks: tuple[str, ...]


def read_folders(paths: Sequence[Path]) -> list[Folder]:
    """Read every folder.

    Raises CohortFolderError for one that is no folder of `cohort assess`, is of another version, holds a damaged row
    or is named twice, and MissingExtraError where its rows are in Parquet only and pyarrow is not installed.
    """
    twice = [str(path) for path, times in Counter(path.resolve() for path in paths).items() if times > 1]
    if twice:
        raise CohortFolderError(f"{twice[0]}: is named twice; its patients would count twice")
    return [_read_folder(path) for path in paths]


def _read_folder(path: Path) -> Folder:
    if not path.is_dir():
        raise CohortFolderError(f"{path}: there is no such folder")
    run, remarks = _read_run(path)
    remarks += _remarks_on_input(path, run)
    designs: dict[str, DesignRows] = {}
    versions = set()
    for line, cells in enumerate(_rows(path), 2):
        row = dict(zip(COLUMNS, cells, strict=True))
        versions.add(row["rule_version"])
        try:
            _count(designs.setdefault(row["design"], DesignRows()), row)
        except ValueError as error:
            raise CohortFolderError(f"{path / CSV_FILE}, line {line}: {error}") from None
    remarks += _add_flow(path, designs)
    return Folder(
        path,
        _follow_up(path, run),
        designs,
        _without_index_procedure(run),
        versions - {""},
        _disagreements(path),
        tuple(remarks),
    )


def _count(rows: DesignRows, row: dict[str, str]) -> None:
    if not row["design"] or not row["outcome"]:
        raise ValueError("design or outcome is missing")
    rows.outcomes[row["outcome"], row["reason"]] += 1
    rows.index_procedures += 1
    if row["entered"] == "1":
        rows.entered.append(read_entered(row))
        rows.entered_outcomes[row["outcome"]] += 1
    elif row["entered"] != "0":
        raise ValueError("entered is neither 0 nor 1")


def _rows(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row in the order of `COLUMNS`: of the CSV file, or of the Parquet file without it."""
    try:
        if (path / CSV_FILE).is_file():
            yield from _csv_rows(path / CSV_FILE)
        elif (path / PARQUET_FILE).is_file():
            yield from _parquet_rows(path / PARQUET_FILE)
        else:
            raise CohortFolderError(f"{path}: holds no {CSV_FILE}; it is not a folder that cohort assess wrote")
    except OSError as error:
        raise CohortFolderError(f"{path}: cannot be read: {error.strerror or 'it is damaged'}") from None


def _csv_rows(file: Path) -> Iterator[tuple[str, ...]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        try:
            places = _places(file, next(reader, []))
            for cells in reader:
                if len(cells) <= max(places):
                    raise CohortFolderError(f"{file}, line {reader.line_num}: cells are missing")
                yield tuple(cells[place] for place in places)
        except (csv.Error, UnicodeDecodeError):
            raise CohortFolderError(f"{file}, line {reader.line_num}: is not CSV in UTF-8") from None


def _parquet_rows(file: Path) -> Iterator[tuple[str, ...]]:
    arrow = require_pyarrow()
    try:
        table = arrow.parquet.ParquetFile(file)
        _places(file, table.schema_arrow.names)
        for batch in table.iter_batches(_BATCH, columns=list(COLUMNS)):
            for row in batch.to_pylist():
                yield tuple(_text(row[name]) for name in COLUMNS)
    except arrow.ArrowException:
        raise CohortFolderError(f"{file}: is damaged, or not Parquet") from None


def _text(value: object) -> str:
    """Return a value as the CSV file has it; other programs write whole numbers as fractions, and nothing as nan."""
    match value:
        case None:
            return ""
        case float():
            return "" if isnan(value) else f"{value:.0f}" if value.is_integer() else repr(value)
        case _:
            return str(value)


def _places(file: Path, heading: Sequence[str]) -> list[int]:
    missing = [name for name in COLUMNS if name not in heading]
    if missing:
        what = ", ".join(missing)
        raise CohortFolderError(f"{file}: lacks columns ({what}); it was written by another version of cohort assess")
    return [heading.index(name) for name in COLUMNS]


def _read_run(path: Path) -> tuple[dict[str, Any], list[str]]:
    run = _read_json(path / "run.json")
    if run is None:
        return {}, [f"run.json is missing: a follow-up of {DEFAULT_FOLLOW_UP} days is taken for granted."]
    if run.get("format", FORMAT) != FORMAT:
        raise CohortFolderError(
            f"{path}: was written by another version of cohort assess (format {run.get('format')!r}, not {FORMAT}); "
            "assess the export again"
        )
    return run, []


def _follow_up(path: Path, run: dict[str, Any]) -> int:
    settings = run.get("settings")
    days = settings.get("follow_up", DEFAULT_FOLLOW_UP) if isinstance(settings, dict) else DEFAULT_FOLLOW_UP
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        raise CohortFolderError(f"{path / 'run.json'}: follow_up is not a number of days")
    return days


def _without_index_procedure(run: dict[str, Any]) -> int | None:
    """Return how many patients of the export have no row; None where the run does not say."""
    patients = run.get("patients")
    number = patients.get("without_index_procedure") if isinstance(patients, dict) else None
    return number if isinstance(number, int) else None


def _add_flow(path: Path, designs: dict[str, DesignRows]) -> list[str]:
    """Take the index procedures of each design from `flow.json`; what does not fit the rows is remarked on."""
    flow = _read_json(path / "flow.json")
    if flow is None:
        return ["flow.json is missing: index procedures are counted from the rows."]
    remarks = []
    for name, content in flow.items():
        rows = designs.setdefault(name, DesignRows())
        try:
            rows.index_procedures = int(content["index_procedures"])
            outcomes = Counter({key: int(number) for key, number in content["outcomes"].items()})
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CohortFolderError(f"{path / 'flow.json'}: {name!r} has no counts") from None
        if +outcomes != Counter({_key(*key): number for key, number in rows.outcomes.items()}):
            remarks.append(f"flow.json does not count what the rows of {name} hold; the rows are used.")
    return remarks


def _key(outcome: str, reason: str) -> str:
    return f"{outcome}:{reason}" if reason else outcome


def _read_json(file: Path) -> dict[str, Any] | None:
    """Return the object; None where there is no such file."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CohortFolderError(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise CohortFolderError(f"{file}: is not JSON") from None
    if not isinstance(content, dict):
        raise CohortFolderError(f"{file}: is not an object")
    return content


def _disagreements(path: Path) -> Counter[str] | None:
    """Count recorded decisions that a recomputation disagrees with, by explanation; None where none was made."""
    try:
        with (path / _DISAGREEMENTS).open(encoding="utf-8-sig", newline="") as stream:
            return Counter(row.get("explanation") or "unexplained" for row in csv.DictReader(stream))
    except FileNotFoundError:
        return None
    except (OSError, csv.Error, UnicodeDecodeError):
        raise CohortFolderError(f"{path / _DISAGREEMENTS}: cannot be read") from None


def _remarks_on_input(path: Path, run: dict[str, Any]) -> Iterator[str]:
    """Tell of what was wrong with the export: the figures rest on what could be read."""
    findings = run.get("findings")
    if isinstance(findings, list) and findings:
        yield f"cohort assess noted something about the export; run.json lists it ({len(findings)})."
    try:
        with (path / _PROBLEMS).open("rb") as stream:
            lines = sum(1 for line in stream if line.strip())
    except FileNotFoundError:
        return
    except OSError:
        raise CohortFolderError(f"{path / _PROBLEMS}: cannot be read") from None
    if lines:
        yield f"Lines of the export that could not be read: {lines:,}; problems.jsonl names them."
