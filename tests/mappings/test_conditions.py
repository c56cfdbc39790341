"""What a diagnosis code says about the cancer."""

import json
from pathlib import Path

import pytest

from fhir_mappings import load_mappings, normalize_icd

MAPPINGS = load_mappings()
CM = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = "http://hl7.org/fhir/sid/icd-10"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
SNOMED = "http://snomed.info/sct"
PUBLISHED = json.loads((Path(__file__).parent / "fixtures" / "icd_codes.json").read_text())

TABLE = [
    (CM, "primary", "C22.0 C22.1 C22.2 C22.3 C22.4 C22.7 C22.8"),
    (WHO, "primary", "C22.0 C22.1 C22.2 C22.3 C22.4 C22.7"),
    (ICD9, "primary", "155.0 155.1"),
    (SNOMED, "primary", "95214007 109841003 187769009 253018005 274902006 109842005 447109003 109843000"),
    (SNOMED, "primary", "109844006 254601002 408646000"),
    (CM, "history", "Z85.05"),
    (CM, "ambiguous", "C22.9"),
    (WHO, "ambiguous", "C22.9"),
    (ICD9, "ambiguous", "155.2"),
    (SNOMED, "ambiguous", "93870000 187767006"),
    (CM, "secondary", "C77 C78 C79 C7B.02"),
    (WHO, "secondary", "C77 C78 C79"),
    (ICD9, "secondary", "197.7"),
    (SNOMED, "secondary", "94381002 94349006 285613005 315000005"),
    (SNOMED, "recurrence", "314963000"),
    (CM, "benign-or-uncertain", "D13.4 D37.6 D01.5"),
    (WHO, "benign-or-uncertain", "D13.4 D37.6 D01.5"),
    (CM, "confounder", "Z90.81 D73.1 D69.59 K74.60 D70.1 D72.825 D72.829"),
    (ICD9, "confounder", "289.4"),
    (SNOMED, "confounder", "234319005"),
]
CASES = [(uri, category, code) for uri, category, codes in TABLE for code in codes.split()]


@pytest.mark.parametrize(("uri", "category", "code"), CASES)
def test_condition_code_has_its_category(uri: str, category: str, code: str) -> None:
    found = MAPPINGS.condition(uri, code)
    assert found is not None
    assert (found.category, found.code) == (category, code)


def test_condition_codes_are_the_table_and_nothing_else() -> None:
    expected = sorted((MAPPINGS.canonical_system(uri), code) for uri, _, code in CASES)
    assert sorted((row.system, row.code) for row in MAPPINGS.rows.conditions) == expected


@pytest.mark.parametrize(
    ("uri", "code", "category", "reason"),
    [
        (CM, "C220", "primary", "VSAC stores it without the dot"),
        (CM, "c22.0", "primary", "without case"),
        (CM, " C22.0 ", "primary", "stray space"),
        (ICD9, "1550", "primary", "without the dot"),
        (CM, "C78.7", "secondary", "below a prefix row"),
        (CM, "c787", "secondary", "below a prefix row, without dot and case"),
        (CM, "C78.00", "secondary", "two levels below"),
        (WHO, "C79.5", "secondary", "below a prefix row"),
        (WHO, "C77.2", "secondary", "below a prefix row"),
        ("urn:oid:2.16.840.1.113883.6.90", "C22.0", "primary", "by OID"),
        ("urn:oid:2.16.840.1.113883.6.3", "C22.0", "primary", "by OID"),
        ("urn:oid:2.16.840.1.113883.6.103", "155.0", "primary", "by OID"),
        ("urn:oid:2.16.840.1.113883.6.96", "109841003", "primary", "by OID"),
    ],
)
def test_condition_code_written_otherwise_has_the_same_category(
    uri: str, code: str, category: str, reason: str
) -> None:
    found = MAPPINGS.condition(uri, code)
    assert found is not None, reason
    assert found.category == category, reason


@pytest.mark.parametrize(
    ("uri", "code", "reason"),
    [
        ("", "C22.0", "no system, no match"),
        (WHO, "C22.8", "does not exist in the WHO edition"),
        (WHO, "Z85.05", "ICD-10-CM only"),
        (CM, "C22", "the category alone is no billable diagnosis"),
        (CM, "C22.01", "a prefix row would be needed"),
        (CM, "C76", "beside the metastasis block"),
        (CM, "C7", "shorter than a prefix row"),
        (CM, "C80.1", "beside the metastasis block"),
        (ICD9, "50.24", "a procedure, which shares the URI"),
        (SNOMED, "10984100", "truncated"),
        (SNOMED, "C22.0", "ICD code under SNOMED CT"),
        (CM, "", "empty"),
    ],
)
def test_condition_code_that_is_not_listed_is_not_found(uri: str, code: str, reason: str) -> None:
    assert MAPPINGS.condition(uri, code) is None, reason


def test_icd_codes_exist_in_the_published_classification() -> None:
    cm = {row.code for row in MAPPINGS.rows.conditions if row.system == "icd10cm"}
    who = {row.code for row in MAPPINGS.rows.conditions if row.system == "icd10"}
    assert cm == set(PUBLISHED["icd10cm"])
    assert who == set(PUBLISHED["icd10_existing"])
    assert not who & set(PUBLISHED["icd10_missing"])


def test_primary_and_secondary_codes_are_what_their_published_title_says() -> None:
    titles = PUBLISHED["icd10cm"]
    for row in MAPPINGS.rows.conditions:
        if row.system == "icd10cm":
            assert ("Secondary" in titles[row.code]) == (row.category == "secondary"), row.code
    liver = ("liver", "hepat")
    for row in MAPPINGS.rows.conditions:
        if row.system == "icd10cm" and row.category in {"primary", "history", "ambiguous"}:
            assert any(word in titles[row.code].lower() for word in liver), row.code


@pytest.mark.parametrize(
    ("code", "expected"),
    [("C22.0", "C220"), ("c220", "C220"), (" 155.0", "1550"), ("0F503ZZ", "0F503ZZ"), ("J12.4", "J124"), ("", "")],
)
def test_normalize_icd_drops_dot_space_and_case(code: str, expected: str) -> None:
    assert normalize_icd(code) == expected
