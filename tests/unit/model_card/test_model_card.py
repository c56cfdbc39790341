"""The model card: complete, honest, equal to what runs, and the same as HTML and as JSON."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cds_service.clinical import evidence
from cds_service.model_card.content import build_content
from tests.unit.model_card.model_card_page import DEFAULT, MAPPINGS, Page, card, page, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "derived, not published"
# 45 CFR 170.315(b)(11)(iv)(B)(1) to (9): how many attributes each paragraph has.
PREDICTIVE_GROUPS = (4, 4, 2, 4, 2, 4, 5, 4, 2)


def test_source_attributes_all_answered_in_order() -> None:
    attributes = build_content(DEFAULT, MAPPINGS).attributes
    groups = [attribute.group for attribute in attributes.predictive]

    assert tuple(groups.count(group) for group in dict.fromkeys(groups)) == PREDICTIVE_GROUPS
    for kind, count in ((attributes.predictive, 31), (attributes.evidence, 13)):
        assert [attribute.number for attribute in kind] == list(range(1, count + 1))
        assert all(attribute.name and attribute.answer and attribute.sources for attribute in kind)


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [
        (12, "none", "no demographic input enters SII"),
        (13, "not reported", "the abstract gives no demographics"),
        (15, "none", "no approach to fairness is known"),
        (17, "none", "405.08 was validated nowhere else"),
        (19, "not applicable", "no external data, so no demographics of it"),
        (22, "not reported", "the abstract gives no subgroups"),
        (23, "none", "a similar study is no validation"),
        (25, "none", "no outcome study was found"),
        (27, "site", "only the hospital can know"),
        (31, "none", "nothing was corrected yet"),
    ],
)
def test_predictive_attribute_unknown_is_answered_openly(number: int, status: str, reason: str) -> None:
    attribute = build_content(DEFAULT, MAPPINGS).attributes.predictive[number - 1]

    assert attribute.status == status, reason


def test_sources_every_key_is_listed_and_every_reference_is_used() -> None:
    document = json.loads(card().json())
    cited = [key for part in _parts_with_sources(document) for key in part["sources"]]

    assert set(cited) == {reference["key"] for reference in document["references"]}
    assert all(part["sources"] for part in _parts_with_sources(document))


def _parts_with_sources(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "sources" in value:
            yield value
        yield from (part for item in value.values() for part in _parts_with_sources(item))
    elif isinstance(value, list):
        yield from (part for item in value for part in _parts_with_sources(item))


@pytest.mark.parametrize(
    "figure",
    [
        f"Published cut-off {evidence.PUBLISHED_CUTOFF}",
        f"n = {evidence.STUDY_PATIENTS}",
        f"AUC {evidence.STUDY_AUC} (95 % CI {evidence.STUDY_AUC_INTERVAL})",
        f"Patients {evidence.STUDY_RECURRENCES} {evidence.STUDY_PATIENTS - evidence.STUDY_RECURRENCES}",
        f"Albumin {evidence.STUDY_ALBUMIN_RECURRENCE} {evidence.STUDY_ALBUMIN_CONTROL} 0.014",
        f"{evidence.IMPRECISION_BAND[0]} to {evidence.IMPRECISION_BAND[1]}",
        f"doi {evidence.STUDY_DOI}",
        f"rule {evidence.RULE_VERSION} · mappings {MAPPINGS}",
    ],
)
def test_figures_equal_the_evidence_of_the_rule(figure: str) -> None:
    assert figure in page().text


def test_derived_figures_equal_an_independent_calculation() -> None:
    """Yu 2023 prints the means 535.23 and 357.84; standard deviations 174 and 120 are known to whole numbers only."""
    values = {figure.name: figure.value for figure in build_content(DEFAULT, MAPPINGS).derived}
    share = evidence.STUDY_RECURRENCES / evidence.STUDY_PATIENTS
    rates = [_rates(405.08), _rates_log_normal(405.08)]

    assert values["Sensitivity"] == _span(sensitivity for sensitivity, _ in rates)
    assert values["Specificity"] == _span(specificity for _, specificity in rates)
    above = [share * se + (1 - share) * (1 - sp) for se, sp in rates]
    assert values["Patients above the cut-off"] == f"{min(above) * 100:.0f} to {max(above) * 100:.0f} %"
    assert values["Positive predictive value"] == _span(
        share * se / (share * se + (1 - share) * (1 - sp)) for se, sp in rates
    )
    assert values["Negative predictive value"] == _span(
        (1 - share) * sp / ((1 - share) * sp + share * (1 - se)) for se, sp in rates
    )


def _span(values: Iterator[float]) -> str:
    low, *_, high = sorted(values)
    return f"{low:.2f} to {high:.2f}"


def _rates(cutoff: float) -> tuple[float, float]:
    return 1 - NormalDist(535.23, 174).cdf(cutoff), NormalDist(357.84, 120).cdf(cutoff)


def _rates_log_normal(cutoff: float) -> tuple[float, float]:
    def cdf(mean: float, deviation: float) -> float:
        variance = math.log(1 + (deviation / mean) ** 2)
        return NormalDist(math.log(mean) - variance / 2, math.sqrt(variance)).cdf(math.log(cutoff))

    return 1 - cdf(535.23, 174), cdf(357.84, 120)


def test_derived_figures_outside_their_table_carry_the_label() -> None:
    document = json.loads(card().json())
    values = [figure["value"] for figure in document.pop("derived")]
    mentions = [text for text in texts_of(document) if any(value in text for value in values)]

    assert len(mentions) >= 5
    assert [text for text in mentions if LABEL not in text] == []


def test_page_is_whole_accessible_and_runs_nothing() -> None:
    html, found = card().html(), page()
    tags = {tag for tag, _ in found.elements}

    assert html.startswith("<!doctype html>")
    assert ("html", {"lang": "en"}) in found.elements
    assert re.search(r"<title>SII recurrence risk .+ - model card</title>", html)
    assert (found.headings[0], found.headings.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in zip(found.headings, found.headings[1:], strict=False))
    assert tags.isdisjoint({"script", "iframe", "object", "embed", "form", "base", "img"})
    names = {name for _, attributes in found.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "srcset"}]
    assert not re.search(r"@import|url\(|expression\(", html)


def test_page_links_lead_to_its_own_parts_and_to_the_listed_references() -> None:
    found = page()
    ids, links = found.values("id"), [a["href"] for tag, a in found.elements if tag == "a"]
    references = [reference.url for reference in build_content(DEFAULT, MAPPINGS).references if reference.url]

    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert set(found.values("aria-labelledby")) <= set(ids)
    assert [link for link in links if not link.startswith("#")] == references
    assert re.findall(r"https?://[^\"<\s]+", card().html()) == [url for url in references for _ in range(2)]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"cutoff": Decimal("380.50"), "cutoff_source": "own cohort"}, "greater than 380.5 ×10⁹/L (set by this site)"),
        ({"cutoff_source": "own cohort"}, "names another source for it: own cohort."),
        ({"minimum_age": 21}, "At least 21 years old"),
        ({"post_procedure_exclusion_days": 41, "max_age_days": 60}, "From day 42, at most 60 days old today"),
        ({"baseline_window_days": 14}, "From 14 days before, up to the procedure"),
        ({"same_draw": timedelta(minutes=15)}, "within 15 minutes changed here within 60 minutes"),
        ({"albumin_window_days": 3}, "within 3 days changed here within 7 days"),
        ({"accepted_statuses": frozenset({"final"})}, "final changed here final, amended, corrected"),
        ({"eligibility_required": False}, "assumed: the EHR calls for the right patients only changed here"),
        ({"timezone": ZoneInfo("Europe/Paris")}, "Europe/Paris Europe/Paris"),
    ],
)
def test_policy_that_runs_is_shown(change: dict[str, Any], shown: str) -> None:
    assert shown not in page().text
    assert shown in page(replace(DEFAULT, **change)).text


def test_policy_defaults_are_nowhere_written_out() -> None:
    policy = replace(
        DEFAULT, minimum_age=41, post_procedure_exclusion_days=42, baseline_window_days=43, max_age_days=44
    )
    document = json.loads(card(policy).json())
    texts = " ".join(texts_of(document, without=frozenset({"default"})))

    assert re.findall(r"\b(?:18 years|day 27|day 28|30 days|90 days)\b", texts) == []


@pytest.mark.parametrize(
    ("change", "beginnings"),
    [
        ({}, []),
        ({"timezone": ZoneInfo("America/Lima")}, []),
        ({"cutoff": Decimal("405.0800")}, []),
        ({"cutoff": Decimal(500)}, ["This site has set its own cut-off: 500"]),
        ({"cutoff_source": "own"}, ["The cut-off equals the published one"]),
        (
            {"eligibility_required": False, "max_age_days": 60},
            ["This site does not let the rule ask", "This site has changed at least one other"],
        ),
    ],
)
def test_notices_tell_what_the_site_changed(change: dict[str, Any], beginnings: list[str]) -> None:
    notices = build_content(replace(DEFAULT, **change), MAPPINGS).notices

    assert [notice[: len(start)] for notice, start in zip(notices, beginnings, strict=True)] == beginnings


def test_text_of_the_site_is_escaped_in_html_and_verbatim_in_json() -> None:
    hostile = '<script>alert("1")</script> {cutoff}'
    found = card(replace(DEFAULT, cutoff_source=hostile))
    assert "<script" not in found.html()
    assert hostile in Page(found.html()).text
    assert hostile in {setting["value"] for setting in json.loads(found.json())["settings"]}


def test_json_holds_what_the_page_shows() -> None:
    policy = replace(DEFAULT, max_age_days=60)
    document, shown = json.loads(card(policy).json()), page(policy)
    for reference in document["references"]:
        assert f"ref-{reference.pop('key')}" in shown.values("id")
    # These become anchors, colors and links, not words.
    words = list(texts_of(document, without=frozenset({"id", "tone", "use", "status", "sources"})))

    assert len(words) > 250
    assert [word for word in words if word not in shown.text] == []


def test_page_marks_every_answer_that_is_no_answer() -> None:
    document = json.loads(card().json())["attributes"]
    statuses = [row["status"] for kind in document.values() for row in kind if row["status"] != "answered"]
    badges = [value.removeprefix("badge ") for value in page().values("class") if value.startswith("badge ")]

    assert badges == [status.replace(" ", "-") for status in statuses]


def test_texts_are_plain_and_filled() -> None:
    for text in texts_of(json.loads(card().json())):
        assert not re.search(r"[{}*|<>`\\\n]|__", text), text
