"""Single results: an Observation, a time, a unit."""

from __future__ import annotations

import calendar
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cds_service.acquisition.resources import Observation, Quantity
from cds_service.clinical.models import EffectiveTime, ExcludedResult, LabResult
from cds_service.clinical.reasons import Reason
from cds_service.normalization.units import normalize_spelling, read_factor
from fhir_mappings.models import KINDS
from tests.fuzz.mutations import ODD_DATES
from tests.fuzz.targets.strictness import NotJSONError, strict_json
from tests.support.charts import LOINC, NOW, PATIENT_ID, observation
from tests.support.strategies import COUNT_UNITS, SHARE_UNITS
from tests.unit.normalization.reading import MAPPINGS, STATUSES, observation_reader, times

_DECODER = msgspec.json.Decoder(Observation, float_hook=Decimal)
_OF_TIMES = {Reason.MALFORMED, Reason.IMPRECISE_TIME}
_OF_UNITS = {Reason.UNIT_MISSING, Reason.UNIT_UNKNOWN, Reason.UNIT_CONFLICT, Reason.PROPERTY_CONFLICT}
_OF_RESULTS = frozenset(
    {*_OF_TIMES, *_OF_UNITS, Reason.CODE_CONFLICT, Reason.STATUS_NOT_ACCEPTED, Reason.SUBJECT_MISMATCH}
    | {Reason.SUBJECT_MISSING, Reason.VALUE_MISSING, Reason.VALUE_NOT_NUMERIC, Reason.COMPARATOR, Reason.DATA_ABSENT}
    | {Reason.NO_EFFECTIVE_TIME, Reason.FUTURE_TIME, Reason.IMPLAUSIBLE, Reason.SPECIMEN_NOT_BLOOD}
)


def observation_seeds() -> list[bytes]:
    """Return usable Observations and some that are not."""
    quantity = {"value": 4.2, "unit": "K/uL", "code": "10*3/uL"}
    made = [
        observation("751-8", 4.2),
        observation("770-8", 60, "%"),
        observation("777-3", 0, valueQuantity={"value": 210, "unit": "10*9/L", "comparator": "<"}),
        observation("751-8", 4, valueQuantity=quantity, effectiveDateTime=None, effectivePeriod={"end": "2026-10-14"}),
        observation("58410-2", 1, valueQuantity=None, component=[observation("731-0", 1.8)]),
        observation("751-8", 4, dataAbsentReason={"text": "x"}, status="entered-in-error"),
        observation("751-8", 4, subject={"reference": "https://x/Patient/p1/_history/3"}),
    ]
    return [json.dumps(each).encode() for each in made]


def check_observation(data: bytes) -> None:
    """Read an Observation; whatever names one of our analytes is a result or has a reason, and a result is sound."""
    try:
        seen = strict_json(data)
        read = _DECODER.decode(data)
    except (NotJSONError, ArithmeticError, ValueError, RecursionError):
        return
    outcomes = list(observation_reader().read(read))
    measurements = [seen, *(seen.get("component") or ())]
    named = sum(_names_analyte(each) for each in measurements)
    assert named <= len(outcomes) <= len(measurements), "a result that names our analyte vanished, or one was made up"
    for outcome in outcomes:
        if isinstance(outcome, ExcludedResult):
            assert outcome.reason in _OF_RESULTS
        else:
            _check_usable(outcome, seen, measurements)


def _names_analyte(measurement: Any) -> bool:
    codings = (measurement.get("code") or {}).get("coding") or ()
    return any(MAPPINGS.analyte_code(c.get("system") or "", c.get("code") or "") is not None for c in codings)


def _check_usable(result: LabResult, seen: Any, measurements: list[Any]) -> None:
    assert seen["status"] in STATUSES
    reference = seen["subject"]["reference"]
    assert re.fullmatch(rf"(.*/)?Patient/{PATIENT_ID}(/_history/.*)?", reference, re.DOTALL), reference
    sources = [m for m in measurements if _is_source(m, result)]
    assert sources, "no measurement was sent with this value and code"
    assert result.effective.day <= (NOW + timedelta(days=1)).date()
    low, high = Decimal("0"), Decimal("2000")
    assert low <= result.quantity.value <= high


