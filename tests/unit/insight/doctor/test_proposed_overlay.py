"""The overlay that doctor prints: `config check` accepts it, and what it was proposed for is found no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.cli.main import main
from tests.support.charts import ALBUMIN, LYMPHOCYTES, NEUTROPHILS, PLATELETS, procedure
from tests.support.hospital import Hospital, hospital, measured, of_code, of_type, recoded
from tests.unit.insight.doctor.examining import examined, examined_folder, found

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCAL = "https://laboratory.hospital.example/tests"

PLANS: list[tuple[str, Callable[[Hospital], Hospital]]] = [
    (
        "counts under local codes in four languages",
        lambda h: (
            h.change(of_code(NEUTROPHILS, change=recoded(LOCAL, "NEUT-ABS", "Polynucléaires neutrophiles")))
            .change(of_code(LYMPHOCYTES, change=recoded(LOCAL, "4712", "淋巴细胞绝对值")))
            .change(of_code(PLATELETS, change=recoded("urn:oid:2.999.1", "00815", 'Piastrine "PLT"')))
            .change(of_code(ALBUMIN, change=recoded(LOCAL, "ALB", "Albúmina")))
        ),
    ),
    (
        "a unit that is not known, on accepted codes",
        lambda h: h.change(of_code(NEUTROPHILS, LYMPHOCYTES, PLATELETS, change=measured("Tsd. je nl"))),
    ),
    (
        "a unit of another scale that is not known, on a local code",
        lambda h: h.change(
            of_code(
                PLATELETS,
                change=lambda r: measured("Zellen je Mikroliter", times=1000)(recoded(LOCAL, "THR", "Thrombozyten")(r)),
            )
        ),
    ),
    (
        "a code that has to be encoded in a search",
        lambda h: h.change(of_code(NEUTROPHILS, change=recoded(LOCAL, "NEUT#", None))),
    ),
]


@pytest.mark.parametrize("plan", [row[1] for row in PLANS], ids=[row[0] for row in PLANS])
def test_proposed_overlay_is_accepted_and_mends(plan: Callable[[Hospital], Hospital], tmp_path: Path) -> None:
    before = examined(plan(hospital()), tmp_path)
    (tmp_path / "site-codes.yaml").write_text(before.overlay, "utf-8")
    (tmp_path / "site.yaml").write_text(
        "authentication: {required: false}\nmappings: {overlays: [site-codes.yaml]}\n", "utf-8"
    )

    checked = CliRunner().invoke(main, ["config", "check", str(tmp_path / "site.yaml")])
    after = examined_folder(tmp_path / "export", overlays=(tmp_path / "site-codes.yaml",))

    assert before.is_blocked
    assert checked.exit_code == 0, checked.output
    assert "about.approved_by: nobody has approved this overlay yet" in checked.output
    assert found(after) == set(), [finding.what for finding in after.findings]
    assert after.draws["withCompleteDraw"] == 40
    assert after.overlay == ""


def test_doubtful_code_is_proposed_as_a_comment(tmp_path: Path) -> None:
    plan = hospital().change(of_code(PLATELETS, change=recoded(LOCAL, "4713", None)))

    overlay = examined(plan, tmp_path).overlay

    assert [line for line in overlay.splitlines() if "4713" in line] == [
        '#   - {system: "https://laboratory.hospital.example/tests", code: "4713", analyte: platelets, basis: count}'
        "  # only its values say so"
    ]


def test_unit_that_the_tables_refuse_is_not_proposed(tmp_path: Path) -> None:
    """M/uL may be millions or Roman thousands: nobody can tell by the values of one site."""
    plan = hospital().change(of_code(PLATELETS, change=measured("M/uL")))

    report = examined(plan, tmp_path)

    assert ("blocks", "unit-unknown") in found(report)
    assert report.overlay == ""


HOSTILE_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
SYSTEMS = st.sampled_from(
    [
        "https://loinc.org",
        "http://loinc.org/",
        "http://snomed.info/sct",
        "urn:oid:2.16.840.1.113883.6.96",
        "http://hl7.org/fhir/sid/icd-10-xx",
        "HTTP://HL7.ORG/fhir/sid/icd-10",
        "a:b c",
        "x:{y}",
        "LOCAL",
        "",
        'urn:"quoted"',
    ]
) | HOSTILE_TEXT.map("urn:x:{}".format)
CODES = (
    st.sampled_from(["777-3", "C22.0", "c22.0", "C78.0", "DC220", "NEUT%", "a,b", "a|b", "- x", "#", "null", "1"])
    | HOSTILE_TEXT
)
NAMES = st.sampled_from(["Thrombozyten", "TACE", "HCC", "x: y # z", "\u2028", '"']) | HOSTILE_TEXT
UNITS = st.sampled_from(["%", "g/L", "10*9/L", "/nl", "M/uL", "Zellen: 1", "#", "- /l"]) | HOSTILE_TEXT


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_hospital_sends_the_proposal_passes_config_check(data: st.DataObject, tmp_path: Path) -> None:
    plan = hospital(20)
    for code in (NEUTROPHILS, PLATELETS):
        name = data.draw(NAMES) if data.draw(st.booleans()) else "Thrombozyten"
        change = recoded(data.draw(SYSTEMS), data.draw(CODES), name)
        unit = data.draw(UNITS)
        plan.change(of_code(code, change=lambda r, change=change, unit=unit: measured(unit)(change(r))))  # type: ignore[misc]
    plan.change(of_code(LYMPHOCYTES, change=measured(data.draw(UNITS))))
    for resource_type in ("Condition", "Procedure"):
        coding = {"system": data.draw(SYSTEMS), "code": data.draw(CODES), "display": data.draw(NAMES)}
        plan.change(of_type(resource_type, code={"coding": [coding]}), every=2)
    overlay = examined(plan, tmp_path).overlay
    (tmp_path / "site-codes.yaml").write_text(overlay or "about: {what: x, approved_by: y}", "utf-8")
    (tmp_path / "site.yaml").write_text(
        "authentication: {required: false}\nmappings: {overlays: [site-codes.yaml]}\n", "utf-8"
    )

    checked = CliRunner().invoke(main, ["config", "check", str(tmp_path / "site.yaml")])

    assert checked.exit_code == 0, (checked.output, overlay)


def test_row_that_config_check_refuses_is_a_comment_with_the_reason(tmp_path: Path) -> None:
    """https://loinc.org is nearly LOINC: declaring it would hide that somebody misspelt it."""
    plan = hospital().change(of_code(PLATELETS, change=recoded("https://loinc.org", "777-3", "Platelets")))

    report = examined(plan, tmp_path)

    rows = [line for line in report.overlay.splitlines() if "777-3" in line]
    assert [row.startswith("#") for row in rows] == [True]
    assert "config check refuses it" in report.overlay
    assert ("blocks", "code-not-mappable") in found(report)


