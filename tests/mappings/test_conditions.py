"""What a diagnosis code says about the cancer."""

import json
from pathlib import Path

import pytest

from fhir_mappings import load_mappings, normalize_icd
from fhir_mappings.check_digits import is_snomed_code
from fhir_mappings.models import CONDITION_CATEGORIES

MAPPINGS = load_mappings()
CM = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = "http://hl7.org/fhir/sid/icd-10"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
SNOMED = "http://snomed.info/sct"
PUBLISHED = json.loads((Path(__file__).parent / "fixtures" / "icd_codes.json").read_text())

# Categories that decide: the whole table, so that nothing enters it unseen.
DECIDING = [
    (CM, "primary", "C22.0 C22.1 C22.7 C22.8"),
    (WHO, "primary", "C22.0 C22.1 C22.7 C22.9"),
    (ICD9, "primary", "155.0 155.1"),
    (SNOMED, "primary", "95214007 109841003 187769009 253018005 274902006 109842005 447109003 408646000"),
    (CM, "history", "Z85.05"),
    (ICD9, "history", "V10.07"),
    (CM, "ambiguous", "C22.9"),
    (ICD9, "ambiguous", "155.2"),
    (SNOMED, "ambiguous", "93870000 187767006"),
    (CM, "other-histology", "C22.2 C22.3 C22.4"),
    (WHO, "other-histology", "C22.2 C22.3 C22.4"),
    (SNOMED, "other-histology", "109843000 109844006 254601002 427744002"),
    (CM, "secondary", "C78.7 C7B.02"),
    (WHO, "secondary", "C78.7"),
    (ICD9, "secondary", "197.7 209.72"),
    (SNOMED, "secondary", "94381002 94349006 285613005"),
    (SNOMED, "recurrence", "314963000"),
    (CM, "metastasis", "C77 C78 C79 C80.0 C7B"),
    (WHO, "metastasis", "C77 C78 C79"),
    (ICD9, "metastasis", "196 197 198 199.0 209.7"),
    (CM, "transplant-status", "Z94.4 T86.4"),
    (WHO, "transplant-status", "Z94.4 T86.4"),
    (ICD9, "transplant-status", "V42.7 996.82"),
    (CM, "benign-or-uncertain", "D13.4 D37.6 D01.5"),
    (WHO, "benign-or-uncertain", "D13.4 D37.6 D01.5"),
]
# One or more of every category that is named on the card, or only told to a reader.
NAMED = [
    (CM, "infection", "A41 J18 K65 U07.1 R65.2"),
    (WHO, "infection", "A41 J18 K65 U07.1 R57.2"),
    (ICD9, "infection", "038 486 995.91"),
    (SNOMED, "infection", "91302008 233604007 53084003"),
    (CM, "splenectomy", "Z90.81"),
    (WHO, "splenectomy", "D73.0"),
    (SNOMED, "splenectomy", "234319005"),
    (CM, "haematological-malignancy", "C81 C91 C96 D45 D46 D47.3"),
    (WHO, "haematological-malignancy", "C81 C91 C96 D45 D46 D47.3"),
    (ICD9, "haematological-malignancy", "200 204 208 238.4 238.7"),
    (CM, "pregnancy", "O00 O26 Z33 Z34 Z3A"),
    (WHO, "pregnancy", "O00 O26 Z33 Z34 Z35"),
    (ICD9, "pregnancy", "642 V22 V23"),
    (SNOMED, "pregnancy", "77386006"),
    (CM, "palliative-care", "Z51.5"),
    (WHO, "palliative-care", "Z51.5"),
    (ICD9, "palliative-care", "V66.7"),
    (SNOMED, "palliative-care", "300936002"),
    (CM, "other-cancer", "C18 C25 C34 C50 C61 C73 C7A"),
    (WHO, "other-cancer", "C18 C25 C34 C50 C61 C73"),
    (ICD9, "other-cancer", "153 157 162 174 185 193"),
    (CM, "confounder", "D73.1 D69.59 K74.60 D70.1 D72.825 D72.829"),
    (WHO, "confounder", "D73.1 D69.5 K74.6 D70"),
    (ICD9, "confounder", "289.4 287.4 571.5 288.0"),
    (SNOMED, "confounder", "19943007"),
]
CASES = [(uri, category, code) for uri, category, codes in (*DECIDING, *NAMED) for code in codes.split()]
DIAGNOSES = {"icd10cm": CM, "icd10": WHO, "icd9cm": ICD9, "snomed": SNOMED}
# Where a code system has no code for a category of the others.
WITHOUT_A_CODE = {
    ("icd10cm", "recurrence"): "ICD tells recurrence by the metastasis or by clinicalStatus",
    ("icd10", "recurrence"): "ICD tells recurrence by the metastasis or by clinicalStatus",
    ("icd9cm", "recurrence"): "ICD tells recurrence by the metastasis or by clinicalStatus",
    ("icd10", "history"): "Z85.0 is any digestive organ",
    ("icd10", "ambiguous"): "C22.9 is primary there",
    ("icd9cm", "other-histology"): "155.0 holds them as well",
    ("icd9cm", "splenectomy"): "V45.79 is any organ",
    ("icd9cm", "benign-or-uncertain"): "left out by default: no source was looked up",
    ("snomed", "history"): "no source for a concept was found",
    ("snomed", "transplant-status"): "no source for a concept was found",
    ("snomed", "benign-or-uncertain"): "left out by default: no source was looked up",
}


