"""Cards, their source, links and codings (requirements 91-113, 128-131, 133, 139-141)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.conformance.answers import HOOKS
from tests.conformance.conftest import Service, Site
from tests.support.charts import (
    ALBUMIN,
    NEUTROPHILS,
    PLATELETS,
    Json,
    bundle,
    draw,
    hook_request,
    observation,
)

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SHOWN = ["above", "not above", "indeterminate", "earlier draw and albumin in other unit"]


@pytest.fixture(params=SHOWN)
def card(site: Site, request: pytest.FixtureRequest) -> Json:
    """Every kind of card a site can show."""
    (shown,) = site(cards={"show_not_above_cutoff": True}).cards(HOOKS[request.param][0])
    return shown


def absolute(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def test_requirement_091_154_card_has_a_uuid_of_its_own(service: Service) -> None:
    uuids = [card["uuid"] for _ in range(5) for card in service.cards(hook_request())]

    assert len(set(uuids)) == 5
    assert all(UUID4.fullmatch(text) for text in uuids)


def test_requirement_093_summary_is_one_short_line(card: Json) -> None:
    summary = card["summary"]

    assert summary.strip() == summary != ""
    assert len(summary) <= 139
    assert len(summary.encode("utf-16-le")) // 2 <= 139
    assert summary.isprintable()
    assert not re.search(r"[*_`#|\[\]<>]", summary)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (draw(1999, "99.999999999", "0.050000001"), "the largest index there can be, with many digits"),
        (draw(210, "6.123456789012345678", "1.812345678901234567"), "many decimals"),
    ],
)
def test_requirement_093_summary_stays_short_with_long_values(
    service: Service, counts: list[Json], reason: str
) -> None:
    (card,) = service.cards(hook_request(*counts))

    assert len(card["summary"]) <= 139, reason


def parsed(detail: str) -> Iterator[Token]:
    """Yield all tokens of a detail, read as GitHub-flavored markdown with HTML switched on."""
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(detail):
        yield token
        yield from token.children or ()


def test_requirement_094_detail_is_markdown_without_html(card: Json) -> None:
    kinds = {token.type for token in parsed(card["detail"])}

    assert not kinds & {"html_block", "html_inline"}


HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "a | b | c",
    "**bold** _it_ `code`",
    "# heading\n\n---\n\n- list",
    "line\nbreak\r\n| x |",
    "&lt;script&gt; &amp;",
    "~~struck~~",
    "www.evil.example",
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
@pytest.mark.parametrize("place", ["unit", "display", "code text", "id"])
def test_requirement_094_text_of_the_record_is_shown_as_text(service: Service, place: str, text: str) -> None:
    platelets, neutrophils, lymphocytes = draw()
    for resource in (platelets, neutrophils, lymphocytes):
        mark(resource, place, text)
    albumin = mark(observation(ALBUMIN, 38, "g/L"), place, text)

    (card,) = service.cards(hook_request(platelets, neutrophils, lymphocytes, albumin=bundle(albumin)))

    plain = list(service_tokens(card))
    expected = list(service_tokens(service.cards(hook_request())[0]))
    assert plain == expected, "the text of the record changed the structure of the card"


def mark(resource: Json, place: str, text: str) -> Json:
    """Put a text where a record may hold one. A unit with a UCUM code of the table may be worded at will."""
    if place == "unit":
        resource["valueQuantity"]["unit"] = text
    elif place == "display":
        resource["code"]["coding"][0]["display"] = text
    elif place == "code text":
        resource["code"]["text"] = text
    else:
        resource["id"] = text
    return resource


def service_tokens(card: Json) -> Iterator[str]:
    """Yield the structure of a detail: the types of its tokens."""
    return (token.type for token in parsed(card["detail"]))


def test_requirement_096_indicator_is_one_of_the_three(service: Service, card: Json) -> None:
    assert card["indicator"] in {"info", "warning"}
    assert service.cards(HOOKS["above"][0])[0]["indicator"] == "warning"
    assert service.cards(HOOKS["indeterminate"][0])[0]["indicator"] == "info"


def test_requirement_097_108_source_has_a_label(card: Json) -> None:
    assert card["source"]["label"].strip()


def test_requirement_098_source_is_the_study(card: Json) -> None:
    assert card["source"]["url"] == "https://doi.org/10.21037/jgo-23-104"


def test_requirement_099_no_suggestion_by_default(card: Json) -> None:
    assert "suggestions" not in card


def test_requirement_100_101_no_selection_behavior_without_suggestions(card: Json) -> None:
    assert "selectionBehavior" not in card


def test_requirement_103_104_141_override_reasons_are_complete(card: Json) -> None:
    reasons = card["overrideReasons"]

    assert reasons
    for reason in reasons:
        assert all(reason[member].strip() for member in ("code", "system", "display"))
    codes = [(reason["system"], reason["code"]) for reason in reasons]
    assert len(codes) == len(set(codes))


def test_requirement_103_override_reasons_are_a_fixed_list(site: Site) -> None:
    service = site(cards={"show_not_above_cutoff": True})
    lists = [service.cards(HOOKS[name][0])[0]["overrideReasons"] for name in SHOWN]

    assert all(reasons == lists[0] for reasons in lists)


def test_requirement_106_override_reasons_do_not_borrow_the_suggested_system(card: Json) -> None:
    # Its codes are HL7's to give; ours stand in a system of our own.
    systems = {reason["system"] for reason in card["overrideReasons"]}

    assert "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes" not in systems


def test_requirement_107_128_129_links_have_label_and_absolute_url(card: Json) -> None:
    assert card["links"]
    for link in card["links"]:
        assert link["label"].strip()
        assert absolute(link["url"])
        assert "p1" not in urlsplit(link["url"]).query


def test_requirement_109_source_url_is_absolute(card: Json) -> None:
    assert absolute(card["source"]["url"])


def test_requirement_110_source_is_the_same_for_every_patient(service: Service) -> None:
    sources = [service.cards(HOOKS[name][0])[0]["source"] for name in ("above", "indeterminate")]

    assert sources[0] == sources[1]
    assert "p1" not in str(sources)


def test_requirement_111_112_no_icon(card: Json) -> None:
    assert "icon" not in card["source"]


def test_requirement_113_139_140_topic_is_a_static_coding(service: Service, card: Json) -> None:
    topic = card["source"]["topic"]

    assert re.fullmatch(r"[A-Za-z0-9-]{1,100}", topic["code"]), "Epic stores it with the override"
    assert absolute(topic["system"]) or topic["system"].startswith("urn:")
    assert topic == service.cards(HOOKS["above"][0])[0]["source"]["topic"]


def test_requirement_130_131_133_links_are_absolute_and_not_launched(card: Json) -> None:
    for link in card["links"]:
        assert link["type"] == "absolute"
        assert not {"appContext", "autolaunchable"} & link.keys()


def test_requirement_139_140_codings_have_code_and_system(card: Json) -> None:
    codings: list[dict[str, Any]] = [card["source"]["topic"], *card["overrideReasons"]]

    assert all(coding["code"] and absolute(coding["system"]) for coding in codings)


def test_requirement_094_tokens_of_hostile_text_would_differ() -> None:
    """The judge itself: text that is not escaped changes the structure."""
    plain = {"detail": "| a |\n| --- |\n| x |"}
    for text in ("<b>", "**bold**", "[x](https://evil.example)"):
        assert list(service_tokens(plain)) != list(service_tokens({"detail": f"| a |\n| --- |\n| {text} |"}))


def test_requirement_094_code_of_the_record_is_shown_as_text(service: Service) -> None:
    neutrophils = observation(NEUTROPHILS, 6.1)
    neutrophils["code"]["coding"].insert(0, {"system": "urn:local", "code": "<b>|x|</b>", "display": "**x**"})
    _, _, lymphocytes = draw()
    platelets = observation(PLATELETS, 210)
    platelets["code"]["text"] = "<i>"

    (card,) = service.cards(hook_request(platelets, neutrophils, lymphocytes))

    assert not {token.type for token in parsed(card["detail"])} & {"html_block", "html_inline"}
