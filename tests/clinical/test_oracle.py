"""Every row of the oracle's table through the whole decision, from FHIR JSON to the assessment, tolerance zero."""

from __future__ import annotations

import ast
import csv
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds_service.authorization.clients import TrustedClient
from cds_service.cards.extension import assessment_extension
from cds_service.cards.options import CardOptions
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.flow import decide
from cds_service.decision.site import Site
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from tests.clinical.oracle.judgement import Verdict
from tests.clinical.oracle.make_oracle import TABLE, table
from tests.support import charts

Row = dict[str, str]

ROWS: list[Row] = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
MAPPINGS = load_mappings()
CLIENT = TrustedClient(name="test", issuer=None, mode="active")
# Numbers go into the body with the digits of the table.
EXACT_JSON = msgspec.json.Encoder(decimal_format="number")
CODES = {
    "platelets": dict.fromkeys(("absolute", "percent", "mixed"), charts.PLATELETS),
    "neutrophils": {
        "absolute": charts.NEUTROPHILS,
        "percent": charts.NEUTROPHILS_SHARE,
        "mixed": charts.NEUTROPHILS,
    },
    "lymphocytes": {
        "absolute": charts.LYMPHOCYTES,
        "percent": charts.LYMPHOCYTES_SHARE,
        "mixed": charts.LYMPHOCYTES_SHARE,
    },
}


LETTERS = {"P": charts.PLATELETS, "N": charts.NEUTROPHILS, "L": charts.LYMPHOCYTES}


def loose_result(word: str, number: int) -> charts.Json:
    """The Observation behind kind=value@time;specimen;status;issued, of which what is empty is left out."""
    sent, specimen, status, issued = (*word.split(";"), "", "", "")[:4]
    kind, _, rest = sent.partition("=")
    value, _, when = rest.partition("@")
    return charts.observation(
        LETTERS[kind],
        Decimal(value),
        when=when,
        oid=f"loose-{number}",
        specimen={"reference": f"Specimen/{specimen}"} if specimen else None,
        status=status or "final",
        issued=issued or None,
    )


DIFFERENTIAL_CODES = {
    "P": "777-3", "N": "751-8", "Nm": "753-4", "L": "731-0", "Lm": "732-8", "N%": "770-8", "Nm%": "23761-0",
    "L%": "736-9", "Lm%": "737-7", "S": "30451-9", "S%": "26505-8", "Sm%": "769-0", "B": "26507-4", "B%": "26508-2",
    "Bm%": "764-1", "V%": "13046-8",
}  # fmt: skip


def differential_result(word: str, when: str) -> charts.Json:
    """The Observation behind name=value of a differential."""
    name, _, value = word.partition("=")
    unit = "%" if "%" in name else "10*9/L"
    return charts.observation(DIFFERENTIAL_CODES[name], Decimal(value), unit, when=when, oid=f"d-{name}")


def observations(row: Row) -> list[charts.Json]:
    """The Observations of a row: a unit stands as text alone, and there is none where the row gives none."""
    found = [loose_result(word, number) for number, word in enumerate(row["results"].split())]
    found += [differential_result(word, row["drawn"]) for word in row["differential"].split()]
    for analyte, codes in CODES.items():
        if row[analyte]:
            unit = row[f"{analyte}_unit"]
            quantity = {"value": Decimal(row[analyte])} | ({"unit": unit} if unit else {})
            drawn = row["neutrophils_drawn"] if analyte == "neutrophils" else ""
            found.append(charts.observation(codes[row["basis"]], 0, when=drawn or row["drawn"], valueQuantity=quantity))
    if row["older_drawn"]:
        found += charts.draw(*map(Decimal, row["older_counts"].split()), when=row["older_drawn"])
    return found


def performed(text: str) -> charts.Json:
    """The date of a procedure as its resource says it."""
    start, _, end = text.partition("/")
    if end:
        return {"performedDateTime": None, "performedPeriod": {"start": start, "end": end}}
    return {"performedDateTime": None if text == "undated" else text}


def begun(text: str) -> charts.Json:
    """The status that stands behind an exclamation mark."""
    status = text.partition("!")[2]
    return {"status": status} if status else {}


