"""What must never change a decision, whatever the chart, and what always ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.support.charts import NOW, SNOMED, Json, bundle, condition, draw, hook_request, procedure, status
from tests.support.strategies import json_text
from tests.unit.normalization.reading import decided, site

ABLATION, RESECTION = "609232008", "107963000"
UNFINISHED = st.sampled_from(["in-progress", "on-hold", "stopped", "unknown"])
METASTASES = st.sampled_from(["94391008", "128462008", "94222008"])
SUSPECTED = st.sampled_from(["provisional", "differential", "unconfirmed"])
DAYS = st.integers(0, 400)


def day(ago: int) -> str:
    return (NOW - timedelta(days=ago)).date().isoformat()


def chart(drawn: int, treated: int, conditions: list[Json], procedures: list[Json]) -> Json:
    return hook_request(
        *draw(when=day(drawn)),
        conditions=bundle(condition(), *conditions),
        procedures=bundle(procedure(when=day(treated)), *procedures),
    )


def told(request: Json) -> dict[str, Any]:
    return assessment_extension(RULE_VERSION, decided(json_text(request)).assessment)


def number(answer: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(answer.get(name) for name in ("outcome", "sii", "sampleTime", "relation", "daysFromProcedure"))


@given(drawn=DAYS, treated=DAYS, later=st.integers(1, 400), status_code=UNFINISHED)
def test_unfinished_procedure_after_the_draw_changes_no_decision(
    drawn: int, treated: int, later: int, status_code: str
) -> None:
    begun = procedure(ABLATION, when=day(max(drawn - later, -1)), status=status_code, id="begun")

    alone = told(chart(drawn, treated, [], []))
    beside = told(chart(drawn, treated, [], [begun] if drawn >= later else []))

    assert number(beside) == number(alone)


@given(
    drawn=DAYS,
    treated=DAYS,
    code=METASTASES,
    recorded=DAYS,
    verification=st.sampled_from(["provisional", "differential", "unconfirmed"]),
)
def test_suspected_diagnosis_changes_no_decision(
    drawn: int, treated: int, code: str, recorded: int, verification: str
) -> None:
    suspected = condition(
        code,
        SNOMED,
        onsetDateTime=day(recorded),
        verificationStatus=status("condition-ver-status", verification),
    )

    assert number(told(chart(drawn, treated, [suspected], []))) == number(told(chart(drawn, treated, [], [])))


@given(
    drawn=DAYS,
    treated=DAYS,
    code=METASTASES,
    recorded=st.none() | DAYS,
    verification=st.none() | st.just("confirmed"),
    truncated=st.booleans(),
)
def test_metastasis_that_counts_never_yields_a_card(
    drawn: int, treated: int, code: str, recorded: int | None, verification: str | None, truncated: bool
) -> None:
    spread = condition(
        code,
        SNOMED,
        onsetDateTime=day(recorded) if recorded is not None else None,
        verificationStatus=status("condition-ver-status", verification) if verification else None,
    )
    request = chart(drawn, treated, [spread], [])
    if truncated:
        request["prefetch"]["conditions"]["total"] = 900
    decision = decided(json_text(request))
    cards = CardBuilder(SII.voice, site().cards, site().policy, "m").build(decision.assessment, lambda: "uuid")

    assert (decision.assessment.outcome, cards) == ("not-eligible", ())


@given(drawn=DAYS, treated=DAYS, other=DAYS, completed=st.booleans())
def test_windows_equal_a_comparison_with_every_procedure(drawn: int, treated: int, other: int, completed: bool) -> None:
    """Every procedure is compared with the draw, one by one, by the days alone."""
    resection = procedure(RESECTION, when=day(other), status="completed" if completed else "stopped", id="other")

    found = told(chart(drawn, treated, [], [resection]))

    closed = any(0 <= done - drawn <= 27 for done in (treated, other))
    refused = "post-procedure-window" in found.get("reasons", ())
    assert refused is closed
