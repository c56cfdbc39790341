"""The page itself: of the right patient, once, in the right frame, recorded, and with nothing left behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import fhir_stub_faults as faults
from tests.support.charts import PATIENT_ID, draw, patient, prefetch
from tests.support.smart_site import CALLBACK, SmartSite, assert_refused, smart_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fhir_stub import Fault
    from tests.support.smart_server import SmartServer


# Wrong patient: the Patient is the token's, and so is every result.


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.resource(patient(id="p2", name=[{"family": "Marker"}])), "another patient"),
        (faults.resource({"resourceType": "Patient"}), "nobody"),
        (faults.resource({"resourceType": "OperationOutcome"}), "no patient"),
        (faults.body(b"{"), "no JSON"),
        (faults.status(401), "refused"),
        (faults.status(404), "unknown"),
    ],
)
def test_patient_that_is_not_the_one_of_the_token_is_no_page(fault: Fault, reason: str, site: SmartSite) -> None:
    site.server.faults = {"patient": fault}

    assert_refused(site.open(), 502, "patient", reason)
    assert site.server.keys_asked() in ([], ["patient"]), reason
    (record,) = site.records()
    assert (record["outcome"], record["refused"], record["patient"]) == ("refused", "patient", PATIENT_ID), reason


def test_results_of_another_patient_show_reason_and_count_and_no_value(site: SmartSite) -> None:
    foreign = draw(987, "65.4", "3.21", subject={"reference": "Patient/p2"})
    site.server.charts[PATIENT_ID] = prefetch(*foreign, patient=patient())

    page = site.open()

    assert page.status_code == 200
    assert "subject-mismatch" in page.text
    for value in ("987", "65.4", "3.21", "p2"):
        assert value not in page.text


# Replay, back, reload: single use, and a script that wipes the page.


def test_callback_twice_is_shown_once(site: SmartSite) -> None:
    callback = site.callback_of(site.launch())

    assert site.get(callback).status_code == 200
    assert_refused(site.get(callback), 410, "launch-used")
    assert len(site.records()) == 1


def test_launch_that_failed_is_used_up_all_the_same(site: SmartSite) -> None:
    callback = site.callback_of(site.launch())
    site.server.faults = {"token": faults.status(500)}
    site.get(callback)
    site.server.faults = {}

    assert_refused(site.get(callback), 410, "launch-used")


def test_head_uses_up_no_launch(site: SmartSite) -> None:
    callback = site.callback_of(site.launch())
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in site.cookies.items())}

    assert site.app.test_client(use_cookies=False).head(callback, headers=headers).status_code == 405
    assert site.get(callback).status_code == 200


# Clickjacking.


def test_frame_ancestors_are_those_of_the_client_on_every_page(server: SmartServer, tmp_path: Path) -> None:
    origins = ["https://ehr.hospital.example", "http://127.0.0.1:9000"]
    site = smart_site(tmp_path, server, {"frame_ancestors": origins})

    for answer in (site.launch(), site.open(), site.get(CALLBACK, state="x", code="y")):
        assert answer.headers["Content-Security-Policy"].endswith(f"frame-ancestors {' '.join(origins)}")


# Markup in names and codes.

MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_markup_of_the_chart_stays_text(site: SmartSite) -> None:
    named = patient(name=[{"text": MARKUP}], identifier=[{"value": f"{MARKUP}\u202e"}], birthDate=f"1958-03-04{MARKUP}")
    results = draw(note=[{"text": MARKUP}], specimen={"display": MARKUP})
    for result in results:
        result["valueQuantity"]["unit"] = f"10*9/L {{{MARKUP}}}"
    site.server.charts[PATIENT_ID] = prefetch(*results, patient=named)
    site.server.claims = {"fhirUser": f"Practitioner/{MARKUP}"}

    page = site.open()

    assert page.status_code == 200
    assert page.text.count("<script") == 1
    assert "<img" not in page.text
    assert "\u202e" not in page.text


# A server that hangs: one deadline.


@pytest.mark.parametrize("place", ["discovery", "token", "keys", "patient", "conditions", "bloodCounts"])
def test_server_that_hangs_is_given_up_in_time(
    place: str, server: SmartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.smart.trend_app.SECONDS", 0.6)
    monkeypatch.setattr("cds_service.smart.trend_app._WAITING_SECONDS", 0.5)
    site = smart_site(tmp_path, server)
    departure = site.launch() if place != "discovery" else None
    server.faults = {place: faults.silence}

    answer = site.get(site.callback_of(departure)) if departure is not None else site.launch()

    assert_refused(answer, 504, "launch-deadline")


def test_many_failures_of_the_fhir_server_leave_it_asked(site: SmartSite) -> None:
    site.server.faults = {"patient": faults.status(500)}
    for _ in range(8):
        assert_refused(site.open(), 502, "patient")
    site.server.faults = {}

    assert site.open().status_code == 200


def test_required_data_that_do_not_come_are_named(site: SmartSite) -> None:
    site.server.faults = {"conditions": faults.status(500)}

    assert_refused(site.open(), 502, "conditions")
    (record,) = site.records()
    assert (record["outcome"], record["missing"]) == ("data-unavailable", ["conditions"])


# Audit and state that are not there: no page.


def test_page_that_cannot_be_recorded_is_not_shown(site: SmartSite) -> None:
    callback = site.callback_of(site.launch())
    audit = site.folder / "audit"
    for path in audit.iterdir():
        path.unlink()
    audit.rmdir()
    audit.write_text("")

    answer = site.get(callback)

    assert (answer.status_code, "SII" in answer.text) == (503, False)


def test_launch_that_cannot_be_remembered_is_not_shown(site: SmartSite) -> None:
    callback = site.callback_of(site.launch())
    for path in site.folder.glob("state.db*"):
        path.unlink()
    (site.folder / "state.db").mkdir()

    assert site.get(callback).status_code == 503
    assert site.server.posted == []


# Leaks.


def test_nothing_of_patient_and_tokens_is_left_behind(
    site: SmartSite, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for changes in ({}, {"id_token": "canary.id.token"}, {"patient": None}, {"scope": "x"}):
        site.server.token_response = changes
        site.open()

    metrics = site.app.test_client().get("/metrics").text
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files) + metrics.encode()
    out, err = capfd.readouterr()
    logged = caplog.text + out + err
    secrets = [*site.cookies.values(), "canary-access", "code-0", "eyJ"]
    assert files
    for secret in secrets:
        assert secret.encode() not in kept, secret
        assert secret not in logged, secret
    for text in ("Marker", "1958-03-04"):
        assert text.encode() not in kept, text
        assert text not in logged, text
    assert f'"{PATIENT_ID}"' not in logged
    assert json.dumps(PATIENT_ID).encode() not in metrics.encode()