def spread_code(text: str) -> tuple[str]:
    """The code of a metastasis: in the lung behind "elsewhere@", else in the liver."""
    return ("C78.00",) if text.startswith("elsewhere@") else ("C78.7",)


def onset(text: str) -> str | None:
    day = text.rpartition("@")[2]
    return None if day == "undated" else day


def body(row: Row) -> bytes:
    procedures = [
        charts.procedure(**performed(text.partition("!")[0]), **begun(text), id=f"pr-{number}")
        for number, text in enumerate(row["procedures"].split())
    ]
    spread = [
        charts.condition(*spread_code(text), id=f"c-{number}", onsetDateTime=onset(text))
        for number, text in enumerate(row["metastases"].split())
    ]
    request = charts.hook_request(
        bloodCounts=charts.bundle(*observations(row)),
        procedures=charts.bundle(*procedures),
        conditions=charts.bundle(charts.condition(), *spread),
        albumin=None,
    )
    return EXACT_JSON.encode(request)


def assessed(row: Row) -> dict[str, Any]:
    site = Site(
        ClinicalPolicy(ZoneInfo(row["zone"])),
        MAPPINGS,
        CardOptions("https://x.example/"),
        "active",
        "test",
        SII,
    )
    decision = decide(parse_cds_request(body(row)), CLIENT, site, datetime.fromisoformat(row["now"]))
    return assessment_extension(RULE_VERSION, decision.assessment)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_assessment_equals_the_one_computed_apart(row: Row) -> None:
    found = assessed(row)

    verdict = Verdict(
        outcome=found["outcome"],
        sii=found.get("sii", ""),
        relation=found.get("relation", ""),
        days=str(found.get("daysFromProcedure", "")),
        reasons=" ".join(sorted(found.get("reasons", ()))),
    )
    assert verdict == Verdict(*(row[f"expected_{name}"] for name in Verdict._fields)), row["why"]


def test_table_is_what_the_script_makes() -> None:
    assert TABLE.read_text(encoding="utf-8") == table()


def test_table_holds_every_outcome_and_enough_rows() -> None:
    outcomes = [row["expected_outcome"] for row in ROWS]

    assert len(ROWS) >= 250
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert {outcome: outcomes.count(outcome) >= 2 for outcome in set(outcomes)} == dict.fromkeys(
        ("above-cutoff", "not-above-cutoff", "indeterminate", "not-eligible"), True
    )


# Clinical facts, section 5: worked by hand from the figures of the study, before there was any code.
@pytest.mark.parametrize(
    ("row", "outcome", "sii"),
    [
        ("vector-001", "above-cutoff", "501.816"),
        ("vector-002", "not-above-cutoff", "343.061"),
        ("vector-003", "not-above-cutoff", "405.080"),
        ("vector-004", "above-cutoff", "405.081"),
        ("vector-005", "above-cutoff", "501.816"),
        ("vector-006", "above-cutoff", "501.816"),
    ],
)
def test_table_worked_vectors_are_the_published_ones(row: str, outcome: str, sii: str) -> None:
    expected = next(r for r in ROWS if r["id"] == row)

    assert (expected["expected_outcome"], expected["expected_sii"]) == (outcome, sii)


def foreign_imports(source: str) -> set[str]:
    """Modules a source imports that are neither of the standard library nor of the oracle itself."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{'.' * node.level}{node.module or ''}")
    own = "tests.clinical.oracle."
    return {n for n in names if not n.startswith(own) and n.partition(".")[0] not in sys.stdlib_module_names}


def test_oracle_shares_no_line_with_the_service() -> None:
    sources = sorted(Path(TABLE.parent).glob("*.py"))

    assert len(sources) >= 4
    assert {path.name: foreign_imports(path.read_text(encoding="utf-8")) for path in sources} == {
        path.name: set() for path in sources
    }


@pytest.mark.parametrize(
    "source",
    [
        "import cds_service",
        "from cds_service.clinical import sii",
        "def f():\n    import fhir_mappings.load",
        "from tests.support import charts",
        "from .judgement import judge",
    ],
)
def test_oracle_foreign_import_is_found(source: str) -> None:
    assert foreign_imports(source)
