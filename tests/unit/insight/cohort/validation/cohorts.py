"""Validations of generated cohorts, as the command gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from cds_service.cli.main import main
from tests.support.cohort.assessed_folders import drawn_rows, write_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cds_service.insight.cohort.rows import AssessedRow


def run(*arguments: object) -> tuple[int, str, str]:
    """Run `cohort validate`; return exit code, standard output and standard error."""
    done = CliRunner().invoke(main, ["cohort", "validate", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def figures(tmp_path: Path, rows: Sequence[AssessedRow], *options: object) -> Any:
    """Return validation.json of rows in one folder, with few resamples and nothing suppressed unless told otherwise."""
    folder = write_folder(tmp_path / "assessed", rows)
    code, _, problem = run(folder, "--json", tmp_path / "out.json", "--bootstrap", 20, "--min-cell", 1, *options)
    assert (code, problem) == (0, "")
    return json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))


def entered(patients: int, seed: int, design: str = "baseline") -> list[AssessedRow]:
    """Return rows of one design that all entered."""
    return [row for row in drawn_rows(patients, seed, (design,)) if row.entered]
