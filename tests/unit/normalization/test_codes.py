"""Which codings are our analytes: exact system and code, never a near-miss, never a guess."""

from __future__ import annotations

import pytest

from cds_service.clinical.models import Analyte, Basis, ExcludedResult
from tests.support.charts import LOINC, LYMPHOCYTES, NEUTROPHILS, PLATELETS, Json, observation
from tests.unit.normalization.reading import judged, outcomes_of, usable

LOINC_OID = "urn:oid:2.16.840.1.113883.6.1"

# clinical-facts 1a of the sources named in analytes.toml: code, a value with its unit, what it is.
ACCEPTED = [
    ("751-8", 4.2, "10*9/L", Analyte.NEUTROPHILS, Basis.ABSOLUTE, 1),
    ("26499-4", 4.2, "10*9/L", Analyte.NEUTROPHILS, Basis.ABSOLUTE, 1),
    ("753-4", 4.2, "10*9/L", Analyte.NEUTROPHILS, Basis.ABSOLUTE, 2),
    ("731-0", 1.5, "10*9/L", Analyte.LYMPHOCYTES, Basis.ABSOLUTE, 1),
    ("26474-7", 1.5, "10*9/L", Analyte.LYMPHOCYTES, Basis.ABSOLUTE, 1),
    ("732-8", 1.5, "10*9/L", Analyte.LYMPHOCYTES, Basis.ABSOLUTE, 2),
    ("770-8", 60, "%", Analyte.NEUTROPHILS, Basis.PERCENT, 1),
    ("26511-6", 60, "%", Analyte.NEUTROPHILS, Basis.PERCENT, 1),
    ("23761-0", 60, "%", Analyte.NEUTROPHILS, Basis.PERCENT, 2),
    ("71676-1", 0.6, "1", Analyte.NEUTROPHILS, Basis.PERCENT, 2),
    ("736-9", 30, "%", Analyte.LYMPHOCYTES, Basis.PERCENT, 1),
    ("26478-8", 30, "%", Analyte.LYMPHOCYTES, Basis.PERCENT, 1),
    ("737-7", 30, "%", Analyte.LYMPHOCYTES, Basis.PERCENT, 2),
    ("777-3", 210, "10*9/L", Analyte.PLATELETS, Basis.ABSOLUTE, 1),
    ("26515-7", 210, "10*9/L", Analyte.PLATELETS, Basis.ABSOLUTE, 1),
    ("97995-5", 210, "10*9/L", Analyte.PLATELETS, Basis.ABSOLUTE, 2),
    ("778-1", 210, "10*9/L", Analyte.PLATELETS, Basis.ABSOLUTE, 2),
    ("1751-7", 38, "g/L", Analyte.ALBUMIN, Basis.MASS, 1),
    ("61151-7", 38, "g/L", Analyte.ALBUMIN, Basis.MASS, 1),
    ("61152-5", 38, "g/L", Analyte.ALBUMIN, Basis.MASS, 1),
    ("2862-1", 38, "g/L", Analyte.ALBUMIN, Basis.MASS, 2),
    ("101198-0", 38, "g/L", Analyte.ALBUMIN, Basis.MASS, 2),
    ("77148-5", 38, "g/L", Analyte.ALBUMIN, Basis.MASS, 2),
    ("76631-1", 38, "g/L", Analyte.ALBUMIN, Basis.MASS, 2),
    ("54347-0", 600, "umol/L", Analyte.ALBUMIN, Basis.MASS, 1),
    ("62235-7", 600, "umol/L", Analyte.ALBUMIN, Basis.MASS, 2),
    ("62234-0", 600, "umol/L", Analyte.ALBUMIN, Basis.MASS, 2),
]

NEVER = {
    "granulocytes hold eosinophils and basophils": "20482-6 30394-1 51588-2 19023-1 30395-8 31160-5",
    "polymorphonuclear cells: a synonym in some laboratories only": "35003-3 34999-3",
    "immature granulocytes": "53115-2 51584-1 71695-1 38518-7",
    "abnormal lymphocytes": "29261-5 30413-9 29262-3 30412-1",
    "lymphocytes by flow cytometry: another run": "30364-4 30365-1",
    "fetal or control blood": "66139-7 66140-5 74461-5 62244-9 85369-7",
    "urine": "30448-5 1754-1 14957-5 11218-5 21059-1 14956-7 1755-8",
    "deprecated codes": "752-6 5907-1 12243-2",
    "platelets of plasma": "13056-7 26516-5 74775-8",
    "capillary, cord and body fluid platelets": "74464-9 47284-5 55802-3 40574-6",
    "clumping work-up": "107193-5",
    "large and reticulated platelets": "34167-7 96354-6 48386-7 97994-8 32146-3 51632-8 51633-6",
    "platelet adequacy, panel, volume, width": "9317-9 104705-9 53800-9 28542-9 32207-3 51637-7",
    "platelets estimated from the smear": "49497-1",
    "albumin to creatinine ratio": "9318-7 14959-1 13705-9 32294-1 14585-4 14958-3",
    "albumin of other fluids": "1746-7 2861-3 1747-5 43212-0 1749-1 1748-3 1752-5",
    "prealbumin": "14338-8 2877-9 6793-4 46130-1",
    "albumin as fraction, ratio, glycated, fetal, given": "35706-1 13980-8 1759-0 13873-5 1758-2 61195-4 10385-3",
    "names that were never confirmed": "71678-7 103577-3",
    "leukocytes serve cross-checks only": "6690-2 26464-8 804-5",
}
NEVER_ROWS = [(code, reason) for reason, codes in NEVER.items() for code in codes.split()]


