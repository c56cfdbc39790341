"""Operations that change blood counts without making a patient eligible."""

import pytest

from fhir_mappings import MappingError, build_mappings, load_mappings
from fhir_mappings.check_digits import is_snomed_code
from fhir_mappings.files import read_data_files
from fhir_mappings.load import read_rows
from fhir_mappings.models import OPERATION_KINDS

MAPPINGS = load_mappings()
SNOMED = "http://snomed.info/sct"
CPT = "http://www.ama-assn.org/go/cpt"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"


@pytest.mark.parametrize(
    ("uri", "code", "kind", "reason"),
    [
        (SNOMED, "107963000", "liver-resection", "excision of liver"),
        (SNOMED, "71273005", "liver-resection", "partial hepatectomy"),
        (PCS, "0FB10ZZ", "liver-resection", "excision of the right lobe, open"),
        (PCS, "0ft24zz", "liver-resection", "resection of the left lobe, laparoscopic, lower case"),
        (ICD9, "50.22", "liver-resection", "partial hepatectomy"),
        (ICD9, "503", "liver-resection", "lobectomy, without the dot"),
        (CPT, "47120", "liver-resection", "partial lobectomy"),
        (CPT, "47135", "liver-transplant", "orthotopic"),
        (CPT, "38100", "splenectomy", "total"),
        (SNOMED, "18027006", "liver-transplant", "transplantation of liver"),
        (PCS, "0FY00Z0", "liver-transplant", "allogeneic"),
        (ICD9, "50.59", "liver-transplant", "below the row of its group"),
        (SNOMED, "234319005", "splenectomy", "splenectomy"),
        (PCS, "07TP4ZZ", "splenectomy", "laparoscopic"),
        (ICD9, "41.5", "splenectomy", "total splenectomy"),
        (SNOMED, "14072009", "other", "esophagectomy"),
        (PCS, "0DTJ4ZZ", "other", "appendectomy, laparoscopic: by its form"),
        (PCS, "0SR90J9", "other", "hip replacement, open: by its form"),
        (PCS, "07BP0ZZ", "other", "part of the spleen: by its form"),
    ],
)
def test_operation_code_has_its_kind(uri: str, code: str, kind: str, reason: str) -> None:
    found = MAPPINGS.operation(uri, code)
    assert found is not None, reason
    assert found.kind == kind, reason


@pytest.mark.parametrize(
    ("uri", "code", "reason"),
    [
        (PCS, "0FB00ZX", "biopsy, open: the qualifier says diagnostic"),
        (PCS, "0FB03ZZ", "percutaneous"),
        (PCS, "0F9030Z", "percutaneous drainage"),
        (PCS, "06183J4", "TIPS"),
        (PCS, "0DJ08ZZ", "endoscopy"),
        (PCS, "3E05305", "another section"),
        (PCS, "0DTJ4Z", "six characters"),
        (SNOMED, "86259008", "biopsy of liver"),
        (SNOMED, "233445008", "TIPS"),
        (SNOMED, "609232008", "a qualifying ablation"),
        (SNOMED, "314617008", "chemoembolization of liver metastases, refused elsewhere"),
        (SNOMED, "78861005", "given, not received"),
        (ICD9, "50.11", "needle biopsy"),
        (ICD9, "50.24", "a qualifying ablation"),
        ("", "107963000", "no system, no match"),
        ("https://hospital.example/procedures", "0DTJ4ZZ", "the form belongs to ICD-10-PCS"),
    ],
)
def test_what_is_no_operation_of_the_table_is_not_found(uri: str, code: str, reason: str) -> None:
    assert MAPPINGS.operation(uri, code) is None, reason


def test_surgical_category_is_the_one_of_fhir() -> None:
    assert MAPPINGS.is_surgical_category(SNOMED, "387713003")
    assert not MAPPINGS.is_surgical_category(SNOMED, "103693007")
    assert not MAPPINGS.is_surgical_category("", "387713003")


def test_every_operation_code_is_neither_qualifying_nor_refused() -> None:
    for row in MAPPINGS.rows.operations:
        uri = next(system.uris[0] for system in MAPPINGS.rows.systems if system.key == row.system)
        assert MAPPINGS.procedure(uri, row.code) is None, row.code
        assert MAPPINGS.refused_procedure(uri, row.code) is None, row.code
        assert row.sources, row.code
        assert row.system != "snomed" or is_snomed_code(row.code), row.code


@pytest.mark.parametrize("system", ["snomed", "icd10pcs", "icd9cm"])
def test_no_kind_of_operation_is_complete_in_one_system_and_empty_in_another(system: str) -> None:
    held = {row.kind for row in MAPPINGS.rows.operations if row.system == system}
    held |= {form.kind for form in MAPPINGS.rows.operation_forms if form.system == system}
    # ICD-9-CM has no approach in its codes: other operations are told by the category of the Procedure.
    assert held | ({"other"} if system == "icd9cm" else set()) == OPERATION_KINDS


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'kind = "splenectomy"', b'kind = "spleen"', "unknown kind 'spleen'"),
        (b"length = 7", b"length = 6", "a place beyond the length 6"),
        (b'holds = ["1:0", ', b'holds = ["0:0", ', "holds: '0:0' is not written as 'place:characters'"),
        (b'"50.22"', b'"50.22..51"', "'50.22..51' is no range such as 'C00..C14'"),
        (b'"50.22"', b'"59..51"', "'59..51' is no range such as 'C00..C14'"),
    ],
)
def test_broken_operation_is_refused(old: bytes, new: bytes, message: str) -> None:
    files = read_data_files()
    assert old in files["operations.toml"]
    files["operations.toml"] = files["operations.toml"].replace(old, new, 1)
    with pytest.raises(MappingError) as raised:
        build_mappings(read_rows(files), "test")
    assert message in str(raised.value)
