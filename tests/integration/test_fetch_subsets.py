"""One patient, told by prefetch, FHIR server, or both in every mixture: one assessment (requirements 38-41)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support import fhir_stub_faults as faults
from tests.support.charts import ALBUMIN, bundle, condition, days_ago, draw, hook_request, observation
from tests.support.fhir_stub import FHIRStub, moved_to, running_stub
from tests.support.fhir_stub_site import FetchingSite, fetching_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

KEYS = ("patient", "conditions", "procedures", "bloodCounts", "albumin")
SUBSETS = [keys for size in range(len(KEYS) + 1) for keys in combinations(KEYS, size)]
# An earlier draw, a component, an excluded result, albumin in another unit: much to get wrong.
CHARTS: dict[str, Json] = {
    "eligible": hook_request(
        *draw(),
        *draw(150, "4.0", "1.5", when=days_ago(100)),
        observation("777-3", 300, when=days_ago(35), status="preliminary"),
        albumin=bundle(observation(ALBUMIN, 3.8, "g/dL")),
    ),
    "not eligible": hook_request(conditions=bundle(condition("K74.6"))),
}


@pytest.fixture(scope="module")
def stub() -> Iterator[FHIRStub]:
    with running_stub() as running:
        yield running


@pytest.fixture(scope="module", params=["staged", "parallel"])
def site(request: pytest.FixtureRequest, stub: FHIRStub, tmp_path_factory: pytest.TempPathFactory) -> FetchingSite:
    return fetching_site(tmp_path_factory.mktemp(request.param), stub.url, strategy=request.param)


def told(site: FetchingSite, request: Json) -> Json:
    """Everything the answer says, but for the identifier of its card."""
    answer = site.ask(request)
    assert answer.assessment
    said: Json = answer.response.get_json()
    for card in said["cards"]:
        del card["uuid"]
    return said


@pytest.mark.parametrize("fetched", SUBSETS, ids=lambda keys: "+".join(keys) or "nothing")
@pytest.mark.parametrize("chart", CHARTS)
def test_answer_is_the_same_whoever_delivers(
    site: FetchingSite, stub: FHIRStub, chart: str, fetched: tuple[str, ...]
) -> None:
    request = CHARTS[chart]
    # What an earlier hook gave up may still be on its way: each has a token of its own.
    token = str(uuid4())

    assert told(site, moved_to(stub, request, *fetched, token=token)) == told(site, request)
    asked = stub.keys_asked(token)
    assert set(asked) <= set(fetched)
    assert len(asked) == len(set(asked)), "no key twice"
    if chart == "eligible":
        assert set(asked) == set(fetched)


@pytest.mark.parametrize("fetched", [("bloodCounts",), KEYS], ids=["bloodCounts", "all"])
def test_answer_is_the_same_in_one_page_or_many(site: FetchingSite, stub: FHIRStub, fetched: tuple[str, ...]) -> None:
    request = CHARTS["eligible"]
    expected = told(site, request)
    entries = request["prefetch"]["bloodCounts"]["entry"]
    stub.faults = {"bloodCounts": faults.pages(*((entry["resource"],) for entry in entries))}

    assert told(site, moved_to(stub, request, *fetched)) == expected
    stub.faults = {}
