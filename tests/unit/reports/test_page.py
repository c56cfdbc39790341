"""The page stands alone: nothing runs, nothing is fetched, every text is text, every chart has its table."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cds_service.reports.as_html import as_html
from cds_service.reports.content import Column, Document, Notice, Section, Table
from tests.unit.reports.samples import HOSTILE, charts, page

VOID = frozenset({"meta", "link"})


class Outline(HTMLParser):
    """Tags with their attributes, and whether each closing tag closes what is open."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def document() -> str:
    return as_html(page())


def test_page_policy_allows_its_own_style_only(document: str) -> None:
    style = document.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(tag["content"] for _, tag in Outline(document).tags if tag.get("http-equiv"))

    assert (
        policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_page_has_no_script_no_style_attribute_no_address(document: str) -> None:
    outline = Outline(document)

    assert not {"script", "iframe", "object", "img"} & {tag for tag, _ in outline.tags}
    assert not [
        tag for tag, attributes in outline.tags if "style" in attributes or any(a.startswith("on") for a in attributes)
    ]
    addresses = [value for _, tag in outline.tags for key, value in tag.items() if key in ("href", "src")]
    assert [address for address in addresses if not address.startswith("#")] == ["data:,"]
    assert outline.open == []


def test_page_hostile_text_stays_text(document: str) -> None:
    assert HOSTILE not in document
    # Header, bullet, listing, table cell, remark, the labels of two charts in their tables (pictures break them into
    # lines), and a curve in its legend and in five rows.
    assert len(re.findall(r"&lt;script&gt;alert\((?:'|&#39;)\$x\$ &amp; y(?:'|&#39;)\)&lt;/script&gt;", document)) == 13


def test_page_ids_are_unique_and_references_meet_them(document: str) -> None:
    outline = Outline(document)
    ids = [tag["id"] for _, tag in outline.tags if "id" in tag]
    named = [name for _, tag in outline.tags for name in tag.get("aria-labelledby", "").split()]
    named += [tag["href"][1:] for _, tag in outline.tags if tag.get("href", "").startswith("#")]
    named += re.findall(r"url\(#([^)]+)\)", document)

    assert len(ids) == len(set(ids))
    assert set(named) <= set(ids)


def test_page_each_chart_is_a_named_picture_with_a_table(document: str) -> None:
    pictures = [tag for name, tag in Outline(document).tags if name == "svg"]

    assert [tag["role"] for tag in pictures] == ["img"] * len(charts())
    for chart in charts():
        assert f'<title id="{chart.id}-title">{chart.title}</title>' in document
        assert f'<desc id="{chart.id}-description">{chart.description}</desc>' in document
        assert f'<caption id="{chart.id}-table">' in document


def test_page_same_content_same_bytes(document: str) -> None:
    assert as_html(page()) == document


def test_page_id_twice_is_refused() -> None:
    sections = (Section(id="a", title="A"), Section(id="a", title="B"))

    with pytest.raises(ValueError, match="twice in the document: a"):
        as_html(replace(page(), sections=sections))


def test_page_without_rows_says_so() -> None:
    table = Table(caption="Clients", columns=(Column("Client"), Column("Hooks")), rows=(), empty="No client asked.")

    document = as_html(
        Document(kind="K", title="T", sections=(Section(id="s", title="S", blocks=(table, Notice("Mind."))),))
    )

    assert '<td colspan="2">No client asked.</td>' in document
    assert "Mind." in document
