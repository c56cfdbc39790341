"""Notes of the laboratory on the card: quoted once, inert, short, and only of results that are used."""

from __future__ import annotations

import pytest

from cds_service.cards.builder import CardBuilder
from cds_service.cards.options import CardOptions
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.support.charts import NEUTROPHILS, PLATELETS, Json, draw, hook_request, observation
from tests.unit.normalization.reading import decided, site


def detail(*observations: Json) -> str:
    options = CardOptions("https://cds.example/model-card", detail="full", show_not_above_cutoff=True)
    found = decided(hook_request(*observations))
    (card,) = CardBuilder(SII.voice, options, site().policy, "test").build(found.assessment, lambda: "uuid", found.gaps)
    return card.detail or ""


def noted(note: object) -> list[Json]:
    return [*draw(None), observation(PLATELETS, 210, note=note)]


@pytest.mark.parametrize(
    ("note", "quoted", "why"),
    [
        (
            [{"text": "Platelet clumps present"}],
            "**The laboratory wrote** (Platelets): Platelet clumps present",
            "plain",
        ),
        ([{"text": "<b>a</b> [b](http://c)"}], "?b?a?/b? \\[b\\]\\(http?/?c\\)", "markup is inert"),
        ([{"text": "x" * 200}], "x" * 120 + "\n", "cut at 120 characters"),
        ([{"text": "first"}, {"text": "second"}], "(Platelets): first\n", "the first of several"),
        ([{"time": "2026"}, {"text": "second"}], "(Platelets): second\n", "the first that says something"),
    ],
)
def test_note_beside_a_used_result_stands_on_the_card(note: object, quoted: str, why: str) -> None:
    assert quoted in detail(*noted(note)), why


@pytest.mark.parametrize("note", [[], [{}], [{"text": None}], "text", {"text": "no list"}, [{"text": 5}]])
def test_note_that_cannot_be_read_costs_nothing(note: object) -> None:
    assert "The laboratory wrote" not in detail(*noted(note))


def test_note_beside_every_result_is_quoted_once() -> None:
    found = detail(*draw(note=[{"text": "hemolysed"}]))

    assert found.count("hemolysed") == 1
    assert "(Platelets, Neutrophils, Lymphocytes)" in found


def test_note_of_a_result_that_is_not_used_is_not_quoted() -> None:
    other = observation(NEUTROPHILS, 5, oid="x", status="preliminary", note=[{"text": "not this"}])

    assert "not this" not in detail(*draw(), other)


def test_part_on_another_basis_is_named_with_its_value() -> None:
    bands = observation("26508-2", 5, "%", oid="bands")

    assert "one is a percentage and the other a count:** band forms 5 %." in detail(*draw(), bands)
