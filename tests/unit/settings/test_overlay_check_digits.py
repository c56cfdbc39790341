"""Check digits of codes that a site adds, against the shipped codes and against misprints of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fhir_mappings import load_mappings
from fhir_mappings.check_digits import is_loinc_code, is_snomed_code

if TYPE_CHECKING:
    from fhir_mappings.codes import Coded

ROWS = load_mappings().rows
CODED: tuple[Coded, ...] = (
    *ROWS.analyte_codes,
    *ROWS.refused_codes,
    *ROWS.conditions,
    *ROWS.procedures,
    *ROWS.refused_procedures,
)
LOINC_CODES = sorted({row.code for row in CODED if row.system == "loinc"})
SNOMED_CODES = sorted({row.code for row in CODED if row.system == "snomed"})


def misprints(code: str) -> set[str]:
    """Return the code with each digit replaced by each other one."""
    return {
        f"{code[:place]}{digit}{code[place + 1 :]}"
        for place, was in enumerate(code)
        for digit in "0123456789"
        if was.isdigit() and digit != was
    }


@pytest.mark.parametrize("code", LOINC_CODES)
def test_shipped_loinc_code_is_right_and_no_misprint_of_it(code: str) -> None:
    assert is_loinc_code(code)
    assert not any(is_loinc_code(misprint) for misprint in misprints(code))


@pytest.mark.parametrize("code", SNOMED_CODES)
def test_shipped_snomed_code_is_right_and_no_misprint_of_it(code: str) -> None:
    assert is_snomed_code(code)
    assert not any(is_snomed_code(misprint) for misprint in misprints(code))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "empty"),
        ("-", "hyphen alone"),
        ("7518", "no hyphen"),
        ("751-", "no check digit"),
        ("-8", "no number"),
        ("751-88", "two check digits"),
        (" 751-8", "space"),
        ("751-8-8", "a second hyphen"),
        ("٧٥١-8", "digits of another script"),
        ("²-5", "superscript digit"),
    ],
)
def test_text_of_another_form_is_no_loinc_code(code: str, reason: str) -> None:
    assert not is_loinc_code(code), reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "empty"),
        ("60923", "too short"),
        ("0" * 8, "leading zero"),
        ("1" * 19, "too long"),
        ("609232008 ", "space"),
        ("٦٠٩٢٣٢٠٠٨", "digits of another script"),
    ],
)
def test_text_of_another_form_is_no_snomed_code(code: str, reason: str) -> None:
    assert not is_snomed_code(code), reason
