"""Which laboratory codes count and which only look like it."""

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from fhir_mappings import load_mappings

from .check_digits import is_loinc_code, is_snomed_code

if TYPE_CHECKING:
    from fhir_mappings.codes import Coded

LOINC = "http://loinc.org"
MAPPINGS = load_mappings()

# Transcribed apart from the data file, analyte by analyte.
ACCEPTED = [
    ("segmented-neutrophils", "count", 1, "30451-9 768-2"),
    ("segmented-neutrophils", "percent", 1, "26505-8 32200-8 769-0"),
    ("band-neutrophils", "count", 1, "26507-4 30229-9 763-3"),
    ("band-neutrophils", "percent", 1, "26508-2 35332-6 764-1"),
    ("variant-lymphocytes", "count", 1, "26477-0 43743-4 734-4"),
    ("variant-lymphocytes", "percent", 1, "13046-8 42250-1 735-1"),
    ("neutrophils", "count", 1, "751-8 26499-4"),
    ("neutrophils", "count", 2, "753-4"),
    ("lymphocytes", "count", 1, "731-0 26474-7"),
    ("lymphocytes", "count", 2, "732-8"),
    ("neutrophils", "percent", 1, "770-8 26511-6"),
    ("neutrophils", "percent", 2, "23761-0"),
    ("neutrophils", "fraction", 2, "71676-1"),
    ("lymphocytes", "percent", 1, "736-9 26478-8"),
    ("lymphocytes", "percent", 2, "737-7"),
    ("platelets", "count", 1, "777-3 26515-7"),
    ("platelets", "count", 2, "97995-5 778-1"),
    ("albumin", "mass", 1, "1751-7 61151-7 61152-5"),
    ("albumin", "mass", 2, "2862-1 101198-0 77148-5 76631-1"),
    ("albumin", "moles", 1, "54347-0"),
    ("albumin", "moles", 2, "62235-7 62234-0"),
    ("leukocytes", "count", 1, "6690-2 26464-8"),
    ("leukocytes", "count", 2, "804-5"),
]

REFUSED = [
    ("granulocytes", "20482-6 30394-1 51588-2 19023-1 30395-8 31160-5"),
    ("polys", "35003-3 34999-3"),
    ("immature granulocytes", "53115-2 51584-1 71695-1 38518-7"),
    ("abnormal lymphocytes", "29261-5 30413-9 29262-3 30412-1"),
    ("flow cytometry", "30364-4 30365-1"),
    ("fetal or control blood", "66139-7 66140-5 74461-5 62244-9 85369-7"),
    ("urine neutrophils", "30448-5"),
    ("deprecated", "752-6 5907-1 12243-2"),
    ("platelets in plasma", "13056-7 26516-5 74775-8"),
    ("platelets, wrong specimen", "74464-9 47284-5 55802-3 40574-6"),
    ("clumping work-up", "107193-5"),
    ("large or reticulated", "34167-7 96354-6 48386-7 97994-8 32146-3 51632-8 51633-6"),
    ("not a platelet count", "9317-9 104705-9 53800-9 28542-9 32207-3 51637-7"),
    ("platelet estimate", "49497-1"),
    ("urine albumin", "1754-1 14957-5 11218-5 21059-1 14956-7 1755-8"),
    ("albumin/creatinine", "9318-7 14959-1 13705-9 32294-1 14585-4 14958-3"),
    ("albumin in other fluids", "1746-7 2861-3 1747-5 43212-0 1749-1 1748-3 1752-5"),
    ("prealbumin", "14338-8 2877-9 6793-4 46130-1"),
    ("other albumin", "35706-1 13980-8 1759-0 13873-5 1758-2 61195-4 40046-5 40063-0 21058-3 10385-3 10386-1"),
    ("uncertain", "71678-7 103577-3"),
    ("body fluid: lymphocytes", "6744-7 11031-2 13518-6 13941-0 26476-2 30417-0 35045-4 40573-8"),
    (
        "body fluid: neutrophils",
        "6745-4 12238-2 13354-6 26510-8 26513-2 30230-7 30452-7 30453-5 32709-8 35014-0 40566-2 40572-0",
    ),
    ("bone marrow: lymphocytes", "11107-0 11108-8"),
    ("bone marrow: neutrophils", "11103-9 11115-3 11128-6 56960-8"),
    ("bronchial fluid: lymphocytes", "14819-7 30421-2 32805-4 32832-8"),
    ("bronchial fluid: neutrophils", "27930-7 32804-7"),
    ("cerebrospinal fluid: lymphocytes", "10328-3 13517-8 14106-9 26475-4 26479-6 30416-2 35043-9"),
    (
        "cerebrospinal fluid: neutrophils",
        "754-2 755-9 12278-8 13516-0 14039-2 14107-7 26500-9 26506-6 26509-0 26512-4 35011-6 35015-7",
    ),
    ("dialysis fluid: lymphocytes", "59463-0"),
    ("dialysis fluid: neutrophils", "53520-3"),
    ("peritoneal dialysis fluid: lymphocytes", "40538-1"),
    ("peritoneal dialysis fluid: neutrophils", "40536-5"),
    ("pericardial fluid: lymphocytes", "14818-9 26480-4 33409-4"),
    ("pericardial fluid: neutrophils", "14847-8 30454-3 33387-2 33388-0"),
    ("peritoneal fluid (ascites): lymphocytes", "14821-3 26482-0 33369-0 35041-3 35097-5 51627-8"),
    ("peritoneal fluid (ascites): neutrophils", "758-3 759-1 13836-2 26502-5 26514-0 33384-9 35010-8"),
    ("pleural fluid: lymphocytes", "14820-5 26481-2 33370-8 35042-1 35098-3"),
    ("pleural fluid: neutrophils", "756-7 757-5 14848-6 26501-7 30455-0 33385-6 35012-4"),
    ("semen: neutrophils", "17359-1 26503-3"),
    ("sputum: lymphocytes", "27936-4"),
    ("sputum: neutrophils", "27932-3"),
    ("synovial fluid: lymphocytes", "14822-1 17227-0 26483-8 32697-5 33371-6 35044-7 35049-6"),
    ("synovial fluid: neutrophils", "760-9 5906-3 17836-8 26504-1 33361-7 33386-4 35009-0 35013-2 40491-3"),
]


