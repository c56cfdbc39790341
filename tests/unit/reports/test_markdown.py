"""The card's markdown: what is useful is shown, what is hostile stays text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from cds_service.reports.markdown import is_web_link, render_detail

ALLOWED_TAGS = {
    "a", "blockquote", "br", "code", "div", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ALLOWED_ATTRIBUTES = {"aria-label", "class", "href", "rel", "role", "scope", "start", "tabindex", "title"}


class Collected(HTMLParser):
    """Every tag and attribute a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.targets += [value or "" for name, value in attrs if name in {"href", "src"}]


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("<script>alert(1)</script>", "script element"),
        ("text <img src=x onerror=alert(1)> text", "inline element with a handler"),
        ("[x](javascript:alert(1))", "script link"),
        ("[x](JaVaScRiPt:alert(1))", "script link in mixed case"),
        ("[x](&#106;avascript:alert(1))", "script link with a character reference"),
        ("[x](vbscript:x)", "other script link"),
        ("[x](data:text/html;base64,PHNjcmlwdD4=)", "data link"),
        ("[x](//evil.example/x)", "link that takes the page's own scheme"),
        ("[x](/patients/other)", "relative link into the demo"),
        ("<javascript:alert(1)>", "autolink"),
        ("![x](https://evil.example/pixel.png)", "image that reports the reader"),
        ("[x]: javascript:alert(1)\n\n[x]", "reference link"),
        ("| a |\n|:-:|\n| <iframe src=//evil.example> |", "frame in an aligned table"),
        ("<style>*{display:none}</style>", "style element"),
        ("`</code><script>alert(1)</script>`", "code that closes itself"),
        ('[x](https://a.example/"onmouseover="alert(1))', "quote in a link"),
        ('[x](https://a.example "\\"onmouseover=alert(1) x=\\"")', "quote in a link title"),
    ],
)
def test_render_detail_hostile_markdown_stays_harmless(detail: str, reason: str) -> None:
    seen = Collected(render_detail(detail))
    assert seen.tags <= ALLOWED_TAGS, reason
    assert seen.attributes <= ALLOWED_ATTRIBUTES, reason
    assert all(target.startswith(("http://", "https://")) for target in seen.targets), reason
    assert "img" not in seen.tags, reason


def test_render_detail_table_has_column_headings_for_screen_readers() -> None:
    html = render_detail("| Input | Value |\n|---|--:|\n| Platelets | 214 |")
    assert html.count('<th scope="col">') == 2
    assert "<td>214</td>" in html
    assert "style" not in html


def test_render_detail_headings_start_below_the_card() -> None:
    html = render_detail("# One\n\n## Two\n\n#### Four")
    assert html == "<h4>One</h4>\n<h5>Two</h5>\n<h6>Four</h6>\n"


def test_render_detail_web_link_is_kept_and_isolated() -> None:
    html = render_detail("[paper](https://doi.org/10.21037/jgo-23-104)")
    assert '<a href="https://doi.org/10.21037/jgo-23-104" rel="noopener noreferrer">paper</a>' in html


@pytest.mark.parametrize(
    ("url", "allowed", "reason"),
    [
        ("https://a.example/x", True, "https"),
        ("http://127.0.0.1:8080/model-card", True, "http on loopback"),
        ("https:/a.example", False, "no host"),
        ("ftp://a.example", False, "other scheme"),
        ("", False, "empty"),
        ("http://[::1", False, "broken address"),
    ],
)
def test_is_web_link_takes_absolute_http_only(url: str, allowed: bool, reason: str) -> None:
    assert is_web_link(url) is allowed, reason
