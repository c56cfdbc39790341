"""What a whole laboratory sends beside the four analytes, under its own codes, is not taken for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fhir_mappings import load_mappings
from tests.support.charts import (
    LOINC,
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    condition,
    days_ago,
    observation,
)
from tests.support.hospital import hospital, of_code, recoded
from tests.unit.insight.doctor.examining import examined, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.support.charts import Json

LOCAL = "https://laboratory.hospital.example/tests"

# Code, name, unit and a middling value of a German laboratory's other tests. Many lie where ours do.
OTHERS = [
    ("WBC", "Leukozyten", "10*9/L", 6.5),
    ("RBC", "Erythrozyten", "10*12/L", 4.6),
    ("HB", "Hämoglobin", "g/L", 141),
    ("HKT", "Hämatokrit", "%", 42),
    ("MCV", "MCV", "fL", 90),
    ("RETI", "Retikulozyten", "%", 1.2),
    ("MONO-A", "Monozyten absolut", "10*9/L", 0.5),
    ("MONO", "Monozyten", "%", 8),
    ("EOS", "Eosinophile", "%", 3),
    ("BASO", "Basophile Granulozyten", "%", 1),
    ("SEGM", "Segmentkernige Neutrophile", "%", 60),
    ("STAB", "Stabkernige Neutrophile", "%", 3),
    ("IG", "Unreife Granulozyten", "%", 0.4),
    ("ATYP", "Atypische Lymphozyten", "%", 20),
    ("CD4", "T-Helferzellen (CD4+ Lymphozyten)", "/uL", 900),
    ("MPV", "Mittleres Thrombozytenvolumen", "fL", 10),
    ("PDW", "Thrombozyten-Verteilungsbreite", "%", 16),
    ("IPF", "Unreife Thrombozyten", "%", 4),
    ("TP", "Gesamteiweiß", "g/L", 70),
    ("GLOB", "Globuline", "g/L", 40),
    ("PALB", "Präalbumin", "mg/dL", 25),
    ("UALB", "Albumin im Urin", "mg/L", 12),
    ("ACR", "Albumin/Kreatinin-Quotient", "mg/g", 20),
    ("AALB", "Albumin (Aszites)", "g/L", 11),
    ("CRP", "C-reaktives Protein", "mg/L", 4),
    ("NLR", "Neutrophilen-Lymphozyten-Ratio", "1", 2.5),
    ("NA", "Natrium", "mmol/L", 139),
]


def the_rest(patient_id: str) -> Iterable[Json]:
    """Results of every other test of a patient, around their middle."""
    drift = 1 + (int(patient_id[1:]) % 9 - 4) / 40
    for code, name, unit, middle in OTHERS:
        result = observation(code, round(middle * drift, 3), unit, when=days_ago(40), oid=f"{patient_id}-{code}")
        coding = {"system": LOCAL, "code": code, "display": name}
        yield result | {"code": {"coding": [coding]}, "subject": {"reference": f"Patient/{patient_id}"}}


def test_other_tests_of_a_laboratory_are_none_of_ours(tmp_path: Path) -> None:
    report = examined(hospital().add(the_rest), tmp_path)

    assert found(report) == set(), [finding.what for finding in report.findings]
    assert report.other_codes == len(OTHERS)
    assert report.overlay == ""


def test_other_tests_without_names_are_none_of_ours_while_ours_are_there(tmp_path: Path) -> None:
    def nameless(patient_id: str) -> Iterable[Json]:
        for number, result in enumerate(the_rest(patient_id)):
            yield recoded(LOCAL, f"{1000 + number}", None)(result)

    assert found(examined(hospital().add(nameless), tmp_path)) == set()


def test_counts_with_percentages_that_agree_are_clean(tmp_path: Path) -> None:
    assert found(examined(hospital().add(with_shares(1.0)), tmp_path)) == set()


def test_counts_with_percentages_that_contradict_are_told(tmp_path: Path) -> None:
    """Lymphocytes in percent half of what the counts say: the ratios differ by 100 %."""
    report = examined(hospital().add(with_shares(0.5)), tmp_path)

    assert ("blocks", "differential-inconsistent") in found(report)


def with_shares(factor: float) -> Callable[[str], Iterable[Json]]:
    """Add percentages to every patient: of 6.5 leukocytes, lymphocytes off by a factor."""

    def shares(patient_id: str) -> Iterable[Json]:
        number = int(patient_id[1:])
        high, drift = number % 2 == 1, 1 + (number % 11 - 5) / 50
        neutrophils = round((4.6 if high else 4.0) * drift, 2) / 6.5 * 100
        lymphocytes = (1.5 if high else 1.8) / 6.5 * 100 * factor
        for code, value in ((NEUTROPHILS_SHARE, neutrophils), (LYMPHOCYTES_SHARE, lymphocytes)):
            yield observation(
                code,
                round(value, 3),
                "%",
                when=days_ago(40),
                oid=f"{patient_id}-{code}",
                subject={"reference": f"Patient/{patient_id}"},
            )

    return shares


def test_local_percentages_beside_accepted_counts_are_a_note(tmp_path: Path) -> None:
    """Nothing is lost: the counts are read. Whoever reads the report may add the codes all the same."""

    def local(patient_id: str) -> Iterable[Json]:
        names = {NEUTROPHILS_SHARE: "Neutrophile %", LYMPHOCYTES_SHARE: "Lymphozyten %"}
        for result in with_shares(1.0)(patient_id):
            code = result["code"]["coding"][0]["code"]
            yield recoded(LOCAL, f"{code}-L", names[code])(result)

    assert found(examined(hospital().add(local), tmp_path)) == {("note", "local-code")}


def test_sick_patients_are_no_wrong_scale(tmp_path: Path) -> None:
    """Cirrhosis: platelets of 45 to 75, lymphocytes of 0.4; medians still are those of counts.

    SII is 4.3 x 60 / 0.4 = 645 and above the cut-off for everybody, which this sample of the sickest has to be told.
    """

    def cirrhotic(result: Json) -> Json:
        value = result["valueQuantity"]["value"]
        code = result["code"]["coding"][0]["code"]
        changed = value * 0.35 if code == PLATELETS else 0.4
        return result | {"valueQuantity": result["valueQuantity"] | {"value": round(changed, 2)}}

    report = examined(hospital().change(of_code(PLATELETS, LYMPHOCYTES, change=cirrhotic)), tmp_path)

    assert found(report) == {("warning", "above-share-unusual")}


@pytest.mark.parametrize("patients", [1, 4])
def test_few_patients_give_no_finding_on_values(patients: int, tmp_path: Path) -> None:
    assert found(examined(hospital(patients), tmp_path)) == set()


def test_display_of_an_accepted_code_does_not_matter(tmp_path: Path) -> None:
    plan = hospital().change(of_code(NEUTROPHILS, change=recoded(LOINC, NEUTROPHILS, "Segmentkernige Neutrophile")))

    assert found(examined(plan, tmp_path)) == set()


def test_refused_codes_beside_ours_are_one_note(tmp_path: Path) -> None:
    """Granulocytes, immature granulocytes, platelet distribution width, abnormal lymphocytes, urine albumin, MPV."""
    refused = ("30395-8", "38518-7", "32207-3", "29261-5", "1754-1", "28542-9")

    def rest(patient_id: str) -> Iterable[Json]:
        subject = {"reference": f"Patient/{patient_id}"}
        return [observation(code, 10, "%", oid=f"{patient_id}-{code}", subject=subject) for code in refused]

    report = examined(hospital().add(rest), tmp_path)

    assert found(report) == {("note", "near-miss-code")}
    (said,) = report.findings
    assert said.what.endswith("; and 2 more.")
    assert sorted(code.removeprefix(f"{LOINC}|") for code in said.evidence["codes"]) == sorted(refused)


@pytest.mark.parametrize("category", ["other-histology", "metastasis", "secondary", "recurrence", "transplant-status"])
def test_diagnosis_that_is_read_is_never_told_as_unknown(category: str, tmp_path: Path) -> None:
    rows = load_mappings().rows
    uris = {system.key: system.uris[0] for system in rows.systems}
    code = next(row for row in rows.conditions if row.category == category and row.system in {"icd10", "snomed"})

    def diagnosis(patient_id: str) -> Iterable[Json]:
        coding = {"system": uris[code.system], "code": code.code}
        subject = {"reference": f"Patient/{patient_id}"}
        return [condition(id=f"{patient_id}-x", subject=subject, code={"coding": [coding]})]

    report = examined(hospital().add(diagnosis), tmp_path)

    assert found(report) == set(), [finding.what for finding in report.findings]
