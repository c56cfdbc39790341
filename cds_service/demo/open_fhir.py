"""The demo's patients as an open FHIR server, for test clients that know no login, such as the CDS Hooks sandbox.

Read only, on loopback, and every patient is synthetic: any page may read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, abort, jsonify, request

from cds_service.acquisition.prefetch import ALBUMIN, BLOOD_COUNTS, CONDITIONS, PROCEDURES
from cds_service.demo.client import hook_request
from cds_service.demo.patients.resources import searchset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cds_service.demo.patients import PatientStory

OPEN_FHIR_PATH: Final = "/demo/open-fhir"
_KEYS: Final = {"Condition": CONDITIONS, "Procedure": PROCEDURES}
# LOINC of platelets: only the search for blood counts holds it.
_PLATELETS: Final = "777-3"
_SEARCHED: Final = ("Patient", "Observation", "Condition", "Procedure")
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
}


def found_in_chart(story: PatientStory, resource_type: str, code: str) -> dict[str, Any] | None:
    """Return the searchset of a type, None for a type that no chart holds. What is too much, the reader sorts out."""
    chart: dict[str, Any] = hook_request(story, "")["prefetch"]
    if resource_type == "Observation":
        searched: dict[str, Any] = chart[BLOOD_COUNTS if _PLATELETS in code else ALBUMIN]
        return searched
    return chart[_KEYS[resource_type]] if resource_type in _KEYS else None


def open_fhir(stories: Callable[[], Sequence[PatientStory]]) -> Blueprint:
    """Return the routes; `stories` are the patients as of today."""
    routes = Blueprint("demo-open-fhir", __name__, url_prefix=OPEN_FHIR_PATH)

    def story_of(patient_id: str) -> PatientStory:
        return next((story for story in stories() if story.id == patient_id), None) or abort(404)

    def read(patient_id: str) -> Response:
        return jsonify(story_of(patient_id).patient)

    def search(resource_type: str) -> Response:
        asked = request.form if request.method == "POST" else request.args
        patient = asked.get("patient", asked.get("_id", ""))
        if resource_type == "Patient" and not patient:
            return jsonify(searchset(tuple(story.patient for story in stories())))
        story = story_of(patient.removeprefix("Patient/"))
        if resource_type == "Patient":
            return jsonify(searchset((story.patient,)))
        return jsonify(found_in_chart(story, resource_type, asked.get("code", "")) or abort(404))

    routes.add_url_rule("/metadata", "metadata", _describe)
    routes.add_url_rule("/Patient/<patient_id>", "read", read)
    routes.add_url_rule("/<resource_type>", "search", search)
    routes.add_url_rule("/<resource_type>/_search", "search-by-form", search, methods=["POST"])
    routes.after_request(_open_to_pages)
    return routes


def _describe() -> Response:
    """Say what can be asked (CapabilityStatement)."""
    interactions = {
        kind: [{"code": "search-type"}, *([{"code": "read"}] if kind == "Patient" else [])] for kind in _SEARCHED
    }
    resources = [{"type": kind, "interaction": can} for kind, can in interactions.items()]
    return jsonify(
        resourceType="CapabilityStatement",
        status="active",
        date="2026-12-01",
        kind="instance",
        implementation={"description": "Synthetic patients of the sii-cds demonstration"},
        fhirVersion="4.0.1",
        format=["json"],
        rest=[{"mode": "server", "resource": resources}],
    )


def _open_to_pages(response: Response) -> Response:
    response.headers.update(_CORS)
    response.headers["Cache-Control"] = "no-store"
    return response