@pytest.mark.parametrize(("analyte", "basis", "preference", "codes"), ACCEPTED)
@pytest.mark.parametrize("uri", [LOINC, "urn:oid:2.16.840.1.113883.6.1"])
def test_analyte_code_of_the_accept_table_is_found_under_every_uri(
    uri: str, analyte: str, basis: str, preference: int, codes: str
) -> None:
    for code in codes.split():
        found = MAPPINGS.analyte_code(uri, code)
        assert found is not None, code
        assert (found.analyte, found.basis, found.preference) == (analyte, basis, preference)
        assert MAPPINGS.refused_code(uri, code) is None


def test_manual_codes_are_those_whose_name_says_so() -> None:
    manual = {row.code for row in MAPPINGS.analyte_codes if row.manual}
    of_cells = ("neutrophils", "lymphocytes")

    assert manual == {
        row.code for row in MAPPINGS.analyte_codes if "Manual count" in row.name and row.analyte.endswith(of_cells)
    }


def test_analyte_codes_are_the_accept_table_and_nothing_else() -> None:
    expected = Counter(code for *_, codes in ACCEPTED for code in codes.split())
    assert Counter(row.code for row in MAPPINGS.analyte_codes) == expected


@pytest.mark.parametrize(("what", "codes"), REFUSED)
def test_refused_code_is_never_accepted_and_has_a_reason(what: str, codes: str) -> None:
    for code in codes.split():
        refused = MAPPINGS.refused_code(LOINC, code)
        assert refused is not None, (what, code)
        assert refused.reason
        assert MAPPINGS.analyte_code(LOINC, code) is None


def test_refused_codes_are_the_must_not_match_table_and_nothing_else() -> None:
    expected = Counter(code for _, codes in REFUSED for code in codes.split())
    assert Counter(row.code for row in MAPPINGS.rows.refused_codes) == expected


@pytest.mark.parametrize(
    ("uri", "code", "reason"),
    [
        ("", "777-3", "no system, no match"),
        ("http://loinc.org/", "777-3", "a URI is compared character by character"),
        ("HTTP://LOINC.ORG", "777-3", "the same"),
        ("http://snomed.info/sct", "777-3", "a LOINC code under another system"),
        (LOINC, "7773", "codes are exact"),
        (LOINC, "55161", "a local code carried in the LOINC system, met in a vendor sandbox"),
        (LOINC, "1751-4", "a misprint of 1751-7 met in a public code table"),
    ],
)
def test_analyte_code_with_wrong_system_or_code_is_not_found(uri: str, code: str, reason: str) -> None:
    assert MAPPINGS.analyte_code(uri, code) is None, reason


def test_loinc_check_digit_of_every_shipped_code_is_right() -> None:
    shipped: list[Coded] = [*MAPPINGS.analyte_codes, *MAPPINGS.rows.refused_codes]
    assert {row.system for row in shipped} == {"loinc"}
    assert [row.code for row in shipped if not is_loinc_code(row.code)] == []


def test_snomed_check_digit_of_every_shipped_code_is_right() -> None:
    rows = MAPPINGS.rows
    coded: list[Coded] = [*rows.conditions, *rows.procedures, *rows.refused_procedures]
    shipped = [row.code for row in coded if row.system == "snomed"]
    assert len(shipped) > 40
    assert [code for code in shipped if not is_snomed_code(code)] == []


@pytest.mark.parametrize(
    ("code", "valid"),
    [("777-3", True), ("1751-4", False), ("777-4", False), ("26515-7", True), ("26551-7", False), ("7773", False)],
)
def test_loinc_check_digit_of_a_misprint_is_noticed(code: str, valid: bool) -> None:
    assert is_loinc_code(code) is valid


@pytest.mark.parametrize(
    ("code", "valid"),
    [("109841003", True), ("109841030", False), ("109841004", False), ("190841003", False), ("0109841003", False)],
)
def test_snomed_check_digit_of_a_misprint_is_noticed(code: str, valid: bool) -> None:
    assert is_snomed_code(code) is valid