@pytest.mark.parametrize(("uri", "category", "code"), CASES)
def test_condition_code_has_its_category(uri: str, category: str, code: str) -> None:
    found = MAPPINGS.condition(uri, code)
    assert found is not None
    assert (found.category, found.code) == (category, code)


def test_deciding_condition_codes_are_the_table_and_nothing_else() -> None:
    expected = sorted((MAPPINGS.canonical_system(uri), code) for uri, _, codes in DECIDING for code in codes.split())
    deciding = {category for _, category, _ in DECIDING}
    found = [row for row in MAPPINGS.rows.conditions if row.category in deciding]
    listed = [row for row in found if (row.system, row.category) != ("snomed", "metastasis")]
    assert sorted((row.system, row.code) for row in listed) == expected


@pytest.mark.parametrize("system", DIAGNOSES)
def test_no_category_is_complete_in_one_system_and_empty_in_another(system: str) -> None:
    held = {row.category for row in MAPPINGS.rows.conditions if row.system == system}
    excused = {category for key, category in WITHOUT_A_CODE if key == system}
    assert held | excused == CONDITION_CATEGORIES
    assert not held & excused


@pytest.mark.parametrize(
    ("uri", "code", "category", "reason"),
    [
        (CM, "C220", "primary", "VSAC stores it without the dot"),
        (CM, "c22.0", "primary", "without case"),
        (CM, " C22.0 ", "primary", "stray space"),
        (ICD9, "1550", "primary", "without the dot"),
        (WHO, "C22.000", "primary", "six digits, as China extends it"),
        (WHO, "C22.900", "primary", "six digits, type not stated"),
        (WHO, "C22.000x001", "primary", "the extension of the extension"),
        (WHO, "C22.201", "other-histology", "six digits of a row beside"),
        (CM, "c787", "secondary", "without dot and case"),
        (WHO, "C78.700", "secondary", "the liver, longer than the row of its block"),
        (ICD9, "1977", "secondary", "the liver, longer than the row of its block"),
        (CM, "C78.00", "metastasis", "two levels below"),
        (CM, "C7B.03", "metastasis", "carcinoid metastasis in bone"),
        (CM, "C7B.8", "metastasis", "other neuroendocrine metastasis"),
        (WHO, "C79.5", "metastasis", "below a prefix row"),
        (WHO, "C77.2", "metastasis", "below a prefix row"),
        (ICD9, "198.5", "metastasis", "bone"),
        (ICD9, "197.0", "metastasis", "lung"),
        (ICD9, "209.73", "metastasis", "neuroendocrine metastasis in bone"),
        (SNOMED, "128462008", "metastasis", "organ not stated"),
        (SNOMED, "94391008", "metastasis", "lung"),
        (SNOMED, "94222008", "metastasis", "bone"),
        (SNOMED, "94392001", "metastasis", "lymph node"),
        (SNOMED, "94161006", "metastasis", "adrenal gland"),
        (SNOMED, "94627008", "metastasis", "peritoneum"),
        (SNOMED, "94225005", "metastasis", "brain"),
        (SNOMED, "94493005", "metastasis", "pleura"),
        (SNOMED, "94602001", "metastasis", "vertebral column"),
        (SNOMED, "315000005", "metastasis", "from the liver, not in the liver"),
        (CM, "C91.10", "haematological-malignancy", "chronic lymphatic leukemia"),
        (CM, "K65.2", "infection", "spontaneous bacterial peritonitis"),
        (CM, "T86.41", "transplant-status", "rejection of the transplanted liver"),
        ("urn:oid:2.16.840.1.113883.6.90", "C22.0", "primary", "by OID"),
        ("urn:oid:2.16.840.1.113883.6.3", "C22.0", "primary", "by OID"),
        ("urn:oid:2.16.840.1.113883.6.103", "155.0", "primary", "by OID"),
        ("urn:oid:2.16.840.1.113883.6.96", "109841003", "primary", "by OID"),
    ],
)
def test_condition_code_written_otherwise_or_below_a_row_has_its_category(
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
        (WHO, "C80.0", "says in the WHO edition that the primary site is not known"),
        (CM, "C22", "the category alone is no billable diagnosis"),
        (CM, "C22.01", "a prefix row would be needed"),
        (CM, "C76", "ill-defined sites, which may be the liver"),
        (CM, "C7", "shorter than a prefix row"),
        (CM, "C80.1", "beside the metastasis block"),
        (ICD9, "199.1", "beside the metastasis block"),
        (CM, "B18.1", "chronic viral hepatitis is no acute infection"),
        (WHO, "B15.9", "viral hepatitis is no acute infection"),
        (CM, "B20", "HIV is no acute infection"),
        (CM, "Z22.51", "a carrier has no acute infection"),
        (CM, "K83.01", "primary sclerosing cholangitis is no infection"),
        (ICD9, "50.24", "a procedure, which shares the URI"),
        (SNOMED, "10984100", "truncated"),
        (SNOMED, "1098410030", "longer than a code: SNOMED CT has none below a code"),
        (SNOMED, "C22.0", "ICD code under SNOMED CT"),
        (CM, "", "empty"),
    ],
)
def test_condition_code_that_is_not_listed_is_not_found(uri: str, code: str, reason: str) -> None:
    assert MAPPINGS.condition(uri, code) is None, reason


