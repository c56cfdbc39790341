"""Whatever is sent as a hook or as feedback, the answer is one of few, nothing leaks, and the next one is answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.mutations import BYTES, mutated_bodies, mutated_feedback
from tests.fuzz.site import AttackedSite
from tests.support.openapi import FEEDBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = 400


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedSite]:
    attacked = AttackedSite(tmp_path_factory.mktemp("attacked"))
    yield attacked
    attacked.close()


@given(body=mutated_bodies())
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow]
)
def test_hook_mutated_body_is_answered_within_the_contract(site: AttackedSite, body: bytes) -> None:
    site.attack(body)


@pytest.mark.parametrize("body", BYTES, ids=range(len(BYTES)))
def test_hook_body_that_is_no_request_is_refused(site: AttackedSite, body: bytes) -> None:
    assert site.attack(body).status_code == 400


@given(body=mutated_feedback())
@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_feedback_mutated_batch_keeps_what_is_good_and_names_the_rest(site: AttackedSite, body: bytes) -> None:
    answer = site.send(body, FEEDBACK)

    assert answer.status_code in (200, 400)
    site.check_answer(FEEDBACK, "POST", answer)
    kept = site.new_records()["feedback"]
    named = re.search(r"(\d+) of \d+ feedback items were kept", answer.text)
    assert answer.status_code == 200 or kept == (int(named[1]) if named else 0)
    assert site.send(b'{"feedback": []}', FEEDBACK).status_code == 200
