"""Plain scalars have the meaning of the YAML 1.2 core schema."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.settings.yaml_source import plain_scalar


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("yes", "yes", "YAML 1.1 made it true"),
        ("no", "no", "YAML 1.1 made it false: the country code of Norway"),
        ("off", "off", "YAML 1.1 made it false"),
        ("22:30", "22:30", "YAML 1.1 made it 1350 seconds"),
        ("010", 10, "YAML 1.1 made it 8"),
        ("0o10", 8, "octal is written so in YAML 1.2"),
        ("0x1F", 31, "hexadecimal"),
        ("0b11", "0b11", "binary is YAML 1.1 only"),
        ("1_000", "1_000", "underscores are YAML 1.1 only"),
        ("2026-01-01", "2026-01-01", "dates are YAML 1.1 only"),
        ("=", "=", "the value key is YAML 1.1 only"),
        ("1e3", Decimal(1000), "an exponent needs no point"),
        ("405.08", Decimal("405.08"), "exact: binary floating point would give 405.07999…"),
        ("405.080", Decimal("405.080"), "exact, trailing zero included"),
        ("-1", -1, "sign"),
        ("+7", 7, "sign"),
        (".5", Decimal("0.5"), "no digit before the point"),
        ("5.", Decimal(5), "no digit after the point"),
        (".", ".", "no digit at all"),
        ("405,08", "405,08", "a decimal comma is not a number"),
        (".inf", ".inf", "numbers of the configuration are finite"),
        (".nan", ".nan", "numbers of the configuration are numbers"),
        ("true", True, "boolean"),
        ("FALSE", False, "boolean, all capitals"),
        ("tRUE", "tRUE", "no boolean spelling of YAML 1.2"),
        ("", None, "nothing"),
        ("~", None, "null"),
        ("Null", None, "null"),
        ("9" * 31, "9" * 31, "longer than any number of the configuration"),
        ("1e9999", "1e9999", "an exponent no number of the configuration needs"),
        ("٣", "٣", "Arabic-Indic digits are text"),
    ],
)
def test_plain_scalar_is_read_by_yaml_1_2(text: str, value: object, reason: str) -> None:
    read = plain_scalar(text)
    assert (read, type(read)) == (value, type(value)), reason
