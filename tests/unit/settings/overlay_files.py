"""Overlay texts for tests: written as files and read as the overlays of a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cds_service.settings import SettingsError
from cds_service.settings.overlays import read_site_mappings

if TYPE_CHECKING:
    from cds_service.settings.overlays import SiteMappings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "overlays"
EXAMPLE = FIXTURES / "site-codes.yaml"
CONCEPT_MAP = FIXTURES / "laboratory-concept-map.json"

LAB = "https://laboratory.hospital.example/tests"
LOINC = "http://loinc.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
CPT = "http://www.ama-assn.org/go/cpt"
OPS = "http://fhir.de/CodeSystem/bfarm/ops"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"

# The rows of a case start in line 5, behind this.
HEAD = f"""about: {{what: Codes of a test, approved_by: Dr. A. Example}}
systems:
  - uri: {LAB}
  - {{uri: urn:oid:2.999.7, dotted: true}}
"""
ABOUT = "about: {what: Codes of a test, approved_by: Dr. A. Example}\n"
SOUND_REASON = "Agreed with the laboratory; approved by Dr. A. Example"


def read(folder: Path, *texts: str) -> SiteMappings:
    """Write the texts as 1.yaml, 2.yaml and so on, and read them as the overlays of a site."""
    paths = []
    for number, text in enumerate(texts, start=1):
        paths.append(folder / f"{number}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    return read_site_mappings(paths)


def lines_of(folder: Path, *texts: str) -> list[str]:
    """Return the error lines of overlays that cannot be used, with the directory taken off."""
    with pytest.raises(SettingsError) as caught:
        read(folder, *texts)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]