def _is_source(measurement: Any, result: LabResult) -> bool:
    quantity = measurement.get("valueQuantity") or {}
    codes = [coding.get("code") for coding in (measurement.get("code") or {}).get("coding") or ()]
    sent = quantity.get("value")
    plain = not quantity.get("comparator") and measurement.get("dataAbsentReason") is None
    return plain and isinstance(sent, Decimal) and sent == result.reported.value and result.origin.code in codes


def time_seeds() -> list[bytes]:
    """Return times as they are sent, right and wrong."""
    sent = ("2026-10-14T08:00:00Z", "2026-10-14T08:00:00.123+02:00", "2026-10-25T02:30:00", "2026-03-29T02:30:00")
    return [text.encode() for text in (*sent, "2026-10-14", "2024-02-29", *ODD_DATES)]


_FULL = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)


def check_time(data: bytes) -> None:
    """Read a time and compute the same instant by a calendar of days and seconds."""
    text = data.decode("utf-8", "replace")
    zone = ZoneInfo("Asia/Kathmandu")
    found = times(zone).read(text)
    if isinstance(found, Reason):
        assert found in _OF_TIMES
        return
    assert isinstance(found, EffectiveTime)
    if found.instant is None:
        assert text == found.day.isoformat()
        return
    parts = _FULL.fullmatch(text)
    assert parts is not None, "a time of no known form"
    year, month, day, hour, minute = map(int, parts.groups()[:5])
    date(year, month, day)
    seconds = calendar.timegm((max(year, 1970), month, day, hour, minute, int(parts[6] or 0)))
    if year < 1970 or (month, day) == (2, 29):
        return
    expected = seconds - _offset(parts[8], zone, (year, month, day, hour, minute))
    assert int(found.instant.astimezone(UTC).timestamp() // 1) == expected
    assert found.day == found.instant.astimezone(zone).date()


def _offset(text: str | None, zone: ZoneInfo, wall: tuple[int, int, int, int, int]) -> int:
    if text is None:
        offset = datetime(*wall, tzinfo=zone).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())
    if text in "Zz":
        return 0
    digits = text[1:].replace(":", "")
    return (-1 if text[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def unit_seeds() -> list[bytes]:
    """Return pairs of code and text; the first byte chooses the kind of quantity."""
    texts = [text for texts in COUNT_UNITS.values() for text in texts] + list(SHARE_UNITS)
    pairs = [(text, text) for text in texts] + [("10*9/L", "G/L"), ("g/L", "10*9/L"), ("", "109/L"), ("K/uL", "")]
    return [bytes([number]) + f"{code}\0{text}".encode() for code, text in pairs for number in (0, 1)]


def check_unit(data: bytes) -> None:
    """Look a unit up; a factor is one that a row of the table has for this kind, under a spelling that was sent."""
    kind = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    code, _, text = data[1:].decode("utf-8", "replace").partition("\0")
    found = read_factor(Quantity(code=code or None, unit=text or None), kind, MAPPINGS)
    assert found == read_factor(Quantity(code=code or None, unit=text or None), kind, MAPPINGS)
    if isinstance(found, Reason):
        assert found in _OF_UNITS
        return
    if not code.strip() and not text.strip():
        assert kind == "fraction"
        return
    spellings = {normalize_spelling(spelling).casefold() for spelling in (code, text) if spelling.strip()}
    rows = [row for row in MAPPINGS.rows.units if row.factor == found]
    of_a_row = any(normalize_spelling(row.spelling).casefold() in spellings for row in rows)
    assert of_a_row or (kind == "count" and _may_be_put_together(spellings, found)), "a factor out of nowhere"

    refused = {row.spelling for row in MAPPINGS.rows.refused_units}
    assert not ({code} == {text} and code in refused), "a refused unit got a factor"


def _may_be_put_together(spellings: set[str], factor: Decimal) -> bool:
    """Tell whether multiple by volume may give the factor: a power of ten, where a volume is named."""
    is_power_of_ten = factor.normalize().as_tuple().digits == (1,)
    return is_power_of_ten and any(sign in spelling for spelling in spellings for sign in ("l", "mm", "cc", "cm"))


assert LOINC  # The codes of the seeds are LOINC's.