def test_icd_codes_exist_in_the_published_classification() -> None:
    held = {key: {row.code for row in MAPPINGS.rows.conditions if row.system == key} for key in DIAGNOSES}
    assert held["icd10cm"] <= set(PUBLISHED["icd10cm"])
    assert held["icd10"] <= set(PUBLISHED["icd10_existing"])
    assert held["icd9cm"] <= set(PUBLISHED["icd9cm"])
    assert not held["icd10"] & set(PUBLISHED["icd10_missing"])


def test_every_snomed_code_has_its_check_digit() -> None:
    assert [
        row.code for row in MAPPINGS.rows.conditions if row.system == "snomed" and not is_snomed_code(row.code)
    ] == []


def test_icd10cm_categories_are_what_their_published_titles_say() -> None:
    titles = PUBLISHED["icd10cm"]
    for row in MAPPINGS.rows.conditions:
        if row.system == "icd10cm":
            spread = any(word in titles[row.code] for word in ("Secondary malignant", "Secondary and", "Secondary n"))
            spread = spread or "Secondary carcinoid" in titles[row.code] or "Disseminated" in titles[row.code]
            assert spread == (row.category in {"secondary", "metastasis"}), row.code
    liver = ("liver", "hepat")
    for row in MAPPINGS.rows.conditions:
        if row.system == "icd10cm" and row.category in {
            "primary",
            "history",
            "ambiguous",
            "secondary",
            "other-histology",
            "transplant-status",
        }:
            assert any(word in titles[row.code].lower() for word in liver), row.code


@pytest.mark.parametrize(
    ("code", "expected"),
    [("C22.0", "C220"), ("c220", "C220"), (" 155.0", "1550"), ("0F503ZZ", "0F503ZZ"), ("J12.4", "J124"), ("", "")],
)
def test_normalize_icd_drops_dot_space_and_case(code: str, expected: str) -> None:
    assert normalize_icd(code) == expected
