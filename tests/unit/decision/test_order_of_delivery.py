"""The order in which a server sends its resources decides nothing: assessment and card are the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.support.charts import Json, bundle, condition, draw, hook_request, procedure
from tests.unit.decision.asking import SITE, decision

# Ends that coincide, spans within spans, days that are not known.
PERFORMED = st.sampled_from(
    ["2025", "2025-12-31", "2026", "2026-08", "2026-08-31", "2026-10-20", "2026-10-20T08:00:00Z", None,
     "2026-08-01/2026-08-31", "2026-10-20T06:00:00Z/2026-10-20T08:00:00Z", "2026-10-01/2026-12-01", "2026-11-01/2026"]
)  # fmt: skip
SPREAD = st.sampled_from(["2025-06-01", "2026-08-10", "2026-08-31", "2026-10", "2026-10-20"])
DRAWN = st.sampled_from(
    ["2025-12-15", "2026-07-31", "2026-08-10", "2026-08-31T05:00:00Z", "2026-09-30T08:00:00Z", "2026-10-10",
     "2026-10-20", "2026-10-20T07:00:00Z", "2026-11-20T08:00:00Z"]
)  # fmt: skip


def treated(performed: str | None) -> Json:
    start, _, end = (performed or "").partition("/")
    if end:
        return procedure(performedDateTime=None, performedPeriod={"start": start, "end": end})
    return procedure(performedDateTime=performed)


def numbered(resources: list[Json]) -> list[Json]:
    return [resource | {"id": f"r{number}"} for number, resource in enumerate(resources)]


PROCEDURES = st.lists(PERFORMED.map(treated), min_size=1, max_size=4).map(numbered)
CONDITIONS = st.lists(SPREAD.map(lambda day: condition("C78.7", onsetDateTime=day)), max_size=2).map(
    lambda spread: numbered([condition(), *spread])
)
OBSERVATIONS = st.lists(
    st.builds(lambda when, kept, status: draw(when=when, status=status)[:kept], DRAWN, st.sampled_from([3, 3, 2, 1]),
              st.sampled_from(["final", "final", "corrected", "preliminary"])),
    max_size=4,
).map(lambda draws: numbered([result for results in draws for result in results]))  # fmt: skip


@given(st.data(), PROCEDURES, CONDITIONS, OBSERVATIONS)
def test_assessment_and_card_are_the_same_in_every_order(
    data: st.DataObject, procedures: list[Json], conditions: list[Json], counts: list[Json]
) -> None:
    shuffled = [data.draw(st.permutations(resources)) for resources in (procedures, conditions, counts)]

    assert told_and_shown(*shuffled) == told_and_shown(procedures, conditions, counts)


def told_and_shown(procedures: list[Json], conditions: list[Json], counts: list[Json]) -> tuple[Json, list[Any]]:
    body = hook_request(procedures=bundle(*procedures), conditions=bundle(*conditions), bloodCounts=bundle(*counts))
    found = decision(body)
    cards = CardBuilder(SII.voice, SITE.cards, SITE.policy, "m").build(found.assessment, lambda: "u", found.gaps)
    told = assessment_extension(RULE_VERSION, found.assessment, found.facts.excluded_reasons, found.gaps)
    return told, [(card.summary, card.detail) for card in cards]
