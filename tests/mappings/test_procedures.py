"""Which procedures make a patient eligible, and which only look like it."""

import json
from pathlib import Path

import pytest

from fhir_mappings import load_mappings

MAPPINGS = load_mappings()
SNOMED = "http://snomed.info/sct"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
CPT = "http://www.ama-assn.org/go/cpt"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
OPCS = "https://fhir.nhs.uk/Id/opcs-4"
PUBLISHED = json.loads((Path(__file__).parent / "fixtures" / "icd_codes.json").read_text())

QUALIFYING = [
    (SNOMED, "embolization/chemo", "441525007"),
    (SNOMED, "infusion/hepatic-artery-chemotherapy", "720379009"),
    (SNOMED, "ablation/radiofrequency", "708625004"),
    (SNOMED, "ablation/thermal", "428115007 427929006"),
    (SNOMED, "ablation/image-guided", "432226009 438529005"),
    (SNOMED, "ablation/microwave", "609232008 448540000 709020001"),
    (SNOMED, "ablation/cryo", "1255425001 16558481000119100 609169001 439368006 449404007"),
    (SNOMED, "ablation/chemical", "426713000 433876005"),
    (SNOMED, "ablation/laser", "433866007"),
    (SNOMED, "ablation/electroporation", "1256090000 716756004 1258864009 1258865005"),
    (SNOMED, "ablation/focused-ultrasound", "448012004 774013003"),
    (SNOMED, "brachytherapy/radioembolization", "764677008"),
    (SNOMED, "brachytherapy/hepatic-artery", "431530008"),
    (SNOMED, "ablation/unspecified", "5415002 29978008"),
    (PCS, "embolization/hepatic-artery", "04L33DZ 04L33ZZ 04V33DZ 04V33ZZ"),
    (PCS, "infusion/arterial-antineoplastic", "3E05305 3E06305"),
    (PCS, "infusion/device-in-liver", "0FH033Z"),
    (PCS, "ablation/unspecified", "0F500ZZ 0F503ZZ 0F504ZZ 0F510ZZ 0F513ZZ 0F514ZZ 0F520ZZ 0F523ZZ 0F524ZZ"),
    (PCS, "ablation/electroporation", "0F500ZF 0F503ZF 0F504ZF 0F510ZF 0F513ZF 0F514ZF 0F520ZF 0F523ZF 0F524ZF"),
    (PCS, "ablation/laser", "DFY0KZZ"),
    (PCS, "brachytherapy/interstitial", "DF10B7Z DF10B8Z DF10B9Z DF10BBZ DF10BCZ DF10BYZ 0FH031Z"),
    (CPT, "embolization/tumor-or-organ", "37243"),
    (CPT, "ablation/radiofrequency-or-microwave", "47382 47370 47380"),
    (CPT, "ablation/cryo", "47383 47371 47381"),
    (CPT, "ablation/electroporation", "47384"),
    (CPT, "ablation/focused-ultrasound", "0686T"),
    (HCPCS, "brachytherapy/radioembolization", "S2095"),
    (ICD9, "infusion/liver-perfusion", "50.93"),
    (ICD9, "ablation/unspecified", "50.23 50.24 50.25 50.26 50.29"),
    (ICD9, "ablation/chemical", "50.94"),
    (OPCS, "ablation/radiofrequency", "J12.4"),
    (OPCS, "ablation/microwave", "J12.7 J08.3"),
    (OPCS, "brachytherapy/radioembolization", "J12.3"),
    (OPCS, "infusion/hepatic-artery-chemotherapy", "J10.3"),
]
NOT_LIVER_SPECIFIC = {"441525007", "3E05305", "3E06305", "37243", "S2095"}
# What each means beside the treatment of a tumor.
WEAK = {
    "37243": "fibroids, ischemia of any organ",
    "04L33DZ": "bleeding, aneurysm, trauma",
    "04L33ZZ": "bleeding, aneurysm, trauma",
    "04V33DZ": "aneurysm",
    "04V33ZZ": "aneurysm",
    "0FH033Z": "any infusion device",
    "50.29": "cysts and abscesses",
    "50.94": "any substance",
    "29978008": "cysts",
    "5415002": "cysts",
    "J10.3": "any substance",
}


@pytest.mark.parametrize(("uri", "therapy", "codes"), QUALIFYING)
def test_procedure_code_qualifies_with_its_therapy(uri: str, therapy: str, codes: str) -> None:
    for code in codes.split():
        found = MAPPINGS.procedure(uri, code)
        assert found is not None, code
        assert found.therapy == therapy
        assert found.liver_specific is (code not in NOT_LIVER_SPECIFIC)
        assert found.liver_specific or found.note


