"""Units: what each spelling means for each kind of result, and which ones are refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cds_service.acquisition.resources import Observation
from cds_service.clinical.models import ExcludedResult
from cds_service.clinical.reasons import Reason
from cds_service.normalization.observations import ObservationReader
from cds_service.normalization.subject import SubjectMatcher
from cds_service.normalization.units import normalize_spelling
from fhir_mappings.mappings import build_mappings
from fhir_mappings.models import UnitSpelling
from tests.support.charts import (
    ALBUMIN,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PATIENT_ID,
    PLATELETS,
    Json,
    observation,
)
from tests.unit.normalization.reading import MAPPINGS, STATUSES, judged, times, typed, usable

FRACTION = "71676-1"
ALBUMIN_MOLES = "54347-0"


def measured(code: str, value: float, /, **quantity: str | None) -> Json:
    """Build an Observation whose Quantity has exactly the given members."""
    members = {name: text for name, text in quantity.items() if text is not None}
    return observation(code, value, valueQuantity={"value": value} | members)


# Spelling, and what the laboratory reports for 210 x 10*9/L platelets; it stands in `unit` alone, or in `code` alone.
PLATELET_SPELLINGS = [
    ("10*9/L", 210, "UCUM"),
    ("10*9/l", 210, "UCUM liter, lower case"),
    ("10*3/uL", 210, "the US form"),
    ("10⁹/L", 210, "a real superscript; NFKC would make 109/L of it"),
    ("×10⁹/L", 210, "with a multiplication sign"),
    ("10³/µL", 210, "superscript and micro sign U+00B5"),
    ("10³/μL", 210, "superscript and Greek mu U+03BC"),
    ("10^3/µL", 210, "caret and micro sign"),
    ("10*3/\u03bcL", 210, "asterisk and Greek mu"),
    (" 10*9/L ", 210, "spaces around"),
    ("x 10*9/L", 210, "a space after the x"),
    ("× 10⁹/L", 210, "a space after the multiplication sign, and a superscript"),
    ("10³/mm³", 210, "superscripts after 10 and after mm"),
    ("x\u00a010*9/L", 210, "a no-break space is a space"),
    ("thou/cu  mm", 210, "a run of spaces is one"),
    ("K/uL", 210, "kelvin per microliter to a UCUM library"),
    ("k/ul", 210, "any case, since only thousand is meant"),
    ("K/UL", 210, "any case"),
    ("G/L", 210, "giga per liter; gauss to a UCUM library"),
    ("Gpt/L", 210, "the German giga particles in another case"),
    ("giga.l-1", 210, "what converted HL7 v2 looks like"),
    ("10+3/ul", 210, "HL7 v2 for 10*3"),
    ("THOUSAND/UL", 210, "words, any case"),
    ("Tsd/µl", 210, "German thousand"),
    ("/nL", 210, "per nanoliter"),
    ("10*6/mL", 210, "per milliliter"),
    ("/uL", 210_000, "cells per microliter"),
    ("{cells}/uL", 210_000, "annotated"),
    ("CELLS/MCL", 210_000, "words, any case"),
    ("10*6/L", 210_000, "per liter"),
    ("10*4/uL", 21, "ten thousands, Japan and China"),
    ("Lakhs/cumm", 2.1, "India"),
]


@pytest.mark.parametrize("member", ["unit", "code"])
@pytest.mark.parametrize(("spelling", "reported", "reason"), PLATELET_SPELLINGS)
def test_count_spelling_converts_exactly(spelling: str, reported: float, reason: str, member: str) -> None:
    result = usable(measured(PLATELETS, reported, **{member: spelling}))

    assert result.quantity == (Decimal(210), "10*9/L"), reason
    assert result.reported == (Decimal(str(reported)), spelling)


OTHER_KINDS = [
    (NEUTROPHILS_SHARE, 61, "%", "0.61", "percent"),
    (NEUTROPHILS_SHARE, 61, "PERCENT", "0.61", "word, any case"),
    (NEUTROPHILS_SHARE, 61, "%{WBC}", "0.61", "annotated"),
    (NEUTROPHILS_SHARE, 61, "/100 WBC", "0.61", "per hundred leukocytes"),
    (FRACTION, 0.61, "1", "0.61", "the unity"),
    (FRACTION, 0.61, "{ratio}", "0.61", "annotated"),
    (FRACTION, 61, "%", "0.61", "a fraction code that states percent"),
    (ALBUMIN, 38, "g/L", "38", "canonical"),
    (ALBUMIN, 38, "g/l", "38", "listed by itself: folding would meet G/L"),
    (ALBUMIN, 3.8, "g/dL", "38", "the US form"),
    (ALBUMIN, 3.8, "G/DL", "38", "no second meaning of this in any case"),
    (ALBUMIN, 3.8, "g%", "38", "old form"),
    (ALBUMIN, 3800, "mg/dL", "38", "nephelometry"),
    (ALBUMIN, 600, "umol/L", "39.9", "a mass code with a molar unit converts exactly"),
    (ALBUMIN_MOLES, 0.6, "mmol/L", "39.9", "0.6 x 66.5"),
    (ALBUMIN_MOLES, 600, "µmol/L", "39.9", "micro sign"),
    (ALBUMIN_MOLES, 38, "g/L", "38", "a molar code with a mass unit"),
]


@pytest.mark.parametrize(("code", "reported", "spelling", "canonical", "reason"), OTHER_KINDS)
def test_share_and_albumin_spellings_convert_exactly(
    code: str, reported: float, spelling: str, canonical: str, reason: str
) -> None:
    assert usable(measured(code, reported, unit=spelling)).quantity.value == Decimal(canonical), reason


REFUSED = [
    (PLATELETS, "109/L", "the superscript is lost: one hundred and nine?"),
    (PLATELETS, "103/mm3", "the superscript is lost"),
    (PLATELETS, "103/µL", "the superscript is lost"),
    (PLATELETS, "10*12/L", "the unit of red cells"),
    (PLATELETS, "10^12/L", "the unit of red cells"),
    (PLATELETS, "10¹²/L", "the unit of red cells, by two superscripts"),
    (PLATELETS, "10*6/uL", "the unit of red cells"),
    (PLATELETS, "million/uL", "the unit of red cells"),
    (PLATELETS, "MILLION/UL", "refused in any case"),
    (PLATELETS, "M/uL", "million or Roman thousand"),
    (PLATELETS, "m/ul", "refused in any case"),
    (PLATELETS, "mil/mm3", "million or thousand"),
    (PLATELETS, "10*9", "no volume"),
    (PLATELETS, "/mL", "surely microliter, but nobody knows"),
    (PLATELETS, "g/L", "a mass; never the giga of G/L"),
    (PLATELETS, "g/l", "a mass"),
    (PLATELETS, "1", "no unit"),
    (NEUTROPHILS, "mmol/L", "seen in the field under 751-8"),
    (NEUTROPHILS, "10*9/L.", "a dot too many"),
    (NEUTROPHILS, "1/m³", "not in the table"),
    (NEUTROPHILS_SHARE, "1", "only a pure-fraction code may say so"),
    (LYMPHOCYTES_SHARE, "{ratio}", "only a pure-fraction code may say so"),
    (ALBUMIN, "G/L", "giga per liter is no mass"),
    (ALBUMIN, "%", "percent of what"),
    (ALBUMIN, "U/L", "an activity"),
]


@pytest.mark.parametrize("members", [("unit",), ("code",), ("unit", "code")])
@pytest.mark.parametrize(("code", "spelling", "reason"), REFUSED)
def test_unit_outside_the_table_is_unknown(code: str, spelling: str, reason: str, members: tuple[str, ...]) -> None:
    assert judged(measured(code, 50, **dict.fromkeys(members, spelling))) == "unit-unknown", reason


BOTH = [
    (PLATELETS, "10*9/L", "x10*9/L", "usable", "two spellings of one unit"),
    (PLATELETS, "10*3/uL", "10*9/L", "usable", "two units of one factor"),
    (PLATELETS, "10*9/L", "Thrombozyten", "usable", "a code of the table wins over unknown text"),
    (PLATELETS, "10*9/L", "109/L", "usable", "so it does over a lost superscript"),
    (PLATELETS, "10*9/L", "103/uL", "usable", "a lost superscript of another volume that comes to the same"),
    (PLATELETS, "10*9/L", "106/uL", "unit-conflict", "a lost superscript that comes to something else"),
    (PLATELETS, "10*9/L", "M/uL", "unit-conflict", "a refused text beside a known code"),
    (PLATELETS, "10*9/L", "10*12/L", "unit-conflict", "a unit of red cells beside a known code"),
    (PLATELETS, "10*9/L", "x10^12/L", "unit-conflict", "the same, put together"),
    (PLATELETS, "10*9/L", "x10(3)/uL", "usable", "a text that is put together, of the same factor"),
    (PLATELETS, "10*9/L", "万/µL", "unit-conflict", "a text that is put together, of another factor"),
    (PLATELETS, "10*9/L", "", "usable", "an empty text says nothing"),
    (PLATELETS, "10*9/L", "  ", "usable", "nor does white space"),
    (PLATELETS, "10*9/L", "/uL", "unit-conflict", "known text of another factor"),
    (PLATELETS, "10*9/L", "%", "unit-conflict", "known text of another kind"),
    (PLATELETS, "10*9/L", "g/L", "unit-conflict", "a mass beside a count"),
    (PLATELETS, "G/L", "g/L", "unit-conflict", "giga per liter beside gram per liter"),
    (PLATELETS, "foo", "K/uL", "usable", "known text stands where the code is unknown"),
    (PLATELETS, "", "K/uL", "usable", "an empty code says nothing"),
    (PLATELETS, "foo", "bar", "unit-unknown", "neither is known"),
    (PLATELETS, "%", "10*9/L", "unit-conflict", "a code of another kind beside a fitting text"),
    (PLATELETS, "10*12/L", "10*9/L", "unit-conflict", "a refused code beside a fitting text"),
    (PLATELETS, "%", "percent", "property-conflict", "two of one wrong kind: a kind mismatch"),
    (NEUTROPHILS_SHARE, "%", "10*9/L", "unit-conflict", "a count beside percent"),
    (ALBUMIN, "g/dL", "g/L", "unit-conflict", "ten times apart"),
    (ALBUMIN, "g/dL", "G/DL", "usable", "the same in capitals"),
    (FRACTION, "1", "%", "unit-conflict", "a hundred times apart"),
]


@pytest.mark.parametrize(("code", "ucum", "text", "expected", "reason"), BOTH)
def test_unit_code_and_text_are_both_asked(code: str, ucum: str, text: str, expected: str, reason: str) -> None:
    value = {FRACTION: 0.6, ALBUMIN: 4}.get(code, 50)

    assert judged(measured(code, value, code=ucum, unit=text)) == expected, reason


@pytest.mark.parametrize("blank", [{}, {"unit": ""}, {"unit": " ", "code": "\t"}], ids=["none", "empty", "blank"])
@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        (PLATELETS, 210, "unit-missing"),
        (NEUTROPHILS_SHARE, 0.61, "unit-missing"),
        (ALBUMIN, 38, "unit-missing"),
        (FRACTION, 0.61, "usable"),
        (FRACTION, 61, "implausible"),
    ],
)
def test_unit_may_be_missing_for_a_pure_fraction_only(
    code: str, value: float, expected: str, blank: dict[str, str]
) -> None:
    assert judged(measured(code, value, **blank)) == expected


def test_unit_system_is_not_asked_since_the_table_decides() -> None:
    assert judged(measured(PLATELETS, 210, code="K/uL", system="http://unitsofmeasure.org")) == "usable"
    assert judged(measured(PLATELETS, 210, code="10*9/L", system="http://hospital.example/units")) == "usable"


def test_count_is_never_taken_for_a_fraction_whatever_its_factor() -> None:
    """A site may add 10*7/L, whose factor is that of percent; 1 of it is 0.01 x 10*9/L, far below any neutrophils."""
    rows = replace(
        MAPPINGS.rows, units=(*MAPPINGS.rows.units, UnitSpelling("10*7/L", "count", Decimal("0.01"), True, ()))
    )
    reader = ObservationReader(build_mappings(rows, "test"), STATUSES, SubjectMatcher(PATIENT_ID, {}), times())
    (outcome,) = reader.read(typed(Observation, measured(NEUTROPHILS, 1, unit="10*7/L")))

    assert isinstance(outcome, ExcludedResult)
    assert outcome.reason is Reason.IMPLAUSIBLE


@pytest.mark.parametrize(
    ("text", "normalized", "reason"),
    [
        ("10¹²/L", "10^12/L", "every superscript of the power"),
        ("10⁰", "10^0", "zero is one"),
        ("mm³", "mm3", "a cube"),
        ("／㎕", "/ul", "full-width and squared characters"),
        ("％", "%", "full-width"),
        ("１０＾９／Ｌ", "10^9/L", "full-width throughout"),
        ("*10⁹/Ｌ", "*10^9/L", "a superscript beside a full-width letter"),
        ("10³/㎣", "10^3/mm3", "a squared volume"),
        ("✕10*9/L", "x10*9/L", "another multiplication sign"),
        ("10*9⁄L", "10*9/L", "the slash of fractions"),
        ("10*9∕L", "10*9/L", "the slash of division"),
        ("10·9⋅L", "10.9.L", "both dots of a product"),
        ("kg/m²", "kg/m2", "a square"),
        ("10*9/ℓ", "10*9/l", "the script letter of the liter"),
        ("g/㎗", "g/dl", "a deciliter in one character"),
        ("㎎/㎖", "mg/ml", "a milligram and a milliliter"),
        ("/㏄", "/cc", "a cubic centimeter"),
        ("！～", "!~", "the first and the last full-width character"),
        ("×10⁹ / L", "x10^9 / L", "inner spaces stay"),
        ("10*9  /\u3000L", "10*9 / L", "runs of spaces are one, that of Chinese text among them"),
        ("µμ", "uu", "both micro signs"),
        ("\t10*9/L\n", "10*9/L", "any white space"),
        ("", "", "nothing"),
    ],
)
def test_spelling_is_normalized_before_it_is_looked_up(text: str, normalized: str, reason: str) -> None:
    assert normalize_spelling(text) == normalized, reason


@pytest.mark.parametrize(
    ("code", "unit", "why"),
    [
        (PLATELETS, "%", "a share of leukocytes is no platelet count"),
        (NEUTROPHILS, "%", "a percentage under a count code"),
        (NEUTROPHILS, "percent", "in words"),
        (NEUTROPHILS_SHARE, "10*9/L", "a count under a percent code"),
        (NEUTROPHILS_SHARE, "/uL", "a count of another size"),
        (FRACTION, "10*9/L", "a count under a fraction code"),
    ],
)
@pytest.mark.parametrize("members", [("unit",), ("code",), ("unit", "code")])
def test_unit_of_the_other_property_is_a_conflict(code: str, unit: str, why: str, members: tuple[str, ...]) -> None:
    quantity = {"value": 60} | dict.fromkeys(members, unit)

    assert judged(observation(code, 0, valueQuantity=quantity)) == "property-conflict", why
