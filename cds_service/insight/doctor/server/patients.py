"""Whom to examine on a server: patients of qualifying Conditions first, then others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from cds_service.acquisition.bundles import BundleReader
from cds_service.acquisition.resources import Patient
from cds_service.insight.doctor.eligibility_survey import CANCER
from cds_service.insight.doctor.resources import CONDITIONS
from cds_service.insight.doctor.server.conclusions import FINDING_SEARCHES
from cds_service.insight.doctor.tallies import IdSample
from cds_service.normalization.subject import type_and_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.evidence import Evidence
    from cds_service.insight.doctor.server.connection import Connection

_PAGE: Final = 100
# A search by more codes makes an address that some servers refuse.
_CODES_A_SEARCH: Final = 20
_PATIENTS: Final = BundleReader(Patient)


def choose_patients(connection: Connection, evidence: Evidence) -> tuple[str, ...]:
    """Return the ids to examine; empty when the server names none. Raises TokenError."""
    options = evidence.options
    if options.patient_ids is not None:
        return options.patient_ids
    qualifying, others = IdSample(options.patients, options.seed), IdSample(options.patients, options.seed)
    named: set[str] = set()
    for codes in _condition_codes(evidence):
        query = urlencode({"code": codes, "_count": _PAGE})
        answer = connection.search(FINDING_SEARCHES[0], CONDITIONS, f"{connection.base}/Condition?{query}")
        for condition in answer.content.resources:
            reference = condition.subject.reference if condition.subject is not None else None
            identifier = (type_and_id(reference, "Patient") or "") if reference else ""
            qualifying.add(identifier)
            named.add(identifier)
        if answer.failure and not answer.answered:
            break
    found = [identifier for identifier in qualifying.ids() if identifier]
    if len(found) < options.patients:
        url = f"{connection.base}/Patient?{urlencode({'_count': _PAGE})}"
        content = connection.search(FINDING_SEARCHES[1], _PATIENTS, url).content
        for identifier in (*(patient.id or "" for patient in content.resources), *content.patients.values()):
            others.add(identifier)
            named.add(identifier)
    evidence.population = len(named - {""})
    return tuple(dict.fromkeys([*found, *(i for i in others.ids() if i)]))[: options.patients]


def _condition_codes(evidence: Evidence) -> Iterator[str]:
    rows = evidence.site.mappings.rows
    uris = {system.key: system.uris[0] for system in rows.systems}
    codes = [f"{uris[row.system]}|{row.code}" for row in rows.conditions if row.category in CANCER]
    for start in range(0, len(codes), _CODES_A_SEARCH):
        yield ",".join(codes[start : start + _CODES_A_SEARCH])
