"""A site's own codes from the configuration file to the assessment, and what `config check` says of overlays."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cds_service.acquisition.queries import site_queries
from cds_service.authorization.clients import TrustedClient
from cds_service.cli.config import config_group
from cds_service.clinical.outcomes import AboveCutoff, Assessment, Indeterminate, NotEligible
from cds_service.clinical.reasons import Reason
from cds_service.decision.flow import decide
from cds_service.decision.site import Site, site_from_settings
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from cds_service.settings import settings_from_dict
from tests.support.charts import NOW, bundle, condition, draw, hook_request, observation, procedure
from tests.unit.settings.overlay_files import ABOUT, CONCEPT_MAP, EXAMPLE, HEAD, ICD10CM, LAB, LOINC, SOUND_REASON

if TYPE_CHECKING:
    from pathlib import Path

ANYONE = TrustedClient(name="test", issuer=None, mode="active")
OPEN = "authentication: {required: false}\nservice: {public_url: 'http://127.0.0.1:8080'}\n"
PROCEDURES = "https://hospital.example/procedures"


def site_with(*overlays: Path) -> Site:
    """Configure a site in a zone that is not UTC."""
    data = {
        "authentication": {"required": False},
        "service": {"timezone": "Asia/Shanghai"},
        "mappings": {"overlays": list(overlays)},
    }
    return site_from_settings(settings_from_dict(data, EXAMPLE.parent), SII)


def assess(site: Site, *blood_counts: Any, **keys: Any) -> Assessment:
    """Decide about a hook request."""
    body = json.dumps(hook_request(*blood_counts, **keys)).encode()
    return decide(parse_cds_request(body), ANYONE, site, NOW).assessment


def local(code: str, value: float, unit: str = "Tsd pro µl", *, system: str = LAB) -> dict[str, Any]:
    """Build a result with a local code and the unit as the laboratory writes it, without a UCUM code."""
    coding = {"coding": [{"system": system, "code": code}]}
    return observation(code, value, code=coding, valueQuantity={"value": value, "unit": unit})


LOCAL_DRAW = (local("NEUT-ABS", 6.1), local("LYMPH-ABS", 1800, "Zellen pro µl"), local("PLT", 210))


def test_local_codes_and_units_count_with_the_overlay_only() -> None:
    found = assess(site_with(EXAMPLE), *LOCAL_DRAW)
    assert isinstance(found, AboveCutoff)
    assert found.sii == Decimal("711.667"), "210 x 6.1 / 1.8"
    without = assess(site_with(), *LOCAL_DRAW)
    assert isinstance(without, Indeterminate)
    assert Reason.MISSING_PLATELETS in without.reasons


def test_codes_of_a_concept_map_count() -> None:
    counts = (local("4711", 6.1, "10*9/L"), local("4712", 1.8, "10*9/L"), local("4713", 210, "10*9/L"))
    assert isinstance(assess(site_with(CONCEPT_MAP), *counts), AboveCutoff)
    assert isinstance(assess(site_with(), *counts), Indeterminate)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"conditions": bundle(condition("C22.9", ICD10CM))}, "a diagnosis the shipped tables call ambiguous"),
        ({"procedures": bundle(procedure("INT-0815", PROCEDURES))}, "a local procedure code"),
        ({"procedures": bundle(procedure("INT-0900", PROCEDURES))}, "a local code that does not name the liver"),
    ],
)
def test_local_diagnosis_and_procedure_make_eligible_with_the_overlay_only(keys: dict[str, Any], reason: str) -> None:
    assert isinstance(assess(site_with(EXAMPLE), **keys), AboveCutoff), reason
    assert isinstance(assess(site_with(), **keys), NotEligible), reason


def test_local_code_beside_a_refused_one_is_a_conflict() -> None:
    both = {"coding": [{"system": LAB, "code": "NEUT-ABS"}, {"system": LOINC, "code": "30394-1"}]}
    neutrophils = observation("NEUT-ABS", 6.1, "10*9/L", code=both)
    found = assess(site_with(EXAMPLE), *draw(neutrophils=None), neutrophils)
    assert isinstance(found, Indeterminate)
    assert Reason.CODE_CONFLICT in found.reasons


def test_contradicted_code_counts_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "granulocytes.yaml"
    row = (
        f"{{system: '{LOINC}', code: 30394-1, analyte: neutrophils, basis: count, contradicts_refused: {SOUND_REASON}}}"
    )
    path.write_text(f"{ABOUT}laboratory_codes: [{row}]\n")
    counts = (*draw(neutrophils=None), observation("30394-1", 6.1))
    assert isinstance(assess(site_with(path), *counts), AboveCutoff)
    assert isinstance(assess(site_with(), *counts), Indeterminate)


def test_removed_code_does_not_count() -> None:
    counts = (*draw(platelets=None), observation("778-1", 210))
    assert isinstance(assess(site_with(), *counts), AboveCutoff)
    assert isinstance(assess(site_with(EXAMPLE), *counts), Indeterminate)


def test_prefetch_template_asks_for_local_codes_under_their_system() -> None:
    template = site_queries(site_with(EXAMPLE, CONCEPT_MAP).mappings)["bloodCounts"].template()
    codes = template.partition("&code=")[2].partition("&")[0].split(",")
    assert {f"{LAB}|{code}" for code in ("NEUT-ABS", "LYMPH-ABS", "PLT", "PLT-MAN", "4711", "4712", "4713")} <= {*codes}
    assert f"{LOINC}|751-8" in codes
    assert f"{LOINC}|778-1" not in codes
    assert template.count("code=") == 1


def check(folder: Path, overlay: str, more: str = "") -> tuple[int, str, list[str]]:
    """Run `config check` on a configuration that lists codes.yaml beside it."""
    (folder / "codes.yaml").write_text(overlay)
    config = folder / "c.yaml"
    config.write_text(f"{OPEN}mappings: {{overlays: [codes.yaml]}}\n{more}")
    result = CliRunner().invoke(config_group, ["check", str(config)])
    return result.exit_code, result.stdout, result.stderr.replace(f"{folder}/", "").splitlines()


def test_config_check_reports_overlay_errors_behind_those_of_the_configuration(tmp_path: Path) -> None:
    exit_code, printed, errors = check(tmp_path, "about: {what: Test}\nunit: []\n", "server: {port: x}\n")
    assert (exit_code, printed) == (1, "")
    assert [line for line in errors if not line.startswith(" ")] == [
        'c.yaml:4:10: server.port: "x" is not a whole number',
        "codes.yaml:1:1: about.approved_by: this key is required",
        'codes.yaml:2:1: unit: unknown key (did you mean "units"?)',
    ]


def test_config_check_prints_overlay_warnings_and_is_fine(tmp_path: Path) -> None:
    exit_code, printed, warnings = check(tmp_path, f"{HEAD}units: [{{spelling: K/uL, kind: count, factor: 1}}]\n")
    assert exit_code == 0
    assert "is fine, with 2 warnings." in printed
    assert warnings[1].startswith("warning: codes.yaml:5:10: units.0.spelling: the shipped tables say the same")


def test_overlay_file_that_is_missing_is_reported_at_its_place_in_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"{OPEN}mappings: {{overlays: [absent.yaml]}}\n")
    result = CliRunner().invoke(config_group, ["check", str(config)])
    assert result.exit_code == 1
    assert "c.yaml:3:23: mappings.overlays.0: no such file: " in result.stderr
