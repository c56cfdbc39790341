"""One request body, three ways in: `explain`, the application's test client, the running server."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cds_service.app import create_app
from cds_service.demo.client import hook_request
from cds_service.demo.patients import build_stories
from cds_service.settings import load_settings
from tests.support.serve_command import COMMAND, serving, write_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.serve_command import Serving

STORIES = build_stories(datetime.now(UTC).date())
PATH = "/cds-services/sii-recurrence-risk"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return create_app(load_settings(write_configuration(tmp_path_factory.mktemp("client")), {})).test_client()


def explained(body: bytes, folder: Path) -> dict[str, Any]:
    file = folder / "request.json"
    file.write_bytes(body)
    command = [str(COMMAND), "explain", str(file), "--json", "--config", str(write_configuration(folder))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    content: dict[str, Any] = json.loads(done.stdout)["assessment"]
    return content


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_assessment_of_a_body_is_the_same_by_explain_client_and_server(
    story: Any, server: Serving, client: FlaskClient, tmp_path: Path
) -> None:
    body = json.dumps(hook_request(story, "4a4c3f2e-0c0e-4f0e-8f0e-2f2f2f2f2f2f")).encode()
    by_client = client.post(PATH, data=body, content_type="application/json").get_json()
    by_server = requests.post(
        server.url + PATH, data=body, headers={"Content-Type": "application/json"}, timeout=10
    ).json()
    name = "org.sii-cds.assessment"
    assert by_server["extension"][name] == by_client["extension"][name] == explained(body, tmp_path)
    assert [card["summary"] for card in by_server["cards"]] == [card["summary"] for card in by_client["cards"]]


def test_server_after_bad_bodies_answers_as_before(server: Serving) -> None:
    headers = {"Content-Type": "application/json"}
    bad = {
        b"{": 400,
        b'{"hook":NaN}': 400,
        b"[" * 100_000: 400,
        b'{"prefetch":' * 100_000: 400,
        b"\xff\xfe\x00": 400,
        b" " * 11_000_000: 413,
    }
    for body, status in bad.items():
        answer = requests.post(server.url + PATH, data=body, headers=headers, timeout=30)
        assert answer.status_code == status
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert "Traceback" not in answer.text
    assert requests.get(f"{server.url}/readyz", timeout=10).json() == {"status": "ready"}
    assert "Traceback" not in (server.folder / "stderr.log").read_text()
