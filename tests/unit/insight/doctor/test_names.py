"""Names by which local codes are recognised, and names that only sound like them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.insight.doctor.lookalikes import fold, load_lookalikes, parse_lookalikes
from cds_service.insight.doctor.names import NameBook
from fhir_mappings.errors import MappingError
from tests.architecture.checkout import ROOT

if TYPE_CHECKING:
    from cds_service.insight.doctor.lookalikes import Kind

BOOK = NameBook()

OURS = [
    ("neutrophils", "Neutrophils [#/volume] in Blood by Automated count"),
    ("neutrophils", "Neutrophils/Leukocytes in Blood"),
    ("neutrophils", "ANC"),
    ("neutrophils", "NEUT-ABS"),
    ("neutrophils", "NEUT%"),
    ("neutrophils", "NEUT#"),
    ("neutrophils", "Neutrophile Granulozyten absolut"),
    ("neutrophils", "Polynucléaires neutrophiles"),
    ("neutrophils", "NEUTROFILOS"),
    ("neutrophils", "% Neutrófilos"),
    ("neutrophils", "Neutrofili assoluti"),
    ("neutrophils", "Neutrofielen - automaat"),
    ("neutrophils", "中性粒细胞百分比"),
    ("lymphocytes", "Lymphocytes"),
    ("lymphocytes", "Lymphozytenanteil"),
    ("lymphocytes", "Lymphocytes totaux"),
    ("lymphocytes", "Linfocitos %"),
    ("lymphocytes", "Linfociti"),
    ("lymphocytes", "Lymfocyten"),
    ("lymphocytes", "淋巴细胞绝对值"),
    ("platelets", "PLT"),
    ("platelets", "Platelet count"),
    ("platelets", "Thrombozytenzahl"),
    ("platelets", "Plaquettes"),
    ("platelets", "RECUENTO DE PLAQUETAS"),
    ("platelets", "PLT-Piastrine"),
    ("platelets", "Trombocyten"),
    ("platelets", "血小板计数"),
    ("albumin", "Albumin [Mass/volume] in Serum or Plasma"),
    ("albumin", "ALB"),
    ("albumin", "Albúmina (g/dL)"),
    ("albumin", "Albumine"),
    ("albumin", "白蛋白"),
]

NOT_OURS = [
    ("Segmented neutrophils", "a part of them"),
    ("Neutrophils.band form", "a part of them"),
    ("Segmentkernige Neutrophile", "a part of them"),
    ("Stabkernige", "named without them"),
    ("中性分叶核粒细胞", "a part of them, and another word"),
    ("Immature neutrophils", "precursors"),
    ("Anti-neutrophil cytoplasmic antibody", "an antibody"),
    ("Variant lymphocytes", "a kind of them"),
    ("Lymphocytes CD4", "a kind of them"),
    ("Atypische Lymphozyten", "a kind of them"),
    ("异型淋巴细胞", "a kind of them"),
    ("Lymphozyten-Transformationstest", "a test on them"),
    ("T-Lymphozyten", "a kind of them"),
    ("Mean platelet volume", "a property"),
    ("Platelet distribution width", "a property"),
    ("血小板分布宽度", "a property"),
    ("大血小板比率", "a property"),
    ("Thrombozytenaggregation", "a test on them"),
    ("Platelets Large/Platelets", "a part of them"),
    ("Prealbumin", "another protein"),
    ("Präalbumin", "another protein"),
    ("前白蛋白", "another protein"),
    ("Microalbumin", "urine"),
    ("Albumin/Creatinine ratio", "a ratio"),
    ("Albumin in Urine", "another material"),
    ("Albumin, Aszites", "another material"),
    ("Albumin/Globulin", "a ratio"),
    ("Albumin-Globulin-Quotient", "a ratio"),
    ("Neutrophils in Cerebral spinal fluid", "another material"),
    ("中性粒细胞/淋巴细胞比值", "a ratio of two of ours"),
    ("Neutrophil/Lymphocyte ratio", "a ratio of two of ours"),
    ("Leukocytes", "another test"),
    ("Hämatokrit", "another test"),
    ("Eosinophile Granulozyten", "another test"),
    ("Alberta panel", "begins like a short name"),
    ("Plattenepithel", "begins like another word"),
    ("", "nothing"),
]


@pytest.mark.parametrize(("analyte", "name"), OURS)
def test_name_of_an_analyte_is_recognised(analyte: str, name: str) -> None:
    assert BOOK.analyte([name]) == analyte


@pytest.mark.parametrize(("name", "reason"), NOT_OURS)
def test_name_of_something_else_is_not_recognised(name: str, reason: str) -> None:
    assert BOOK.analyte([name]) is None, reason


def test_one_name_that_says_otherwise_decides() -> None:
    assert BOOK.analyte(["Neutrophils", "Segmentkernige"]) is None


@pytest.mark.parametrize(
    ("basis", "name"),
    [
        ("percent", "NEUT%"),
        ("percent", "Lymphozyten Anteil"),
        ("percent", "中性粒细胞百分比"),
        ("count", "NEUT#"),
        ("count", "Neutrophile absolut"),
        ("count", "淋巴细胞绝对值"),
        (None, "Neutrophils"),
        (None, "Neutrophils # and %"),
    ],
)
def test_basis_is_told_by_name_where_it_says_so(basis: str | None, name: str) -> None:
    assert BOOK.basis([name]) == basis


@pytest.mark.parametrize(
    ("kind", "name", "eligible"),
    [
        ("condition", "Hepatocellular carcinoma", True),
        ("condition", "Hepatozelluläres Karzinom (HCC)", True),
        ("condition", "肝细胞癌", True),
        ("condition", "Secondary malignant neoplasm of liver; liver cancer", False),
        ("condition", "Screening for liver cancer", False),
        ("condition", "Liver cirrhosis", False),
        ("procedure", "TACE", True),
        ("procedure", "Chimioembolisation transartérielle", True),
        ("procedure", "肝动脉化疗栓塞术", True),
        ("procedure", "Radiofrequency ablation of kidney", False),
        ("procedure", "Trace element measurement", False),
    ],
)
def test_name_that_makes_eligible_is_recognised(kind: Kind, name: str, eligible: bool) -> None:
    assert BOOK.sounds_eligible(kind, [name]) is eligible


def test_folding_takes_case_and_accents_away_and_keeps_chinese() -> None:
    assert fold("Polynucléaires NEUTRÓFILOS 血小板") == "polynucleaires neutrofilos 血小板"


def test_shipped_file_holds_every_analyte_in_every_language() -> None:
    names = load_lookalikes().names

    assert {term.stands_for for term in names} == {"neutrophils", "lymphocytes", "platelets", "albumin"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('sources = ["TIETZ", "YU", "DERIVED"]', 'sources = ["NOBODY"]', "a source that is not explained"),
        ('reference = ["35", "52"]', 'reference = ["52", "35"]', "an interval upside down"),
        ('language = "zh"', 'tongue = "zh"', "a mistyped key"),
        ("[[not_eligibility]]", "[[not_eligible]]", "a mistyped table"),
    ],
)
def test_damaged_file_is_refused(old: str, new: str, reason: str) -> None:
    shipped = (ROOT / "cds_service" / "insight" / "doctor" / "lookalikes.toml").read_text("utf-8")
    assert old in shipped

    with pytest.raises(MappingError):
        parse_lookalikes(shipped.replace(old, new).encode())
