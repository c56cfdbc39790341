"""A metastasis in a national edition of ICD-10 is known with the site's overlay and without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASE = FIXTURES / "cases" / "laboratory" / "national-icd-metastasis.json"


@pytest.mark.parametrize("overlays", [[], [str(FIXTURES / "overlays" / "national-icd-codes.yaml")]])
def test_metastasis_of_an_edition_is_known_whatever_the_site_added(tmp_path: Path, overlays: list[str]) -> None:
    file = tmp_path / "sii-cds.yaml"
    file.write_text(f"authentication: {{required: false}}\nmappings: {{overlays: {overlays}}}\n", encoding="utf-8")
    arguments = ["explain", "--json", "--at", "2026-01-11T12:00:00Z", "--config", str(file), str(CASE)]

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["assessment"]["outcome"] == "not-eligible"
    assert found["assessment"]["reasons"] == ["metastasis-known"]
    assert found["cards"] == []
