"""Where the service itself stops reading, doctor says so and does not blame the server."""

from __future__ import annotations

from tests.integration.test_doctor_server import ask, found, told, two_draws
from tests.support.hospital_server import running_hospital


def test_limit_of_the_service_is_no_fault_of_the_server() -> None:
    """Six results of blood counts a patient, and a service that reads five entries of a search."""
    with running_hospital(two_draws()) as server:
        result = ask(server.url, SII_CDS__ACQUISITION__MAX_ENTRIES="5")

    report = told(result)
    assert found(report) == {("note", "search-truncated"), ("note", "service-limit")}, report["findings"]
    assert all("no fault of the server" in finding["what"] for finding in report["findings"])


def test_answer_too_large_for_the_service_is_told_as_its_own_limit() -> None:
    with running_hospital(two_draws()) as server:
        result = ask(server.url, "--patients", "3", SII_CDS__ACQUISITION__MAX_RESPONSE_BYTES="1500")

    findings = told(result)["findings"]
    limits = {finding["about"]: finding for finding in findings if finding["id"] == "service-limit"}
    assert limits["blood counts"]["severity"] == "blocks"
    assert "not even the first page" in limits["blood counts"]["what"]
    assert "search-failed" not in {finding["id"] for finding in findings}
