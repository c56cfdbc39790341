"""Prefetch templates of the service: what a CDS Client should send along (requirements 17, 52-61).

Root-level context tokens only, no parameter twice, no FHIRPath: so that every client can fill them in, also those
where an analyst types them in by hand. All counts come with one search, which is two to three times cheaper for the
FHIR server than three. Templates are written unencoded; clients encode values themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.acquisition import prefetch
from cds_service.clinical.models import Analyte

if TYPE_CHECKING:
    from fhir_mappings.mappings import Mappings

# Enough for years of blood counts; the newest come first, and what is cut off is said in the answer.
_PAGE_SIZE: Final = 200

_COUNTED: Final = frozenset({Analyte.NEUTROPHILS, Analyte.LYMPHOCYTES, Analyte.PLATELETS})


def prefetch_templates(mappings: Mappings) -> dict[str, str]:
    """Return the template of every prefetch key, with each accepted laboratory code of the site."""
    counts = _codes(mappings, _COUNTED)
    albumin = _codes(mappings, frozenset({Analyte.ALBUMIN}))
    newest_first = f"&_sort=-date&_count={_PAGE_SIZE}"
    of_patient = "patient={{context.patientId}}"
    return {
        prefetch.PATIENT: "Patient/{{context.patientId}}",
        prefetch.BLOOD_COUNTS: f"Observation?{of_patient}&code={counts}{newest_first}",
        prefetch.ALBUMIN: f"Observation?{of_patient}&code={albumin}{newest_first}",
        prefetch.CONDITIONS: f"Condition?{of_patient}&_count={_PAGE_SIZE}",
        prefetch.PROCEDURES: f"Procedure?{of_patient}&_count={_PAGE_SIZE}",
    }


def _codes(mappings: Mappings, analytes: frozenset[Analyte]) -> str:
    uris = {system.key: system.uris[0] for system in mappings.rows.systems}
    return ",".join(f"{uris[row.system]}|{row.code}" for row in mappings.analyte_codes if row.analyte in analytes)
