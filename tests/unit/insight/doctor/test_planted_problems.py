"""A clean hospital gives no finding; each planted problem gives its own findings and no others.

Counts are worked out from the plan: 40 patients, one draw each, every second or tenth changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.charts import (
    ALBUMIN,
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    days_ago,
)
from tests.support.hospital import Hospital, hospital, measured, of_code, of_type, recoded
from tests.unit.insight.doctor.examining import examined, finding, found

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.charts import Json

LOCAL = "https://laboratory.hospital.example/tests"
LOINC = "http://loinc.org"
COUNTS = (NEUTROPHILS, LYMPHOCYTES, PLATELETS)
NO_DRAWS = ("blocks", "few-complete-draws")


def share_of(code: str, value: float) -> Callable[[Json], Json]:
    """Turn a count into a percentage under its own code."""
    quantity = {"value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    return lambda resource: recoded(LOINC, code, None)(resource) | {"valueQuantity": quantity}


def with_members(**members: object) -> Callable[[Json], Json]:
    """Replace or, when None, remove members."""
    return lambda resource: {key: value for key, value in (resource | members).items() if value is not None}


def in_a_panel(resource: Json) -> Json:
    """Put a result into a component of a blood count panel."""
    panel = {"coding": [{"system": LOINC, "code": "58410-2", "display": "CBC panel"}]}
    component = {"code": resource["code"], "valueQuantity": resource["valueQuantity"]}
    rest = {key: value for key, value in resource.items() if key != "valueQuantity"}
    return rest | {"code": panel, "component": [component]}


PLANTED: list[tuple[str, Callable[[Hospital], Hospital], set[tuple[str, str]]]] = [
    (
        "local code with a German name",
        lambda h: h.change(of_code(NEUTROPHILS, change=recoded(LOCAL, "4711", "Neutrophile Granulozyten"))),
        {("blocks", "analyte-missing"), ("blocks", "local-code"), NO_DRAWS},
    ),
    (
        "local code without a name",
        lambda h: h.change(of_code(PLATELETS, change=recoded(LOCAL, "4713", None))),
        {("blocks", "analyte-missing"), ("warning", "local-code-by-values"), NO_DRAWS},
    ),
    (
        "local code carried in the LOINC system",
        lambda h: h.change(of_code(NEUTROPHILS, change=recoded(LOINC, "55161", "Neutrophils"))),
        {("blocks", "analyte-missing"), ("blocks", "code-not-mappable"), NO_DRAWS},
    ),
    (
        "local code for one patient in ten, beside LOINC",
        lambda h: h.change(of_code(PLATELETS, change=recoded(LOCAL, "PLT", "Platelets")), every=2),
        {("warning", "local-code"), ("warning", "few-complete-draws")},
    ),
    (
        "results named by text alone",
        lambda h: h.change(of_code(LYMPHOCYTES, change=with_members(code={"text": "Lymphocytes absolute"}))),
        {("blocks", "analyte-missing"), ("blocks", "code-not-mappable"), NO_DRAWS},
    ),
    (
        "counts per µL labelled 10*9/L",
        lambda h: h.change(of_code(*COUNTS, change=measured("10*9/L", times=1000, ucum=True))),
        {("blocks", "unit-scale"), NO_DRAWS},
    ),
    (
        "one laboratory of two sends counts per µL labelled 10*9/L",
        lambda h: h.change(of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True)), every=2),
        {("blocks", "unit-scale"), ("warning", "few-complete-draws")},
    ),
    (
        "counts in 10*9/L labelled /uL",
        lambda h: h.change(of_code(PLATELETS, change=measured("/uL", ucum=True))),
        {("blocks", "unit-scale"), NO_DRAWS},
    ),
    (
        "albumin in g/dL labelled g/L",
        lambda h: h.change(of_code(ALBUMIN, change=measured("g/L", times=0.1, ucum=True))),
        {("warning", "unit-scale")},
    ),
    (
        "percentages under the codes for counts",
        lambda h: h.change(of_code(NEUTROPHILS, change=measured("10*9/L", times=15, ucum=True))),
        {("blocks", "unit-scale"), ("warning", "above-share-unusual")},
    ),
    (
        "fractions labelled percent, both of a draw: read as what they are",
        lambda h: h.change(of_code(NEUTROPHILS, change=share_of(NEUTROPHILS_SHARE, 0.66))).change(
            of_code(LYMPHOCYTES, change=share_of(LYMPHOCYTES_SHARE, 0.24))
        ),
        {("warning", "unit-scale")},
    ),
    (
        "platelets missing",
        lambda h: h.change(of_code(PLATELETS, change=lambda _resource: None)),
        {("blocks", "analyte-missing"), NO_DRAWS},
    ),
    (
        "albumin missing: context only",
        lambda h: h.change(of_code(ALBUMIN, change=lambda _resource: None)),
        {("warning", "analyte-missing")},
    ),
    (
        "unit missing",
        lambda h: h.change(of_code(PLATELETS, change=measured(None))),
        {("blocks", "unit-missing"), NO_DRAWS},
    ),
    (
        "unit not known",
        lambda h: h.change(of_code(LYMPHOCYTES, change=measured("Tsd./nl"))),
        {("blocks", "unit-unknown"), NO_DRAWS},
    ),
    (
        "text and code of the unit contradict each other",
        lambda h: h.change(
            of_code(
                PLATELETS,
                change=lambda r: r | {"valueQuantity": r["valueQuantity"] | {"unit": "/uL"}},
            )
        ),
        {("blocks", "unit-conflict"), NO_DRAWS},
    ),
    (
        "percent on one side only",
        lambda h: h.change(of_code(LYMPHOCYTES, change=share_of(LYMPHOCYTES_SHARE, 24))),
        {("blocks", "mixed-basis"), NO_DRAWS},
    ),
    (
        "statuses never final",
        lambda h: h.change(of_code(*COUNTS, change=with_members(status="unknown"))),
        {("blocks", "status-not-accepted"), NO_DRAWS},
    ),
    (
        "results filed for patients that do not exist",
        lambda h: h.change(
            of_code(
                *COUNTS,
                ALBUMIN,
                change=lambda r: r | {"subject": {"reference": f"Patient/x-{r['id']}"}},
            )
        ),
        {("blocks", "subjects-unknown"), ("warning", "mostly-indeterminate")},
    ),
    (
        "results of nobody",
        lambda h: h.change(of_code(PLATELETS, change=with_members(subject=None))),
        {("blocks", "subject-missing"), NO_DRAWS},
    ),
    (
        "no time of the draw",
        lambda h: h.change(of_code(*COUNTS, change=with_members(effectiveDateTime=None))),
        {("blocks", "no-effective-time"), NO_DRAWS},
    ),
    (
        "results in components of a panel",
        lambda h: h.change(of_code(PLATELETS, change=in_a_panel)),
        {("blocks", "component-results"), NO_DRAWS},
    ),
    (
        "LOINC under its OID",
        lambda h: h.change(of_code(PLATELETS, change=recoded("urn:oid:2.16.840.1.113883.6.1", PLATELETS, "Platelets"))),
        {("warning", "system-not-searched")},
    ),
    (
        "granulocytes instead of neutrophils",
        lambda h: h.change(of_code(NEUTROPHILS, change=recoded(LOINC, "30394-1", "Granulocytes"))),
        {("blocks", "analyte-missing"), ("warning", "near-miss-code"), NO_DRAWS},
    ),
    (
        "diagnosis in a code system that is not known",
        lambda h: h.change(
            of_type("Condition", code={"coding": [{"system": "http://fhir.de/CodeSystem/x", "code": "C22.0"}]})
        ),
        {("blocks", "no-qualifying-diagnosis"), ("blocks", "diagnosis-code-unknown")},
    ),
    (
        "diagnoses never confirmed",
        lambda h: h.change(of_type("Condition", verificationStatus={"coding": [{"code": "provisional"}]})),
        {("blocks", "no-qualifying-diagnosis"), ("warning", "diagnosis-status")},
    ),
    (
        "procedures under a local code",
        lambda h: h.change(of_type("Procedure", code={"coding": [{"system": LOCAL, "code": "P1", "display": "TACE"}]})),
        {("blocks", "no-qualifying-procedure"), ("blocks", "procedure-code-unknown")},
    ),
    (
        "procedures never completed",
        lambda h: h.change(of_type("Procedure", status="in-progress")),
        {("blocks", "no-qualifying-procedure"), ("warning", "procedure-status")},
    ),
    (
        "procedures without a date",
        lambda h: h.change(of_type("Procedure", performedDateTime=None)),
        {("warning", "procedure-undated"), ("warning", "mostly-indeterminate")},
    ),
    (
        "draws older than the window",
        lambda h: h.change(of_code(*COUNTS, ALBUMIN, change=with_members(effectiveDateTime=days_ago(91)))).change(
            of_type("Procedure", performedDateTime=days_ago(190)[:10])
        ),
        {("warning", "mostly-indeterminate")},
    ),
    (
        "no Patient in the export",
        lambda h: h.change(lambda r: None if r["resourceType"] == "Patient" else r),
        {("warning", "export-without-patients")},
    ),
    (
        "no Procedure in the export",
        lambda h: h.change(lambda r: None if r["resourceType"] == "Procedure" else r),
        {("blocks", "export-incomplete")},
    ),
]


@pytest.mark.parametrize(("plant", "expected"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_planted_problem_is_found_and_none_other(
    plant: Callable[[Hospital], Hospital], expected: set[tuple[str, str]], tmp_path: Path
) -> None:
    report = examined(plant(hospital()), tmp_path)

    assert found(report) == expected, [(f.id, f.what) for f in report.findings]


def test_clean_hospital_gives_no_finding(tmp_path: Path) -> None:
    report = examined(hospital(), tmp_path)

    assert report.findings == ()
    assert report.draws["withCompleteDraw"] == 40
    assert report.outcomes["counts"] == {"above-cutoff": 20, "not-above-cutoff": 20}
    assert report.overlay == ""


def test_everyday_noise_gives_no_finding(tmp_path: Path) -> None:
    """Of 100 patients: four with a comparator, three clumped, two withdrawn, one of zero lymphocytes."""
    plan = hospital(100)
    changes: list[tuple[slice, str, Callable[[Json], Json]]] = [
        (slice(0, 4), LYMPHOCYTES, lambda r: r | {"valueQuantity": r["valueQuantity"] | {"comparator": "<"}}),
        (slice(4, 7), PLATELETS, with_members(valueQuantity=None, dataAbsentReason={"text": "clumped"})),
        (slice(7, 9), PLATELETS, with_members(status="entered-in-error")),
        (slice(9, 10), LYMPHOCYTES, lambda r: r | {"valueQuantity": r["valueQuantity"] | {"value": 0}}),
    ]
    for some, code, change in changes:
        part = Hospital(dict(list(plan.patients.items())[some])).change(of_code(code, change=change))
        plan.patients |= part.patients

    report = examined(plan, tmp_path)

    assert found(report) == set()
    # 4 comparators, 3 absent, 2 withdrawn; zero lymphocytes are a draw.
    assert report.draws["withCompleteDraw"] == 91
    assert report.draws["missing"]["missing-platelets"] == 5


def test_eligibility_is_not_judged_where_the_ehr_chooses_the_patients(tmp_path: Path) -> None:
    plan = hospital().change(lambda r: None if r["resourceType"] in {"Condition", "Procedure"} else r)

    report = examined(plan, tmp_path, eligibility={"mode": "assume"})

    assert found(report) == {("blocks", "export-incomplete")}
    assert sum(n for n in report.outcomes["counts"].values() if isinstance(n, int)) == 40
    assert "not-eligible" not in report.outcomes["counts"]


def test_counts_stand_in_the_sentence(tmp_path: Path) -> None:
    plan = hospital().change(of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True)), every=2)

    said = finding(examined(plan, tmp_path), "unit-scale")

    assert "20 values of 40" in said
    assert "1,000 times too large" in said
