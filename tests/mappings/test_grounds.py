"""Body sites and reasons of procedures: codes that exist, words that mean one thing, and each with its source."""

import pytest

from fhir_mappings import MappingError, load_mappings
from fhir_mappings.check_digits import is_snomed_code
from fhir_mappings.grounds import LIVER, LIVER_CANCER, GroundWord, WordFinder

ROWS = load_mappings().rows.grounds
MAPPINGS = load_mappings()


@pytest.mark.parametrize("row", [*ROWS.site_codes, *ROWS.indication_codes], ids=lambda row: f"{row.system}-{row.code}")
def test_ground_code_is_well_formed_and_sourced(row: object) -> None:
    system, code, sources = row.system, row.code, row.sources  # type: ignore[attr-defined]

    assert sources
    assert system != "snomed" or is_snomed_code(code)


def test_words_name_the_liver_and_its_cancer_in_several_languages() -> None:
    for text in ("Leber", "FOIE", "hígado", "肝右叶", "Liver, segment 8"):
        assert set(MAPPINGS.body_sites_named(text).values()) == {LIVER}, text
    for text in ("HCC", "Leberzellkarzinom", "原发性肝癌", "Carcinome hépatocellulaire"):
        assert set(MAPPINGS.indications_named(text).values()) == {LIVER_CANCER}, text


@pytest.mark.parametrize(
    "text",
    [
        *("", "livery", "splenic artery", "right", "long segment", "rate", "rim", "x" * 5000),
        *("脾动脉", "胃十二指肠动脉", "胃左动脉", "子宫动脉", "腎動脈", "肾上腺中动脉"),
    ],
)
def test_words_of_no_organ_name_none(text: str) -> None:
    assert not MAPPINGS.body_sites_named(text)


@pytest.mark.parametrize(
    ("text", "organ"),
    [
        ("经肾动脉栓塞左肾", "kidney or adrenal gland"),
        ("胃", "stomach or bowel"),
        ("肝动脉", LIVER),
        ("vertebral body L3", "bone"),
        ("Large intestine", "stomach or bowel"),
        ("Hepatic flexure", "stomach or bowel"),
    ],
)
def test_words_name_the_organ(text: str, organ: str) -> None:
    assert set(MAPPINGS.body_sites_named(text).values()) == {organ}


@pytest.mark.parametrize(
    "text",
    ["Secondary malignant neoplasm of liver", "secondary liver cancer", "转移性肝癌", "继发性肝癌", "liver mets"],
)
def test_secondary_cancer_of_the_liver_is_no_liver_cancer(text: str) -> None:
    assert set(MAPPINGS.indications_named(text).values()) == {"secondary-tumor"}


def test_word_with_two_meanings_is_refused() -> None:
    rows = [GroundWord("x", "spleen", ("S",)), GroundWord("x", "lung", ("S",))]

    with pytest.raises(MappingError, match="two meanings"):
        WordFinder(rows)


def test_finder_without_words_finds_nothing() -> None:
    assert WordFinder([]).find("liver") == {}
