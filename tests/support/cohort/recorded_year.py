"""A year of a silent service, and an export made later: what `cohort assess --audit` joins."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.support.cohort.assessed import assess
from tests.support.cohort.exports import encode, resources, write_export
from tests.support.cohort.stories import cohort
from tests.support.cohort.synthetic_resources import PLATELETS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cohort.histories import History
    from tests.support.cohort.synthetic_resources import Json

PATH = "/cds-services/sii-recurrence-risk"
KEY = b"a key of the hospital, 32 bytes."
PATIENTS = 80
# Days after the procedure on which the chart is opened.
VISITS = (-1, 30, 45, 95, 400)
# Of whom a laboratory changes results, and people a diagnosis, after the chart was opened.
CORRECTED, RECODED = "p000050", "p000051"


def bundle(found: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in found]}


def known_then(resource: Json, moment: datetime) -> bool:
    """What the EHR held at that moment, by the dates that the resources carry."""
    period = resource.get("performedPeriod", {})
    names = ("issued", "recordedDate", "performedDateTime", "onsetDateTime")
    when = period.get("end") or next((resource[name] for name in names if resource.get(name)), None)
    return when is None or (when <= moment.isoformat() if "T" in when else when <= moment.date().isoformat())


def hook(history: History, moment: datetime) -> Json:
    held = [resource for resource in resources(history) if known_then(resource, moment)]
    kinds = {name: [r for r in held if r["resourceType"] == name] for name in ("Condition", "Procedure", "Observation")}
    (person,) = [resource for resource in held if resource["resourceType"] == "Patient"]
    died = person.get("deceasedDateTime")
    if died is not None and died > moment.date().isoformat():
        person = {name: value for name, value in person.items() if name != "deceasedDateTime"}
    return {
        "hook": "patient-view",
        "hookInstance": f"00000000-0000-4000-8000-{abs(hash((history.patient, moment))) % 10**12:012d}",
        "context": {"userId": "Practitioner/x", "patientId": history.patient},
        "prefetch": {
            "patient": person,
            "conditions": bundle(kinds["Condition"]),
            "procedures": bundle(kinds["Procedure"]),
            "bloodCounts": bundle(kinds["Observation"]),
            "albumin": bundle([]),
        },
    }


def histories() -> list[History]:
    return [history for history in cohort(PATIENTS, seed=23) if history.story != "record_replaced"]


def recorded_year(folder: Path) -> Path:
    """Fill a folder: the audit log of a silent service that keeps pseudonyms, its key, and an export made later."""
    (folder / "audit.key").write_bytes(KEY)
    settings = settings_from_dict(
        {
            "service": {"mode": "silent", "timezone": "Asia/Shanghai"},
            "authentication": {"required": False},
            "audit": {"hmac_key_file": "audit.key", "pseudonymize_patient": True},
        },
        folder,
    )
    clock = [datetime(2010, 1, 1, tzinfo=UTC)]
    client = create_app(settings, now=lambda: clock[0]).test_client()
    visits = [(h.day(day), number, h) for number, h in enumerate(histories()) for day in VISITS]
    for day, _, history in sorted(visits, key=lambda visit: visit[:2]):
        clock[0] = datetime.combine(day, time(9, 45), UTC)
        answer = client.post(PATH, json=hook(history, clock[0]))
        assert answer.get_json()["cards"] == [], "nobody sees a silent service"
    write_export(folder / "export", later_export())
    return folder


def later_export() -> dict[str, list[bytes]]:
    """The export: what there was, but for a count that the laboratory corrected and a diagnosis that came late."""
    lines: dict[str, list[bytes]] = {}
    for history in histories():
        for resource in resources(history):
            lines.setdefault(resource["resourceType"], []).append(encode(changed(resource)))
    return lines


def changed(resource: Json) -> Json:
    if resource["id"].startswith(f"{CORRECTED}-") and resource["id"].endswith(f"-{PLATELETS}"):
        quantity = {**resource["valueQuantity"], "value": resource["valueQuantity"]["value"] * 2}
        return {**resource, "valueQuantity": quantity, "meta": {"versionId": "2"}, "status": "corrected"}
    if resource["resourceType"] == "Condition" and resource["id"] == f"{RECODED}-c":
        return {**resource, "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "K76.0"}]}}
    return resource


def assess_recorded(year: Path, out: Path, **options: Any) -> None:
    """Join the log of a year with its export."""
    environment = {"SII_CDS__AUDIT__HMAC_KEY_FILE": str(year / "audit.key")}
    assess(year / "export", out, environment=environment, audit=(year / "audit",), designs=(), plain=False, **options)
