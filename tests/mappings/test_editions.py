"""National editions: named once with their parent, they hold whatever it holds."""

from __future__ import annotations

import dataclasses

import pytest

from fhir_mappings import MappingError, build_mappings, load_mappings
from fhir_mappings.models import CodeSystem, ConceptCode

MAPPINGS = load_mappings()
ROWS = MAPPINGS.rows
WHO = "http://hl7.org/fhir/sid/icd-10"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
TAIWAN = "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/icd-10-cm-2023-tw"
OF_WHO = [
    GM,
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm",
    "http://hl7.org/fhir/sid/icd-10-am",
    "http://hl7.org/fhir/sid/icd-10-uk",
    "http://hl7.org/fhir/sid/icd-10-nl",
    "http://hl7.org/fhir/sid/icd-10-ca",
    "http://hl7.org/fhir/sid/icd-10-fr",
    "https://mos.esante.gouv.fr/NOS/TRE_R311-CIM10Atih/FHIR/TRE-R311-CIM10Atih",
    "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8",
]


@pytest.mark.parametrize("uri", OF_WHO)
def test_edition_of_the_who_edition_holds_every_category(uri: str) -> None:
    for row in ROWS.conditions:
        if row.system == "icd10":
            assert MAPPINGS.condition(uri, row.code) == row, row.code


@pytest.mark.parametrize(
    ("uri", "code", "category", "reason"),
    [
        (GM, "C22.9", "primary", "C22.9 is primary in editions of the WHO edition"),
        (GM, "C78.0", "metastasis", "lung"),
        (GM, "C78.7", "secondary", "liver"),
        (GM, "c220", "primary", "without dot and case"),
        (GM, "C22.2", "other-histology", "hepatoblastoma"),
        ("http://hl7.org/fhir/sid/icd-10-am", "C22.0", "primary", "Australia"),
        ("http://hl7.org/fhir/sid/icd-10-uk", "C77X", "metastasis", "filler behind a category"),
        (TAIWAN, "C22.9", "ambiguous", "Taiwan's edition is one of ICD-10-CM"),
        (TAIWAN, "C22.8", "primary", "a code of ICD-10-CM only"),
        (TAIWAN, "C7B.02", "secondary", "a code of ICD-10-CM only"),
    ],
)
def test_code_of_an_edition_has_the_category_of_its_parent(uri: str, code: str, category: str, reason: str) -> None:
    found = MAPPINGS.condition(uri, code)
    assert found is not None, reason
    assert found.category == category, reason


def test_operations_and_procedures_hold_for_editions_too() -> None:
    uri = "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/icd-10-pcs-2021-tw"
    assert MAPPINGS.procedure(uri, "0F503ZZ") is not None
    assert {getattr(MAPPINGS.operation(uri, code), "kind", None) for code in ("0FB10ZZ", "0DTJ4ZZ")} == {
        "liver-resection",
        "other",
    }
    assert MAPPINGS.operation(uri, "0FB10ZX") is None


def test_nearest_row_wins_and_of_equals_that_of_the_edition() -> None:
    site = CodeSystem("site", ("urn:oid:2.999.1",), True, ("SITE",), edition="icd10", prefix=True)
    own = (
        ConceptCode("site", "C22.0", "ambiguous", "own", False, ("SITE",)),
        ConceptCode("site", "C78", "history", "own", True, ("SITE",)),
    )
    rows = dataclasses.replace(ROWS, systems=(*ROWS.systems, site), conditions=(*ROWS.conditions, *own))
    mappings = build_mappings(rows, "test")
    found = {
        code: mappings.condition("urn:oid:2.999.1", code) for code in ("C22.0", "C22.001", "C22.1", "C78.0", "C78.7")
    }
    assert {code: row and row.category for code, row in found.items()} == {
        "C22.0": "ambiguous",
        "C22.001": "ambiguous",
        "C22.1": "primary",
        "C78.0": "history",
        "C78.7": "secondary",
    }


def test_row_speaks_for_longer_codes_only_where_the_system_says_so() -> None:
    short = CodeSystem("site", ("urn:oid:2.999.1",), True, ("SITE",), edition="icd9cm")
    mappings = build_mappings(dataclasses.replace(ROWS, systems=(*ROWS.systems, short)), "test")
    assert mappings.condition("urn:oid:2.999.1", "155.0") is not None
    assert mappings.condition("urn:oid:2.999.1", "155.001") is None
    deep = dataclasses.replace(short, prefix=True)
    mappings = build_mappings(dataclasses.replace(ROWS, systems=(*ROWS.systems, deep)), "test")
    assert mappings.condition("urn:oid:2.999.1", "155.001") is not None
    ablation = mappings.procedure("urn:oid:2.999.1", "50.2401")
    assert ablation is not None
    assert ablation.code == "50.24"


@pytest.mark.parametrize(
    ("edition", "dotted", "message"),
    [
        ("icd11", True, "'icd11', whose edition it is, is no code system that is none itself"),
        ("icd10gm", True, "'icd10gm', whose edition it is, is no code system that is none itself"),
        ("icd10", False, "dotted differs from 'icd10'"),
    ],
)
def test_edition_that_cannot_be_one_is_refused(edition: str, dotted: bool, message: str) -> None:
    wrong = CodeSystem("site", ("urn:oid:2.999.1",), dotted, ("SITE",), edition=edition)
    with pytest.raises(MappingError) as raised:
        build_mappings(dataclasses.replace(ROWS, systems=(*ROWS.systems, wrong)), "test")
    assert message in str(raised.value)