def coded(*codings: tuple[str | None, str | None], value: float = 4.2, unit: str = "10*9/L") -> Json:
    named = [
        {name: text for name, text in (("system", system), ("code", code)) if text is not None}
        for system, code in codings
    ]
    return observation(NEUTROPHILS, value, unit, code={"coding": named})


@pytest.mark.parametrize(("code", "value", "unit", "analyte", "basis", "preference"), ACCEPTED)
def test_accepted_code_is_read_as_its_analyte(
    code: str, value: float, unit: str, analyte: Analyte, basis: Basis, preference: int
) -> None:
    result = usable(observation(code, value, unit))

    assert (result.analyte, result.basis, result.preference) == (analyte, basis, preference)


@pytest.mark.parametrize(("code", "reason"), NEVER_ROWS)
def test_near_miss_code_is_never_a_result(code: str, reason: str) -> None:
    assert judged(coded((LOINC, code))) == "ignored", reason


@pytest.mark.parametrize(("code", "reason"), [row for row in NEVER_ROWS if "leukocytes" not in row[1]])
def test_near_miss_beside_an_accepted_code_is_a_conflict(code: str, reason: str) -> None:
    assert judged(coded((LOINC, NEUTROPHILS), (LOINC, code))) == "code-conflict", reason
    assert judged(coded((LOINC, code), (LOINC, NEUTROPHILS))) == "code-conflict", f"in either order: {reason}"


CODINGS = [
    ([(LOINC_OID, NEUTROPHILS)], "usable", "the OID of LOINC is its other registered name"),
    ([("https://loinc.org", NEUTROPHILS)], "ignored", "another URI, however similar"),
    ([("http://loinc.org/", NEUTROPHILS)], "ignored", "a trailing slash makes another URI"),
    ([("HTTP://LOINC.ORG", NEUTROPHILS)], "ignored", "URIs compare character by character"),
    ([("http://hospital.example/lab", NEUTROPHILS)], "ignored", "a local system may use the same digits"),
    ([("http://snomed.info/sct", NEUTROPHILS)], "ignored", "the code of another system"),
    ([("", NEUTROPHILS)], "ignored", "an empty system"),
    ([(None, NEUTROPHILS)], "ignored", "no system, no match"),
    ([(LOINC, None)], "ignored", "no code"),
    ([(LOINC, "")], "ignored", "an empty code"),
    ([(LOINC, "55161")], "ignored", "a local code carried in the LOINC system"),
    ([(LOINC, "751-8 ")], "ignored", "a space makes another code"),
    ([(LOINC, "0751-8")], "ignored", "a leading zero makes another code"),
    ([(LOINC, "7518")], "ignored", "without the check digit's hyphen"),
    ([], "ignored", "a text alone is never read"),
    ([("http://hospital.example/lab", "NEUT"), (LOINC, NEUTROPHILS)], "usable", "a local code beside ours"),
    ([(LOINC, "55161"), (LOINC, NEUTROPHILS)], "usable", "an unknown code beside ours"),
    ([(LOINC, NEUTROPHILS), (LOINC, NEUTROPHILS)], "usable", "the same code twice"),
    ([(LOINC, NEUTROPHILS), (LOINC, "26499-4")], "usable", "two codes of one meaning"),
    ([(LOINC, NEUTROPHILS), (LOINC, LYMPHOCYTES)], "code-conflict", "two analytes"),
    ([(LOINC, NEUTROPHILS), (LOINC, "770-8")], "code-conflict", "a count and a share"),
    ([(LOINC, "6690-2"), (LOINC, NEUTROPHILS)], "code-conflict", "leukocytes and neutrophils"),
    ([(LOINC, "6690-2"), (LOINC, "20482-6")], "ignored", "leukocytes beside a near-miss: none of ours"),
    ([(LOINC, NEUTROPHILS), (LOINC, "768-2")], "code-conflict", "all neutrophils and a part of them"),
]


@pytest.mark.parametrize(("codings", "expected", "reason"), CODINGS)
def test_coding_list_is_judged_by_system_and_code(
    codings: list[tuple[str | None, str | None]], expected: str, reason: str
) -> None:
    assert judged(coded(*codings)) == expected, reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [(None, "no code element"), ({}, "an empty one"), ({"text": "Neutrophils"}, "text only")],
)
def test_observation_without_coding_is_none_of_ours(code: Json | None, reason: str) -> None:
    assert judged(observation(NEUTROPHILS, 4.2, code=code)) == "ignored", reason


@pytest.mark.parametrize("codes", [("26499-4", "751-8"), ("751-8", "26499-4")])
def test_first_of_two_preferred_codes_stands(codes: tuple[str, str]) -> None:
    assert usable(coded(*((LOINC, code) for code in codes))).origin.code == codes[0]


@pytest.mark.parametrize("codes", [("753-4", "751-8"), ("751-8", "753-4")])
def test_preferred_code_of_one_meaning_stands_in_any_order(codes: tuple[str, str]) -> None:
    result = usable(coded(*((LOINC, code) for code in codes)))

    assert (result.origin.code, result.preference) == ("751-8", 1)


@pytest.mark.parametrize(
    ("codings", "analyte", "reason"),
    [
        ([(LOINC, "34167-7"), (LOINC, PLATELETS)], Analyte.PLATELETS, "the accepted one of the two names the analyte"),
        ([(LOINC, "6690-2"), (LOINC, LYMPHOCYTES)], Analyte.LYMPHOCYTES, "leukocytes are none of the four"),
    ],
)
def test_code_conflict_names_the_accepted_analyte(
    codings: list[tuple[str | None, str | None]], analyte: Analyte, reason: str
) -> None:
    (outcome,) = outcomes_of(coded(*codings))

    assert isinstance(outcome, ExcludedResult)
    assert outcome.analyte is analyte, reason
