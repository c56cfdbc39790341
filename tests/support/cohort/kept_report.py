"""The report that the demonstration shows, made anew: `python -m tests.support.cohort.kept_report` keeps it."""

from __future__ import annotations

import gzip
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cds_service.demo
from cds_service.demo.cohort_report import FILE
from cds_service.insight.cohort.validation.cohort import read_cohort
from cds_service.insight.cohort.validation.document import cohort_document
from cds_service.insight.cohort.validation.validate import Wanted, validate
from cds_service.reports.as_html import as_html
from tests.architecture.checkout import ROOT
from tests.support.cohort.assessed_folders import drawn_rows, write_folder

KEPT: Final = Path(cds_service.demo.__file__).with_name(FILE)
_PATIENTS: Final = 600


def demonstration_report() -> str:
    """Return the page of 600 synthetic patients drawn from the study's figures, by the version of this checkout."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    with TemporaryDirectory() as folder:
        assessed = write_folder(Path(folder) / "assessed", drawn_rows(_PATIENTS, 1, ("baseline",)))
        validation = validate(read_cohort((assessed,), None), Wanted(resamples=500))
    return as_html(cohort_document(validation, version))


if __name__ == "__main__":
    # No time of day: the same page gives the same bytes.
    KEPT.write_bytes(gzip.compress(demonstration_report().encode(), mtime=0))
    sys.stdout.write(f"{KEPT}: {KEPT.stat().st_size:,} bytes\n")
