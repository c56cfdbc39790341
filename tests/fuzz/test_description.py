"""The service attacked from its own description, in one process and as it runs in a hospital."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import schemathesis

from tests.fuzz.attack import attack_config, run, sign_requests
from tests.fuzz.site import AttackedSite, site_content
from tests.security import forge
from tests.support import openapi
from tests.support.serve_command import serving

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

HOOK_LABEL, FEEDBACK_LABEL = f"POST {openapi.HOOK}", f"POST {openapi.FEEDBACK}"


def assert_well_attacked(answers: Counter[tuple[str, int]]) -> None:
    """Every operation was reached, bodies got behind the door, and nothing failed."""
    # Schemathesis leaves out the document it has read.
    expected = {f"{method} {path}" for path, method, _ in openapi.operations()} - {"GET /openapi.json"}
    assert expected <= {label for label, _ in answers}
    assert {200, 400, 401, 412, 415} <= {status for label, status in answers if label == HOOK_LABEL}
    assert {200, 400, 401, 415} <= {status for label, status in answers if label == FEEDBACK_LABEL}
    assert [key for key in answers if key[1] >= 500] == []


def test_description_attacked_in_one_process_is_kept(tmp_path: Path) -> None:
    site = AttackedSite(tmp_path, authenticated=True)
    # Its probes without token hand an argument to the WSGI client that this does not know; see the next test.
    config = attack_config(20, ignored_auth=False)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", site.app, config=config)
    sign_requests(schema, lambda: forge.NOW_SECONDS)
    try:
        answers, wrong = run(schema)
        site.check_log()
    finally:
        site.close()

    assert wrong == []
    assert_well_attacked(answers)
    records = site.new_records()
    assert records["hook"] == answers[HOOK_LABEL, 200] + answers[HOOK_LABEL, 412]


def test_description_attacked_over_http_is_kept(tmp_path: Path) -> None:
    content = site_content(tmp_path, authenticated=True) | {"server": {"host": "127.0.0.1", "port": 0, "workers": 2}}
    with serving(tmp_path, json.dumps(content)) as service:
        config = attack_config(8, ignored_auth=True)
        schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json", config=config)
        schema.config.update(base_url=service.url)
        sign_requests(schema, lambda: int(time.time()))
        answers, wrong = run(schema)
        printed = (tmp_path / "stdout.log").read_text(encoding="utf-8")
        errors = (tmp_path / "stderr.log").read_text(encoding="utf-8")

    assert wrong == []
    assert_well_attacked(answers)
    assert "Traceback" not in errors
    assert "panicked" not in errors
    assert "exception" not in printed
