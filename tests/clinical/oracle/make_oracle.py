"""Make oracle.csv: python -m tests.clinical.oracle.make_oracle (from the root of the checkout)."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.clinical.oracle.cases import cases_of_draws
from tests.clinical.oracle.cases_of_differentials import cases_of_differentials
from tests.clinical.oracle.cases_of_procedures import cases_of_procedures
from tests.clinical.oracle.cases_of_results import cases_of_results
from tests.clinical.oracle.judgement import Case, Verdict, judge

TABLE = Path(__file__).with_name("oracle.csv")


def table() -> str:
    """Return the table as text: one line a case, what the chart says and what is expected of it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*Case._fields, *(f"expected_{name}" for name in Verdict._fields)])
    for kind, cases in (
        cases_of_draws() | cases_of_procedures() | cases_of_results() | cases_of_differentials()
    ).items():
        for number, case in enumerate(cases, start=1):
            writer.writerow([f"{kind}-{number:03}", *case[1:], *judge(case)])
    return text.getvalue()


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
