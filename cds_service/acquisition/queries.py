"""What is asked of a FHIR server, for the prefetch templates and for the service's own requests alike.

Only widely supported search parameters (requirement 61), none twice. All counts come with one search, which is two to
three times cheaper for the FHIR server than three.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urlencode

from cds_service.acquisition import prefetch
from cds_service.clinical.models import Analyte

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhir_mappings.mappings import Mappings

# Enough for years of blood counts; the newest come first, and what is cut off is said in the answer.
PAGE_SIZE: Final = 200

_DAY: Final = timedelta(days=1)
_COUNTED: Final = frozenset(Analyte) - {Analyte.ALBUMIN}


class Query(NamedTuple):
    """A read (`parameters` empty) or a search of one patient. The patient's id is not part of it."""

    resource_type: str
    parameters: tuple[tuple[str, str], ...]

    def template(self) -> str:
        """Return the prefetch template: unencoded, since clients encode what they fill in (requirements 52-56)."""
        if not self.parameters:
            return f"{self.resource_type}/{{{{context.patientId}}}}"
        rest = "&".join(f"{name}={value}" for name, value in self.parameters)
        return f"{self.resource_type}?patient={{{{context.patientId}}}}&{rest}"

    def url(self, base: str, patient_id: str) -> str:
        """Return the address of this query for a patient, encoded."""
        if not self.parameters:
            return f"{base}/{self.resource_type}/{quote(patient_id, safe='')}"
        return f"{base}/{self.resource_type}?{urlencode((('patient', patient_id), *self.parameters))}"

    def between(self, first: date, last: date) -> Query:
        """Return the same search for results of these days, both inclusive, and of a day more on each side.

        The server reads days in its own time zone. What is too much is sorted out later.
        """
        days = (("date", f"ge{max(first, date.min + _DAY) - _DAY}"), ("date", f"le{last + _DAY}"))
        return Query(self.resource_type, (*self.parameters, *days))


def site_queries(mappings: Mappings) -> Mapping[str, Query]:
    """Return the query behind every prefetch key, with each accepted laboratory code of the site."""
    size = ("_count", str(PAGE_SIZE))
    newest_first = ("_sort", "-date")
    counts = ("code", _codes(mappings, _COUNTED))
    albumin = ("code", _codes(mappings, frozenset({Analyte.ALBUMIN})))
    return {
        prefetch.PATIENT: Query("Patient", ()),
        prefetch.BLOOD_COUNTS: Query("Observation", (counts, newest_first, size)),
        prefetch.ALBUMIN: Query("Observation", (albumin, newest_first, size)),
        prefetch.CONDITIONS: Query("Condition", (size,)),
        prefetch.PROCEDURES: Query("Procedure", (size,)),
    }


def _codes(mappings: Mappings, analytes: frozenset[Analyte]) -> str:
    uris = {system.key: system.uris[0] for system in mappings.rows.systems}
    asked = [(row.system, row.code) for row in mappings.analyte_codes if row.analyte in analytes]
    if Analyte.PLATELETS in analytes:
        asked += [(row.system, row.code) for row in mappings.rows.clumps.codes]
    return ",".join(f"{uris[system]}|{code}" for system, code in asked)