OPS = "http://fhir.de/CodeSystem/bfarm/ops"


@pytest.mark.parametrize(
    ("name", "section", "told", "reason"),
    [
        ("Hemihepatektomie rechts", "operation_codes", "kind: liver-resection", "German"),
        ("Resection of liver, laparoscopic", "operation_codes", "kind: liver-resection", "words apart"),
        ("肝切除術", "operation_codes", "kind: liver-resection", "Japanese"),
        ("Lebertransplantation, komplett", "operation_codes", "kind: liver-transplant", "transplant"),
        ("Splenectomy", "operation_codes", "kind: splenectomy", "another organ"),
        (
            "Radiofrequency ablation of liver with resection of liver",
            "procedure_codes",
            "therapy: ablation/radiofrequency",
            "both: a person decides",
        ),
    ],
)
def test_operation_is_proposed_by_its_name_as_a_comment_of_its_section(
    tmp_path: Path, name: str, section: str, told: str, reason: str
) -> None:
    def surgery(patient: str) -> list[dict[str, object]]:
        made = procedure("5-502.0", OPS, id=f"surgery-{patient}", subject={"reference": f"Patient/{patient}"})
        made["code"]["coding"][0]["display"] = name
        return [made]

    lines = examined(hospital().add(surgery), tmp_path).overlay.splitlines()

    (row,) = [number for number, line in enumerate(lines) if "5-502.0" in line]
    assert told in lines[row], reason
    assert lines[row].startswith("#"), reason
    assert lines[row - 1] == f"# {section}:", reason
