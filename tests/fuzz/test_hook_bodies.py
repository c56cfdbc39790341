"""Whatever the body of a hook is, the answer is one of few, nothing leaks, and the next request is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.mutations import BYTES, mutated_bodies
from tests.fuzz.site import AttackedSite

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
