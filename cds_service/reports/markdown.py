"""Turn the markdown of a card into HTML that can do no harm, whatever the card says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

# The card's own heading is the third level of the page; its markdown starts below it.
_HEADING_OFFSET = 3
_DEEPEST_HEADING = 6


def is_web_link(url: str) -> bool:
    """Return whether a URL is absolute and http or https."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def render_detail(detail: str, table_name: str = "Table of the card") -> Markup:
    """Return the HTML of GitHub-flavored markdown: no raw HTML, no images, links to the web only.

    `table_name` is what a screen reader says of a table, in the language of the page.
    """
    # render() escapes every text of the card, because the "html" option is off.
    return Markup(_MARKDOWN.render(detail, {"table_name": table_name}))  # noqa: S704  escaped by the renderer, as tests prove


class _WebLinksOnly(MarkdownIt):
    """The parser's own check of link targets, narrowed to web addresses."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  the name of the parser's hook
        return is_web_link(url)


def _build() -> MarkdownIt:
    parser = _WebLinksOnly("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.core.ruler.push("page_structure", lambda state: _fit_into_page(state.tokens))
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    return parser


def _fit_into_page(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _HEADING_OFFSET, _DEEPEST_HEADING)}"
        elif token.type == "th_open":
            token.attrSet("scope", "col")
            token.attrs.pop("style", None)
        elif token.type == "td_open":
            # An alignment comes as a style attribute, which the content security policy refuses.
            token.attrs.pop("style", None)
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer")


def _open_table(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    table = renderer.renderToken(tokens, index, options, env)
    return f'<div class="scroll" role="region" aria-label="{escape(env["table_name"])}" tabindex="0">{table}'


def _close_table(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    return f"{renderer.renderToken(tokens, index, options, env)}</div>\n"


_MARKDOWN = _build()
