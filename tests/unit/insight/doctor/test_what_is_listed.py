"""What the report lists beside its findings: codes like ours, procedures of diagnosed patients, figures by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.insight.doctor.document import document
from cds_service.insight.doctor.phrasing import sample_of
from cds_service.reports.as_html import as_html
from cds_service.reports.as_text import as_text
from tests.support.charts import LYMPHOCYTES, NEUTROPHILS, PLATELETS, procedure
from tests.support.hospital import Hospital, hospital, measured, of_code, of_type, recoded
from tests.unit.insight.doctor.examining import examined, examined_folder, finding, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cds_service.insight.doctor.report import Report
    from tests.support.charts import Json

LOCAL = "https://laboratory.hospital.example/tests"
PROCEDURES = "urn:oid:2.999.7"


def with_procedures(*codes: tuple[str, str | None]) -> Callable[[str], Iterable[Json]]:
    """Give every patient further procedures under local codes, with or without a name."""

    def procedures(patient_id: str) -> Iterable[Json]:
        for code, name in codes:
            coding = {"system": PROCEDURES, "code": code} | ({"display": name} if name else {})
            subject = {"reference": f"Patient/{patient_id}"}
            yield procedure(id=f"{patient_id}-{code}", subject=subject, code={"coding": [coding]})

    return procedures


def of_procedure(report: Report, code: str) -> str:
    """The line of the overlay that is about a code."""
    (line,) = (line for line in report.overlay.splitlines() if f'code: "{code}"' in line)
    return line


def test_code_with_a_name_nobody_understands_is_listed_for_its_values(tmp_path: Path) -> None:
    plan = hospital().change(of_code(PLATELETS, change=recoded(LOCAL, "A17", "Analyse siebzehn")))

    report = examined(plan, tmp_path)

    assert ("warning", "local-code-by-values") in found(report)
    assert "has a name that says nothing to doctor" in finding(report, "local-code-by-values")
    assert '#   - {system: "https://laboratory.hospital.example/tests", code: "A17"' in report.overlay


def test_code_named_as_another_test_is_listed_and_not_suspected(tmp_path: Path) -> None:
    """Neutrophils are gone; leukocytes have values like theirs."""
    plan = hospital().change(of_code(NEUTROPHILS, change=recoded(LOCAL, "WBC", "Leukocytter")))

    report = examined(plan, tmp_path)

    assert [(row.code, row.analyte, row.named_otherwise) for row in report.alike_by_values] == [
        ("WBC", "neutrophils", True),
        ("WBC", "lymphocytes", True),
    ]
    assert not {row.treatment for row in report.laboratory_codes} & {"suspected"}
    assert report.overlay == ""
    assert "local WBC Leukocytter  neutrophils count, lymphocytes count" in as_text(document(report), 120)


def test_code_without_a_name_is_listed_also_where_the_analyte_is_read(tmp_path: Path) -> None:
    plan = hospital().change(of_code(PLATELETS, change=recoded(LOCAL, "4713", None)), every=2)

    report = examined(plan, tmp_path)

    assert [(row.code, row.analyte, row.results, row.named_otherwise) for row in report.alike_by_values] == [
        ("4713", "platelets", 20, False)
    ]


@pytest.mark.parametrize(
    ("name", "unit", "doubt"),
    [
        ("Neutrophile absolut", "%", "its name says count, its unit says share"),
        ("Neutrophile %", "10*9/L", "its name says share, its unit says count"),
    ],
)
def test_local_code_whose_name_and_unit_contradict_each_other_is_a_comment(
    name: str, unit: str, doubt: str, tmp_path: Path
) -> None:
    times = 13.0 if unit == "%" else 1.0
    plan = hospital().change(
        of_code(NEUTROPHILS, change=lambda r: measured(unit, times=times)(recoded(LOCAL, "N", name)(r)))
    )

    report = examined(plan, tmp_path)

    assert doubt in finding(report, "local-code-doubtful")
    assert of_procedure(report, "N").startswith("#")


def test_every_procedure_of_patients_with_a_diagnosis_is_listed(tmp_path: Path) -> None:
    plan = hospital().add(with_procedures(("P1", "Koloskopie"), ("P2", None), ("P3", "TACE")))

    report = examined(plan, tmp_path)

    assert [(row.code, row.name, row.of_diagnosed) for row in report.other_procedures] == [
        ("P1", "Koloskopie", 40),
        ("P2", "", 40),
    ]
    assert [row.code for row in report.eligibility_codes if row.kind == "procedure"][1:] == ["P3"]
    for text in (as_text(document(report), 120), as_html(document(report))):
        assert all(code in text for code in ("P1", "P2", "P3"))


def test_procedures_of_patients_without_a_diagnosis_are_not_listed(tmp_path: Path) -> None:
    plan = hospital().change(lambda r: None if r["resourceType"] == "Condition" else r)

    report = examined(plan.add(with_procedures(("P1", "Koloskopie"))), tmp_path)

    assert report.other_procedures == ()


def test_procedures_are_listed_where_the_diagnosis_itself_is_not_read(tmp_path: Path) -> None:
    coding = {"system": "http://fhir.example/CodeSystem/national-icd", "code": "C22.0"}
    plan = hospital().change(of_type("Condition", code={"coding": [coding]})).add(with_procedures(("P1", None)))

    report = examined(plan, tmp_path)

    assert [row.code for row in report.other_procedures] == ["P1"]
    assert report.source["withSuspectedDiagnosis"] == 40


def test_no_procedure_that_counts_leads_to_those_that_may_be_it(tmp_path: Path) -> None:
    plan = hospital().change(lambda r: None if r["resourceType"] == "Procedure" else r)

    report = examined(plan.add(with_procedures(("5-501.53", None))), tmp_path)

    assert found(report) == {("blocks", "no-qualifying-procedure"), ("warning", "procedure-codes-unread")}
    assert "urn:oid:2.999.7|5-501.53" in finding(report, "procedure-codes-unread")


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("TACE", "therapy: embolization/chemo, liver_specific: true}", "the name tells all"),
        ("Mikrowellenablation der Leber", "therapy: ablation/microwave, liver_specific: true}", "the name tells all"),
        ("Radiofrequenzablation", "therapy: ablation/radiofrequency, note: ", "of what is not said"),
        ("TACE mit RFA", "therapy: unknown, liver_specific: true", "two at once"),
        (None, "therapy: unknown, note: ", "no name"),
    ],
)
def test_therapy_comes_from_the_name_and_is_unknown_otherwise(
    name: str | None, row: str, reason: str, tmp_path: Path
) -> None:
    report = examined(hospital().add(with_procedures(("P1", name))), tmp_path)

    line = of_procedure(report, "P1")
    assert row in line, reason
    assert line.lstrip().startswith("#") is (reason != "the name tells all")


def test_procedure_of_nobody_with_a_diagnosis_stays_a_comment(tmp_path: Path) -> None:
    plan = hospital()
    for number, (patient_id, resources) in enumerate(plan.patients.items()):
        if number >= 20:
            resources[:] = [r for r in resources if r["resourceType"] != "Condition"]
            resources += with_procedures(("P1", "TACE"))(patient_id)

    assert of_procedure(examined(plan, tmp_path), "P1").lstrip().startswith("#")


def test_figures_stand_once_for_each_unit(tmp_path: Path) -> None:
    """30 of 40 in one unit, 10 in an unknown one: used 30 and 0, not twice 30."""
    plan = hospital().change(of_code(NEUTROPHILS, change=measured("Tsd./nl")), every=4)
    plan.change(of_code(LYMPHOCYTES, change=lambda r: {k: v for k, v in r.items() if k != "valueQuantity"}), every=5)

    report = examined(plan, tmp_path)

    (neutrophils,) = (row for row in report.laboratory_codes if row.code == NEUTROPHILS)
    assert [(unit.unit, unit.results, unit.used, unit.not_used) for unit in neutrophils.units] == [
        ("10*9/L", 30, 30, {}),
        ("Tsd./nl", 10, 0, {"unit-unknown": 10}),
    ]
    (lymphocytes,) = (row for row in report.laboratory_codes if row.code == LYMPHOCYTES)
    assert (lymphocytes.results, lymphocytes.without_quantity) == (40, 8)
    lines = [line.split() for line in as_text(document(report), 120).splitlines()]
    assert ["Tsd./nl", "unit-unknown", "10", "0"] in [line[:4] for line in lines]
    assert as_html(document(report)).count("final 40") == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "all 40 patients of the export examined, 40 with a qualifying diagnosis"),
        (
            {"patients": 10},
            "10 of 40 patients of the export examined (those with a diagnosis first, drawn with seed 1)",
        ),
        (
            {"patient_ids": ("p001", "p002", "x", "y", "z", "u", "v")},
            "7 listed patients, of 5 of whom there is nothing",
        ),
        ({"patient_ids": ("p001", "p002")}, "2 listed patients, <5 with a qualifying diagnosis"),
    ],
)
def test_sample_is_stated_as_it_is(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    report = examined(hospital(), tmp_path, **options)

    assert sample_of(report).startswith(said)
    over = "sample" if "patient_ids" in options else "export"
    assert report.source["codesCountedOver"] == over


def test_edition_of_longer_codes_is_proposed_with_prefix_and_one_of_sks_is_not(tmp_path: Path) -> None:
    """China's six digits stand below the WHO's; Denmark's D before each code is nothing an edition can say."""
    for number, (system, code, expected) in enumerate(
        [
            ("http://fhir.example/icd-10-cn", "C22.000x001", "edition: icd-10, prefix: true"),
            ("http://fhir.example/icd-10-cm-tw", "C22.0", "edition: icd-10-cm}"),
            ("urn:oid:1.2.208.176.2.4", "DC220", "category: primary"),
        ]
    ):
        plan = hospital().change(of_type("Condition", code={"coding": [{"system": system, "code": code}]}))

        overlay = examined(plan, tmp_path / str(number)).overlay

        assert expected in overlay
        live = [line for line in overlay.splitlines() if not line.startswith("#")]
        assert ("edition" in "\n".join(live)) is (code != "DC220")


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / str(number)).mkdir()


def test_patients_whose_diagnosis_is_not_read_come_before_others(tmp_path: Path) -> None:
    plan: Hospital = hospital(60)
    for number, resources in enumerate(plan.patients.values()):
        for resource in [r for r in resources if r["resourceType"] == "Condition"]:
            if number % 3:
                resources.remove(resource)
            else:
                resource["code"] = {"coding": [{"system": "http://fhir.example/icd", "code": "C22.0"}]}

    report = examined_folder(plan.export(tmp_path / "export"), patients=15)

    assert report.source["withSuspectedDiagnosis"] == 15
