"""A blood draw of a synthetic patient, and the laboratory Observations it is reported as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from cds_service.demo.patients.resources import TERMINOLOGY, TEST_DATA, Resource, coding, concept

if TYPE_CHECKING:
    from datetime import date

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_REPORTED_AFTER = timedelta(hours=2)


class Reporting(Enum):
    """How the laboratory reports: the units of counts and albumin, and the basis of the differential."""

    SI = "10*9/L and g/L"
    CONVENTIONAL = "10*3/uL and g/dL"
    PER_MICROLITER = "/uL and g/dL"
    PERCENT_DIFFERENTIAL = "% for neutrophils and lymphocytes"


@dataclass(frozen=True, slots=True)
class _Analyte:
    code: str
    display: str
    text: str
    # Lower and upper reference limit, in 10*9/L or g/L. Sources: the diagnostic report examples of the
    # FHIR R4 specification (neutrophils, lymphocytes, platelets); smart-on-fhir/generated-sample-data
    # (albumin). None of them gives limits for percentages.
    reference_range: tuple[Decimal, Decimal] | None


_NEUTROPHILS = _Analyte(
    "751-8",
    "Neutrophils [#/volume] in Blood by Automated count",
    "Neutrophils, absolute",
    (Decimal("2.0"), Decimal("7.5")),
)
_LYMPHOCYTES = _Analyte(
    "731-0",
    "Lymphocytes [#/volume] in Blood by Automated count",
    "Lymphocytes, absolute",
    (Decimal("1.1"), Decimal("4.0")),
)
_NEUTROPHIL_SHARE = _Analyte("770-8", "Neutrophils/Leukocytes in Blood by Automated count", "Neutrophils, %", None)
_LYMPHOCYTE_SHARE = _Analyte("736-9", "Lymphocytes/Leukocytes in Blood by Automated count", "Lymphocytes, %", None)
_PLATELETS = _Analyte(
    "777-3",
    "Platelets [#/volume] in Blood by Automated count",
    "Platelets",
    (Decimal(150), Decimal(450)),
)
_ALBUMIN = _Analyte("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "Albumin", (Decimal(35), Decimal(50)))


@dataclass(frozen=True, slots=True)
class Draw:
    """One blood draw: counts in 10*9/L (or N and L in percent, see `reporting`), albumin in g/L.

    None means not measured. `clumped` puts a platelet result without a value into the chart.
    `filed_for` names the patient the results belong to if it is not the patient of the chart.
    """

    day: date
    neutrophils: Decimal
    lymphocytes: Decimal
    platelets: Decimal | None
    albumin: Decimal | None = None
    at: time = time(8, 10)
    reporting: Reporting = Reporting.SI
    status: str = "final"
    clumped: bool = False
    filed_for: str | None = None

    @property
    def sampled(self) -> datetime:
        """When the blood was drawn, with its zone."""
        return datetime.combine(self.day, self.at, UTC)

    @property
    def sii(self) -> Decimal | None:
        """SII in 10*9/L, or None where this draw gives none for the patient of the chart.

        Definition: platelets x neutrophils / lymphocytes (Hu 2014, Clin Cancer Res 20:6212).
        """
        usable = self.status in {"final", "amended", "corrected"} and self.filed_for is None
        if not usable or self.platelets is None or self.lymphocytes == 0:
            return None
        return self.platelets * self.neutrophils / self.lymphocytes


def draw(
    today: date,
    days_ago: int,
    counts: tuple[str, str, str | None],
    albumin: str | None = None,
    *,
    at: time = time(8, 10),
    reporting: Reporting = Reporting.SI,
) -> Draw:
    """Return a draw `days_ago` days before today from (neutrophils, lymphocytes, platelets) as text."""
    neutrophils, lymphocytes, platelets = counts
    return Draw(
        day=today - timedelta(days=days_ago),
        neutrophils=Decimal(neutrophils),
        lymphocytes=Decimal(lymphocytes),
        platelets=None if platelets is None else Decimal(platelets),
        albumin=None if albumin is None else Decimal(albumin),
        at=at,
        reporting=reporting,
    )


def blood_counts(drawn: Draw, chart_patient: str) -> tuple[Resource, ...]:
    """Return the Observations of the blood count, all from one EDTA tube."""
    if drawn.reporting is Reporting.PERCENT_DIFFERENTIAL:
        differential = ((_NEUTROPHIL_SHARE, drawn.neutrophils), (_LYMPHOCYTE_SHARE, drawn.lymphocytes))
    else:
        differential = ((_NEUTROPHILS, drawn.neutrophils), (_LYMPHOCYTES, drawn.lymphocytes))
    measured = [_observation(drawn, chart_patient, analyte, value) for analyte, value in differential]
    if drawn.platelets is not None:
        measured.append(_observation(drawn, chart_patient, _PLATELETS, drawn.platelets))
    elif drawn.clumped:
        measured.append(_uncountable_platelets(drawn, chart_patient))
    return tuple(measured)


def albumin(drawn: Draw, chart_patient: str) -> tuple[Resource, ...]:
    """Return the albumin Observation of the draw, or nothing if albumin was not measured."""
    if drawn.albumin is None:
        return ()
    return (_observation(drawn, chart_patient, _ALBUMIN, drawn.albumin),)


def _observation(drawn: Draw, chart_patient: str, analyte: _Analyte, value: Decimal) -> Resource:
    unit, factor = _unit(analyte, drawn.reporting)
    observed = _frame(drawn, chart_patient, analyte)
    observed["valueQuantity"] = _quantity(value * factor, unit)
    if analyte.reference_range:
        low, high = analyte.reference_range
        flag, word = _interpretation(value, low, high)
        observed["interpretation"] = [concept(word, coding(f"{TERMINOLOGY}/v3-ObservationInterpretation", flag, word))]
        observed["referenceRange"] = [{"low": _quantity(low * factor, unit), "high": _quantity(high * factor, unit)}]
    return observed


def _uncountable_platelets(drawn: Draw, chart_patient: str) -> Resource:
    observed = _frame(drawn, chart_patient, _PLATELETS)
    observed["dataAbsentReason"] = concept(
        "Platelet clumps, count not possible", coding(f"{TERMINOLOGY}/data-absent-reason", "error", "Error")
    )
    observed["note"] = [{"text": "Clumping in EDTA. Please send a citrate tube."}]
    return observed


def _frame(drawn: Draw, chart_patient: str, analyte: _Analyte) -> Resource:
    specimen = f"{chart_patient}-{drawn.day:%Y%m%d}-{'serum' if analyte is _ALBUMIN else 'edta'}"
    category = coding(f"{TERMINOLOGY}/observation-category", "laboratory", "Laboratory")
    return {
        "resourceType": "Observation",
        "id": f"{chart_patient}-{drawn.day:%Y%m%d}-{analyte.code}",
        "meta": TEST_DATA,
        "status": drawn.status,
        "category": [concept("Laboratory", category)],
        "code": concept(analyte.text, coding(LOINC, analyte.code, analyte.display)),
        "subject": {"reference": f"Patient/{drawn.filed_for or chart_patient}"},
        "effectiveDateTime": drawn.sampled.isoformat(),
        "issued": (drawn.sampled + _REPORTED_AFTER).isoformat(),
        "specimen": {"reference": f"Specimen/{specimen}"},
    }


def _unit(analyte: _Analyte, reporting: Reporting) -> tuple[str, Decimal]:
    """Return the UCUM code an analyte is reported in, and the factor from 10*9/L (or g/L) to it."""
    if analyte in (_NEUTROPHIL_SHARE, _LYMPHOCYTE_SHARE):
        return "%", Decimal(1)
    conventional = reporting in (Reporting.CONVENTIONAL, Reporting.PER_MICROLITER)
    if analyte is _ALBUMIN:
        return ("g/dL", Decimal("0.1")) if conventional else ("g/L", Decimal(1))
    if reporting is Reporting.PER_MICROLITER:
        return "/uL", Decimal(1000)
    return ("10*3/uL" if conventional else "10*9/L"), Decimal(1)


def _quantity(value: Decimal, unit: str) -> Resource:
    number = int(value) if value == value.to_integral_value() else float(value)
    return {"value": number, "unit": unit, "system": UCUM, "code": unit}


def _interpretation(value: Decimal, low: Decimal, high: Decimal) -> tuple[str, str]:
    if value < low:
        return "L", "Low"
    return ("H", "High") if value > high else ("N", "Normal")
