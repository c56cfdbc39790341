"""The overlay that doctor prints: `config check` accepts it, and what it was proposed for is found no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.support.charts import ALBUMIN, LYMPHOCYTES, NEUTROPHILS, PLATELETS
from tests.support.hospital import Hospital, hospital, measured, of_code, recoded
from tests.unit.doctor.examining import examined, examined_folder, found

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
