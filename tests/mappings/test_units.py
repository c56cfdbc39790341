"""What a unit spelling means, and which spellings must not be interpreted."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from fhir_mappings import load_mappings

UNITS = load_mappings().units
ORACLE = json.loads((Path(__file__).parent / "fixtures" / "ucum_factors.json").read_text())
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def normalized(text: str) -> str:
    """The documented normalization of unit text, written once more for the tests."""
    text = re.sub(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: "10^" + found[1].translate(SUPERSCRIPTS), text)
    text = text.replace("µ", "u").replace("μ", "u").replace("×", "x")
    return " ".join(text.split())


def factor(kind: str, text: str) -> Decimal | None:
    """What the table makes of a text in normalized form."""
    return UNITS.factor(normalized(text), kind)


SPELLINGS = [
    ("count", "1", "10*9/L|10*9/l|10^9/L|10*3/uL|10*3/ul|10^3/uL|10*3/mm3|/nL|1/nL|/nl|10*6/mL"),
    ("count", "1", "10*9{cells}/L|10*3.{cells}/uL|K/uL|k/ul|K/mcL|K/mm3|K/cumm|K/ul"),
    ("count", "1", "G/L|Giga/L|Giga/l|Gpt/l|GPT/L|x10^9/L|X10E9/L|x10E9/L|10E9/L|10e9/L|x10E3/uL|X10E3/UL"),
    ("count", "1", "Thousand/uL|thousands/uL|thou/uL|Thou/mcL|th/ul|thou/cu mm|Thou/cumm|th/cumm"),
    ("count", "1", "x10(3)/mcL|10^3/mcL|Tsd/µl|10³/µL|10⁹/L|×10⁹/L|×10^9/L|x 10*9/L|10³/μL|10⁹/l"),
    ("count", "1", "x10*9/L|giga.l-1|10+3/ul|thousand per microliter|x10e3/uL"),
    ("count", "1", "x10(3)/uL|x10^3/uL|x10e3/mcL|E9/l|*10^9/L|10*3{platelets}/uL|10x3/uL|1e9/L|10e+09/L|X 10E3 / UL"),
    ("count", "1", "10^9 cells/L|K cells/uL|Tsd./µl|tsd/ul|Mrd/l|千/µL|10**9/L|10 ^ 3 / cu. mm|G/l|G / L|K per cu mm"),
    ("count", "0.001", "cells/cu.mm|cells per cu mm|个/µL|#/cmm|10^6/litre|E6/L|{cells} / uL"),
    ("count", "10", "万/µL|萬/uL|万个/µL|x10^4/uL|10(4)/mm3"),
    ("count", "100", "lakhs/cmm|Lac/cumm|10^5/uL|LAKHS / CU.MM"),
    ("count", "0.001", "/uL|1/uL|{cells}/uL|/mm3|cells/uL|cells/mcL|cells/mm3|/cmm|/cumm|cells/cumm|#/uL|#/mm3"),
    ("count", "0.001", "Zellen/µl|10*6/L|10⁶/L|Mpt/l|cells per microliter| /µL "),
    ("count", "10", "10*4/uL|10^4/µL|10⁴/μL"),
    ("count", "100", "lakh/cumm|Lakhs/cumm"),
    ("percent", "0.01", "%|%{WBC}|/100|/100{WBC}|percent|% of WBC|/100 WBC|Percent"),
    ("fraction", "1", "1|{fraction}|{ratio}"),
    ("mass", "1", "g/L|g/l|gm/L"),
    ("mass", "10", "g/dL|g/dl|gm/dL|gm/dl|G/DL|g%|g/100mL|grams per deciliter"),
    ("mass", "0.01", "mg/dL|mg/dl"),
    ("mass", "0.001", "mg/L"),
    ("moles", "0.0665", "umol/L|µmol/L|μmol/L|umol/l"),
    ("moles", "66.5", "mmol/L|mmol/l"),
]
CASES = [(kind, expected, text) for kind, expected, texts in SPELLINGS for text in texts.split("|")]


@pytest.mark.parametrize(("kind", "expected", "text"), CASES)
def test_unit_spelling_has_its_exact_factor(kind: str, expected: str, text: str) -> None:
    assert factor(kind, text) == Decimal(expected)
    assert UNITS.kinds_of(normalized(text)) == (kind,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("109/L", "superscript lost"),
        ("103/mm3", "superscript lost"),
        ("103/μL", "what NFKC makes of 10³/μL"),
        ("10*12/L", "red cells"),
        ("10*6/uL", "red cells"),
        ("10⁶/µL", "red cells"),
        ("million/uL", "red cells"),
        ("Million/uL", "red cells, other case"),
        ("million per microliter", "red cells"),
        ("M/uL", "million or Roman thousand"),
        ("m/ul", "the same, other case"),
        ("mil/mm3", "million or Roman thousand"),
        ("10*9", "no volume"),
        ("/mL", "typing error for /uL"),
        ("x10^12/L", "red cells, put together"),
        ("10(6)/mm3", "red cells, put together"),
        ("Mio/µl", "red cells in German"),
        ("T/L", "tera per liter: red cells"),
        ("Tsd/nl", "red cells, put together"),
        ("x109/L", "superscript lost behind a sign"),
        ("106/uL", "superscript lost"),
        ("10^3/L", "never met for blood cells"),
        ("10*9/uL", "never met for blood cells"),
    ],
)
def test_unit_on_the_refused_list_has_a_reason_and_no_factor(text: str, reason: str) -> None:
    spelling = normalized(text)
    refused = UNITS.refused(spelling)
    assert refused is not None, reason
    assert refused.reason
    assert UNITS.kinds_of(spelling) == ()


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("count", "mmol/L", "met on 88 neutrophil results of MIMIC"),
        ("count", "g/L", "mass, never giga per liter"),
        ("count", "g/l", "the same in lower case"),
        ("mass", "G/L", "giga per liter, never grams"),
        ("mass", "K/uL", "a count"),
        ("percent", "1", "only a pure-fraction code may come as a plain number"),
        ("count", "%", "a percentage is no count"),
        ("mass", "mmol/L", "molar albumin has its own kind"),
        ("count", "", "no unit"),
        ("count", "cells", "no volume"),
        ("count", "10-9 mol/l", "misread by a public unit table"),
        ("mass", "G/l", "giga per liter, never grams"),
        ("count", "10*3/mL", "in practice a typing error for microliter"),
        ("count", "{cells}", "an annotation alone is no unit"),
        ("count", "x10^7/uL", "a power that nobody uses"),
        ("count", "cells/cc", "a volume of the milliliter"),
    ],
)
def test_unit_of_another_kind_or_unknown_has_no_factor(kind: str, text: str, reason: str) -> None:
    assert factor(kind, text) is None, reason


def test_folded_table_has_no_key_that_two_meanings_share() -> None:
    assert all("g/l" not in UNITS.folded[kind] for kind in UNITS.folded)
    meanings: dict[str, set[object]] = {}
    for kind, table in UNITS.exact.items():
        for spelling, value in table.items():
            meanings.setdefault(spelling.casefold(), set()).add((kind, value))
    for spelling, refused in UNITS.refused_exact.items():
        meanings.setdefault(spelling.casefold(), set()).add(refused.reason)
    offered = {key for table in UNITS.folded.values() for key in table} | set(UNITS.refused_folded)
    assert offered == {key for key, found in meanings.items() if len(found) == 1}
    assert {key for key, found in meanings.items() if len(found) > 1} == {"g/l"}


def test_every_generated_spelling_has_one_exact_factor_and_no_other_meaning() -> None:
    counts = UNITS.counts
    powers = {"3": 3, "4": 4, "5": 5, "6": 6, "9": 9, "12": 12}
    words = {"": 1, "1": 1, "#": 1, "万": 10**4, "萬": 10**4, "千": 1000, "giga": 10**9, "gpt": 10**9, "mrd": 10**9}
    met: dict[str, Decimal] = {}
    for left, number in {**counts.multiples, **counts.cased}.items():
        digits = [digit for digit in powers if left.rstrip(")").endswith(digit)]
        if left in words:
            assert number == words[left], left
        elif digits and any(sign in left for sign in ("*", "^", "e", "(", "+", "x1", "p")):
            assert number == Decimal(10) ** powers[max(digits, key=len)], left
        for volume, liters in counts.volumes.items():
            spelling = f"{left}/{volume}"
            exact = number / liters / Decimal("1e9")
            expected = exact if exact in {Decimal(f) for f in ("1", "0.001", "10", "100")} else None
            known = met.setdefault(spelling, exact)
            assert known == exact, spelling
            assert counts.factor(spelling) == expected, spelling
            assert UNITS.factor(spelling, "count") in (expected, None), spelling
            others = [kind for kind in UNITS.kinds_of(spelling) if kind != "count"]
            assert not others or spelling == "g/l", spelling
            assert (UNITS.refused(spelling) is None) == bool(UNITS.kinds_of(spelling)), spelling
    assert len(met) > 10_000


def test_generated_spellings_and_rows_agree() -> None:
    for spelling, value in UNITS.exact["count"].items():
        generated = UNITS.counts.factor(spelling)
        assert generated in (value, None), spelling
    for spelling in UNITS.refused_exact:
        assert UNITS.counts.factor(spelling) is None, spelling


def test_ucum_codes_have_the_factor_of_an_independent_ucum_implementation() -> None:
    # A bare annotation is the number one by the UCUM grammar; the oracle has no factor for it.
    compared = {code for table in ORACLE["factors"].values() for code in table}
    assert compared | {"{fraction}", "{ratio}"} == UNITS.ucum_codes
    # The oracle gives moles; 66 500 g/mol (66.5 kDa) makes grams of them.
    to_canonical = {"moles": 66_500.0}
    for kind, table in ORACLE["factors"].items():
        for code, value in table.items():
            ours = float(UNITS.exact[kind][code])
            assert ours == pytest.approx(float(value) * to_canonical.get(kind, 1.0), rel=1e-12), code


@pytest.mark.parametrize("spelling", ["K/uL", "G/L", "109/L", "M/uL"])
def test_ucum_code_with_another_meaning_is_not_taken_for_one(spelling: str) -> None:
    assert spelling not in UNITS.ucum_codes


def test_molar_mass_agrees_with_the_published_intervals() -> None:
    # Tietz: 35-52 g/L = 527-782 umol/L, both rounded to whole numbers.
    for grams, micromoles in [("35", "527"), ("52", "782")]:
        assert abs(Decimal(micromoles) * UNITS.exact["moles"]["umol/L"] - Decimal(grams)) < Decimal("0.1")


@pytest.mark.parametrize(("kind", "expected", "text"), CASES)
def test_factor_round_trip_is_exact(kind: str, expected: str, text: str) -> None:
    found = factor(kind, text)
    assert found is not None
    value = Decimal("179.22")
    assert value * found / found == value, (kind, expected)


def test_every_kind_has_a_canonical_unit_that_is_one() -> None:
    assert UNITS.canonical == {
        "count": "10*9/L",
        "percent": "1",
        "fraction": "1",
        "mass": "g/L",
        "moles": "g/L",
    }
    assert UNITS.exact["count"]["10*9/L"] == UNITS.exact["mass"]["g/L"] == UNITS.exact["fraction"]["1"] == 1
    assert UNITS.unitless_kinds == {"fraction"}


# Reported platelets, neutrophils and lymphocytes with kind and unit; what platelets x neutrophils / lymphocytes gives.
VECTORS = [
    (("179.22", "10*9/L"), ("count", "0.70", "10*9/L"), ("0.25", "10*9/L"), "501.816"),
    (("179220", "/uL"), ("percent", "70", "%"), ("25", "%"), "501.816"),
    (("1.7922", "Lakhs/cumm"), ("percent", "70", "%"), ("25", "%"), "501.816"),
    (("179.22", "K/uL"), ("fraction", "0.70", "1"), ("0.25", "{fraction}"), "501.816"),
    (("17.922", "10⁴/μL"), ("count", "700", "/µL"), ("0.25", "G/L"), "501.816"),
    (("405.08", "10*9/L"), ("count", "1", "10*9/L"), ("1", "10*9/L"), "405.08"),
    (("405.081", "10*9/L"), ("count", "1", "10*9/L"), ("1", "10*9/L"), "405.081"),
]


@pytest.mark.parametrize(("platelets", "neutrophils", "lymphocytes", "expected"), VECTORS)
def test_worked_vector_comes_out_exactly(
    platelets: tuple[str, str], neutrophils: tuple[str, str, str], lymphocytes: tuple[str, str], expected: str
) -> None:
    kind = neutrophils[0]
    thrombocytes, numerator, denominator = (
        Decimal(value) * (factor(unit_kind, unit) or Decimal("NaN"))
        for unit_kind, value, unit in [("count", *platelets), neutrophils, (kind, *lymphocytes)]
    )
    assert thrombocytes * numerator / denominator == Decimal(expected)


def test_worked_vector_with_an_endless_fraction_comes_out_to_context_precision() -> None:
    assert str(Decimal("160.81") * Decimal("0.64") / Decimal("0.30")).startswith("343.061333333")
