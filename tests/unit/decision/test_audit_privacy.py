"""Marked data through the whole service: no mark reaches the log or an export but where the documentation says so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cds_service.app import create_app
from cds_service.cli.main import main
from cds_service.settings import settings_from_dict
from tests.support.charts import (
    LOINC,
    NOW,
    PATIENT_ID,
    Json,
    bundle,
    condition,
    draw,
    hook_request,
    observation,
    patient,
    procedure,
)

if TYPE_CHECKING:
    from pathlib import Path

MARK = "Canary"
COMMENT = "CommentCanary"


def marked(resource: Json) -> Json:
    """Put the mark wherever free text may stand in a resource."""
    coding = [coding | {"display": f"{MARK}-display"} for coding in resource["code"]["coding"]]
    return resource | {
        "code": {"coding": coding, "text": f"{MARK}-text"},
        "subject": resource["subject"] | {"display": f"{MARK}-subject"},
        "note": [{"text": f"{MARK}-note"}],
        "performer": [{"display": f"{MARK}-performer"}],
        "text": {"status": "generated", "div": f"<div>{MARK}-narrative</div>"},
    }


def coded(code: str) -> Json:
    return {"system": "urn:x", "code": code}


def request() -> Json:
    """An eligible patient whose chart says the mark everywhere, also in place of numbers."""
    texts = [
        observation("777-3", 1, oid="text", valueQuantity=None, valueString=f"{MARK}-string"),
        observation("777-3", f"{MARK}-number", oid="number"),
        observation("777-3", 1, oid="absent", valueQuantity=None, dataAbsentReason={"text": f"{MARK}-absent"}),
        observation("99999-9", 1, oid="other", code={"coding": [{"system": LOINC, "code": f"{MARK}-code"}]}),
        observation("777-3", 1, oid="foreign", subject={"reference": f"Patient/{MARK}-another"}),
        observation("99999-9", 1, oid="unreadable", status=5, code={"coding": [coded(f"{MARK}-unreadable-test")]}),
    ]
    person = patient(
        name=[{"family": f"{MARK}-family", "given": [f"{MARK}-given"]}],
        identifier=[{"value": f"{MARK}-mrn"}],
        address=[{"text": f"{MARK}-address"}],
        telecom=[{"value": f"{MARK}-phone"}],
        birthDate="1958-03-04",
    )
    other = condition("I10", id=f"{MARK}-other", code={"coding": [coded(f"{MARK}-diagnosis")]})
    unreadable = {"coding": [coded(f"{MARK}-unreadable")]}
    return hook_request(
        *map(marked, [*draw(), *texts]),
        patient=person,
        conditions=bundle(marked(condition()), other, condition(id="broken", onsetDateTime=5, code=unreadable)),
        procedures=bundle(marked(procedure()), procedure(id="broken", performedDateTime=7, code=unreadable)),
        members={
            "fhirAuthorization": {
                "access_token": f"{MARK}-token",
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "patient/*.read",
                "subject": "app",
            },
            "extension": {f"{MARK}-member": f"{MARK}-extension"},
        },
    )


def feedback(card: str) -> Json:
    override = {"reason": {"code": "known", "system": "urn:r", "display": f"{MARK}-reason"}, "userComment": COMMENT}
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-23T10:05:31Z"}
    by_text = {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonDisplay": COMMENT}}
    no_code = {"reason": {"code": f"{COMMENT} {'and so on ' * 20}"}}
    overrides = (override | {"extension": {"x": f"{MARK}-epic"}}, by_text, no_code)
    return {"feedback": [item | {"overrideReason": one} for one in overrides]}


def run(directory: Path, user: str | None = None, **audit: Any) -> Path:
    """Ask for a card and override it."""
    settings = settings_from_dict({"authentication": {"required": False}, "audit": audit}, directory)
    app = create_app(settings, now=lambda: NOW)
    client = app.test_client()
    body = request()
    if user is not None:
        body["context"]["userId"] = user
    answer = client.post("/cds-services/sii-recurrence-risk", json=body)
    assert answer.status_code == 200
    (card,) = answer.get_json()["cards"]
    assert client.post("/cds-services/sii-recurrence-risk/feedback", json=feedback(card["uuid"])).status_code == 200
    return directory / "audit"


def everything_said(log: Path) -> dict[str, str]:
    """The files of the log, and what each command says of them."""
    commands = {
        "search": ["search", "--json"],
        "report": ["report", "--json", "-"],
        "page": ["report", "--html", "-"],
        "export": ["export", "--fhir"],
        "replay": ["replay", "--json"],
    }
    said = {"log": "".join(path.read_text() for path in sorted(log.glob("*.jsonl")))}
    for name, arguments in commands.items():
        result = CliRunner().invoke(main, ["audit", *arguments, "--directory", str(log)])
        assert result.exit_code == 0, (name, result.output)
        said[name] = result.stdout
    return said


@pytest.fixture(scope="module")
def by_default(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return everything_said(run(tmp_path_factory.mktemp("site")))


@pytest.mark.parametrize("place", ["log", "search", "report", "page", "export", "replay"])
def test_no_mark_is_said_anywhere(by_default: dict[str, str], place: str) -> None:
    assert by_default[place]
    assert re.findall(rf"\w*{MARK}[\w-]*", by_default[place]) == []


def test_birth_date_is_not_kept_but_the_age(by_default: dict[str, str]) -> None:
    # Not in links and other digits of chance.
    assert not re.search(r"\b1958\b", by_default["log"])
    assert '"person":{"age":68}' in by_default["log"]


def test_values_and_sii_are_in_the_log_and_not_in_the_events(by_default: dict[str, str]) -> None:
    assert "711.667" in by_default["log"]
    assert '"value":6.1' not in by_default["log"], "numbers are texts, digit by digit"
    assert not re.search(r"711\.667|\"6\.1\"|\"1\.8\"", by_default["export"])


def test_comment_is_kept_where_the_site_says_so_and_stays_in_the_log(tmp_path: Path) -> None:
    said = everything_said(run(tmp_path, feedback_comments=True))

    assert {name for name, text in said.items() if COMMENT in text} == {"log", "search"}
    assert not any(re.search(rf"(?<!Comment){MARK}", text) for text in said.values())


def test_values_are_left_out_where_the_site_says_so(tmp_path: Path) -> None:
    log = run(tmp_path, values=False)
    text = "".join(path.read_text() for path in log.glob("*.jsonl"))

    assert '"chart"' not in text
    assert '"6.1"' not in text
    assert '"used"' in text, "references and versions stay"


def test_pseudonym_stands_wherever_the_patient_id_would(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(32)))
    log = run(tmp_path, hmac_key_file="key", pseudonymize_patient=True)

    for text in [path.read_text() for path in log.glob("*.jsonl")]:
        assert f'"{PATIENT_ID}"' not in text
        assert f"Patient/{PATIENT_ID}" not in text
        assert "hmac:" in text


def test_patient_who_asks_is_named_by_the_pseudonym_alone(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(32)))
    log = run(tmp_path, f"Patient/{PATIENT_ID}", hmac_key_file="key", pseudonymize_patient=True)

    for place, text in everything_said(log).items():
        assert not re.search(rf"\b{PATIENT_ID}\b", text), place


def test_record_of_the_hook_is_one_of_each_kind(by_default: dict[str, str]) -> None:
    kinds = [json.loads(line)["kind"] for line in by_default["log"].splitlines()]

    assert kinds == ["opened", "configuration", "hook", *["feedback"] * 3]