def test_procedure_codes_are_the_table_and_nothing_else() -> None:
    expected = sorted(code for *_, codes in QUALIFYING for code in codes.split())
    assert sorted(row.code for row in MAPPINGS.rows.procedures) == expected


def test_codes_that_mean_more_than_tumor_therapy_are_weak() -> None:
    assert {row.code for row in MAPPINGS.rows.procedures if row.weak} == set(WEAK)


@pytest.mark.parametrize(
    ("uri", "code", "left_out", "reason"),
    [
        (SNOMED, "314617008", False, "liver metastases"),
        (SNOMED, "307626009", False, "liver metastases"),
        (SNOMED, "307627000", False, "liver metastases"),
        (SNOMED, "712539007", False, "liver cyst"),
        (SNOMED, "228697004", True, "any organ"),
        (PCS, "3E053HZ", True, "diagnostic tracers as well"),
        (PCS, "3E063HZ", True, "diagnostic tracers as well"),
        (PCS, "3E0J3TZ", True, "biliary tract"),
        (CPT, "37204", True, "any vessel"),
        (CPT, "75894", True, "imaging"),
        (CPT, "77778", True, "any organ"),
        (CPT, "47399", True, "unlisted procedure, no source"),
        (CPT, "79445", True, "no source"),
        (ICD9, "38.80", True, "any vessel"),
        (ICD9, "38.86", True, "any abdominal vessel"),
        (ICD9, "39.79", True, "any vessel"),
        (ICD9, "99.25", True, "any chemotherapy"),
        (ICD9, "92.20", True, "any organ"),
        (ICD9, "92.27", True, "any organ"),
        (ICD9, "92.28", True, "any organ"),
        (OPCS, "J03.2", True, "needs a second code"),
        (OPCS, "J12.8", True, "needs a second code"),
    ],
)
def test_procedure_that_is_refused_or_left_out_does_not_qualify(
    uri: str, code: str, left_out: bool, reason: str
) -> None:
    assert MAPPINGS.procedure(uri, code) is None
    found = MAPPINGS.refused_procedure(uri, code)
    assert found is not None, reason
    assert found.left_out is left_out
    assert found.reason


@pytest.mark.parametrize(
    ("uri", "code", "reason"),
    [
        (ICD9, "50.22", "resection"),
        (PCS, "0FB03ZZ", "excision"),
        (PCS, "0FY00Z0", "transplantation"),
        (PCS, "DF20DZZ", "stereotactic external beam"),
        (PCS, "DF000ZZ", "external beam"),
        (PCS, "0F553ZZ", "bile duct, not liver"),
        (ICD9, "155.0", "a diagnosis, which shares the URI"),
        ("", "47382", "no system, no match"),
        (SNOMED, "47382", "CPT code under SNOMED CT"),
    ],
)
def test_procedure_out_of_scope_is_not_found(uri: str, code: str, reason: str) -> None:
    assert MAPPINGS.procedure(uri, code) is None, reason


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("urn:oid:2.16.840.1.113883.6.104", "50.24"),
        (ICD9, "5024"),
        ("http://hl7.org/fhir/sid/icd-10-pcs", "0f503zz"),
        ("http://terminology.hl7.org/CodeSystem/icd10PCS", "0F503ZZ"),
        ("urn:oid:2.16.840.1.113883.6.4", "0F503ZZ"),
        ("urn:oid:2.16.840.1.113883.6.12", "47382"),
        ("https://fhir.hl7.org.uk/Id/opcs-4", "J124"),
        ("https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/icd-10-pcs-2023-tw", "0F503ZZ"),
    ],
)
def test_procedure_is_found_under_every_uri_and_spelling(uri: str, code: str) -> None:
    assert MAPPINGS.procedure(uri, code) is not None


def test_icd10pcs_codes_name_the_liver_where_the_row_says_so() -> None:
    titles = PUBLISHED["icd10pcs"]
    rows = [row for row in MAPPINGS.rows.procedures if row.system == "icd10pcs"]
    # 0FH031Z came after the 2019 list.
    assert {row.code for row in rows} - set(titles) == {"0FH031Z"}
    for row in rows:
        if row.code in titles:
            assert ("Liver" in titles[row.code] or "Hepatic" in titles[row.code]) is row.liver_specific


def test_licensed_terms_are_not_shipped_with_procedures() -> None:
    for row in MAPPINGS.rows.procedures:
        if row.system in {"cpt", "snomed"}:
            kind, _, detail = row.therapy.partition("/")
            assert kind in {"ablation", "embolization", "infusion", "brachytherapy"}, row.code
            assert " " not in detail, row.code
