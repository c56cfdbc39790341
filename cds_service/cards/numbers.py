"""Numbers and times as a clinician reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.cards.markdown import escape
from cds_service.clinical.models import Analyte, Basis

if TYPE_CHECKING:
    from decimal import Decimal

    from cds_service.clinical.models import EffectiveTime, LabResult

_UNITS = {"10*9/L": "×10⁹/L", "g/L": "g/L"}


def plain(value: Decimal) -> str:
    """Return a Decimal without exponent and without trailing zeros after the point."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical(result: LabResult) -> str:
    """Return the canonical value with its unit; shares of the leukocytes as a percentage."""
    if result.basis is Basis.PERCENT:
        return f"{plain(result.quantity.value * 100)} %"
    return f"{plain(result.quantity.value)} {_UNITS[result.quantity.unit]}"


def factor_text(result: LabResult) -> str:
    """Return the bare canonical number for the formula; shares as percentages, since the unit cancels."""
    return plain(result.quantity.value * 100) if result.basis is Basis.PERCENT else plain(result.quantity.value)


def reported(result: LabResult) -> str:
    """Return the value as the laboratory sent it, with the canonical one beside it where they differ."""
    as_sent = f"{result.reported.value:f} {escape(result.reported.unit)}".strip()
    if result.reported.value == result.quantity.value or _is_percent_as_sent(result):
        return as_sent
    about = "≈ " if result.analyte is Analyte.ALBUMIN and "mol" in result.reported.unit else ""
    return f"{as_sent} = {about}{canonical(result)}"


def moment(time: EffectiveTime) -> str:
    """Return date and, where known, time with the zone of the site."""
    if time.instant is None:
        return time.day.isoformat()
    return time.instant.strftime("%Y-%m-%d %H:%M %Z")


def _is_percent_as_sent(result: LabResult) -> bool:
    return result.basis is Basis.PERCENT and result.reported.value == result.quantity.value * 100
