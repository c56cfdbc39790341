"""Numbers and times as a clinician reads them."""

from __future__ import annotations

import re
from decimal import Context
from typing import TYPE_CHECKING, Final

from cds_service.cards.markdown import escape
from cds_service.clinical.models import Basis
from cds_service.clinical.rule import whole_beside

if TYPE_CHECKING:
    from decimal import Decimal

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.chart_facts import ProcedureTime
    from cds_service.clinical.models import EffectiveTime, LabResult

_UNITS: Final = {"10*9/L": "×10⁹/L", "g/L": "g/L"}
# UCUM writes "no unit" as 1.
_UNITY: Final = "1"
# More digits than a result may have (normalization reads 34) or its conversion adds.
_EXACT: Final = Context(prec=80)

# How laboratories and UCUM write a power of ten before a volume: 10*9/L, 10^9/L, x10E9/L.
_POWER: Final = re.compile(r"^[x×*]? ?10 ?(?:\*\*|[*^eE])?([0-9⁰¹²³⁴-⁹])(?= ?/)")
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def sii(value: Decimal, cutoff: Decimal) -> str:
    """Return SII as a whole number, with as many decimals as it takes to stay on its side of the cut-off."""
    return f"{whole_beside(value, cutoff):f}"


def days(count: int, texts: Texts) -> str:
    """Return a number of days in words."""
    return texts.one_day if count == 1 else texts.several_days.format(count=count)


def plain(value: Decimal) -> str:
    """Return a Decimal without exponent and without trailing zeros after the point."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical(result: LabResult) -> str:
    """Return the canonical value with its unit; shares of the leukocytes as a percentage."""
    unit = "%" if result.basis is Basis.PERCENT else _UNITS[result.quantity.unit]
    return f"{factor_text(result)} {unit}"


def factor_text(result: LabResult) -> str:
    """Return the bare canonical number for the formula; shares as percentages, since the unit cancels."""
    value = result.quantity.value
    return plain(value.scaleb(2, _EXACT) if result.basis is Basis.PERCENT else value)


def reported(result: LabResult, texts: Texts) -> str:
    """Return the value as the laboratory sent it, with the canonical one beside it where they differ."""
    sent = _as_sent(result)
    if result.reported.value == result.quantity.value:
        is_fraction = result.basis is Basis.PERCENT
        return texts.fraction_value.format(reported=sent, value=canonical(result)) if is_fraction else sent
    return sent if result.basis is Basis.PERCENT else f"{sent} = {canonical(result)}"


def albumin(result: LabResult, texts: Texts) -> str:
    """Return albumin in g/L, with the reported value beside it where that reads otherwise."""
    value, sent = canonical_albumin(result, texts), _as_sent(result)
    return value if sent == value else texts.converted_value.format(value=value, reported=sent)


def canonical_albumin(result: LabResult, texts: Texts) -> str:
    """Return albumin in g/L.

    Albumin in moles is approximate: published molar masses differ by 0.8 % (fhir_mappings/units.toml).
    """
    if _is_shift_of_the_point(result):
        return canonical(result)
    rounded = result._replace(quantity=result.quantity._replace(value=round(result.quantity.value, 1)))
    return texts.approximate_value.format(value=canonical(rounded))


def moment(time: EffectiveTime) -> str:
    """Return date and, where known, time with the zone of the site."""
    if time.instant is None:
        return time.day.isoformat()
    return time.instant.strftime("%Y-%m-%d %H:%M %Z")


def procedure_date(performed: ProcedureTime, texts: Texts) -> str:
    """Return the date of a procedure no more precisely than it is recorded; both limits of a Period."""
    began, ended = (recorded.partition("T")[0] for recorded in (performed.began, performed.ended))
    return ended if began == ended else texts.date_span.format(began=began, ended=ended)


def _as_sent(result: LabResult) -> str:
    unit = result.reported.unit
    shown = "" if unit == _UNITY else escape(_POWER.sub(lambda power: f"×10{power[1].translate(_RAISED)}", unit))
    return f"{result.reported.value:f} {shown}".strip()


def _is_shift_of_the_point(result: LabResult) -> bool:
    """Tell whether the canonical value is the reported one with its point moved, as between units of mass."""
    digits = (value.normalize(_EXACT).as_tuple().digits for value in (result.reported.value, result.quantity.value))
    return len(set(digits)) == 1
