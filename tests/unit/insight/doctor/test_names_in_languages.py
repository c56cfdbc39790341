"""Names of the languages of third-party data: ours, and the look-alikes beside them.

The names are written as laboratories of each language write them; sources of the words stand in lookalikes.toml.
"""

from __future__ import annotations

import tomllib

import pytest

from cds_service.insight.doctor.names import UNKNOWN_THERAPY, NameBook
from tests.architecture.checkout import ROOT

BOOK = NameBook()

NAMES = tomllib.loads((ROOT / "tests" / "fixtures" / "doctor" / "names.toml").read_text("utf-8"))
OURS = [(analyte, name) for analyte, names in NAMES["ours"].items() for name in names]
OTHERS = [(kind, name) for kind, names in NAMES["others"].items() for name in names]


@pytest.mark.parametrize(("analyte", "name"), OURS)
def test_name_in_any_language_is_recognised(analyte: str, name: str) -> None:
    assert BOOK.analyte([name]) == analyte


@pytest.mark.parametrize(("kind", "name"), OTHERS)
def test_look_alike_in_any_language_is_not_recognised(kind: str, name: str) -> None:
    assert BOOK.analyte([name]) is None, kind


@pytest.mark.parametrize(
    ("name", "therapy", "names_liver", "reason"),
    [
        ("TACE", "embolization/chemo", True, "chemoembolization is of the liver's arteries"),
        ("Kemoembolisering af lever", "embolization/chemo", True, "Danish"),
        ("경동맥 화학색전술", "embolization/chemo", True, "Korean"),
        ("肝动脉化疗栓塞术", "embolization/chemo", True, "Chinese"),
        ("SIRT", "brachytherapy/radioembolization", True, "radioembolization by its short name"),
        ("HAIC", "infusion/hepatic-artery-chemotherapy", True, "infusion by its short name"),
        ("Lokale Destruktion Leber: Radiofrequenzablation perkutan", "ablation/radiofrequency", True, "German OPS"),
        ("Радиочастотная аблация печени", "ablation/radiofrequency", True, "Russian"),
        ("Mikrobølgeablation af lever", "ablation/microwave", True, "Danish"),
        ("Termoablacja wątroby", "ablation/thermal", True, "Polish"),
        ("Alkoholinjektion Leber", "ablation/chemical", True, "ethanol injection"),
        ("Microwave or radiofrequency ablation of liver", "ablation/radiofrequency-or-microwave", True, "either heat"),
        ("ラジオ波焼灼療法", "ablation/radiofrequency", False, "the name does not say of what"),
        ("TACE und RFA", UNKNOWN_THERAPY, True, "two therapies at once"),
        ("Embolisation", UNKNOWN_THERAPY, False, "of anything, by anything"),
        ("Leberresektion", UNKNOWN_THERAPY, False, "no interventional procedure"),
        ("Knie-TEP", UNKNOWN_THERAPY, False, "another procedure"),
        ("", UNKNOWN_THERAPY, False, "no name"),
    ],
)
def test_therapy_is_guessed_from_the_name_and_unknown_otherwise(
    name: str, therapy: str, names_liver: bool, reason: str
) -> None:
    guess = BOOK.therapy([name])

    assert guess.therapy == therapy, reason
    if therapy != UNKNOWN_THERAPY:
        assert guess.names_liver is names_liver, reason


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Leukocytter;B", True),
        ("Hämatokrit", True),
        ("Эритроциты", True),
        ("単球", True),
        ("Stabkernige Neutrophile", True),
        ("Albumin/Globulin", True),
        ("Neutrofilocytter;B", False),
        ("Analyse 4711", False),
        ("", False),
    ],
)
def test_name_of_another_test_is_known_as_such(name: str, other: bool) -> None:
    assert BOOK.is_another_test([name]) is other
