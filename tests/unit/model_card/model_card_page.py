"""A model card as a test reads it: its page, taken apart, and the texts of its JSON."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cds_service.clinical.policy import ClinicalPolicy
from cds_service.model_card.site_card import SiteModelCard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.web.ports import ModelCard

MAPPINGS = "0123456789ab"
DEFAULT = ClinicalPolicy(timezone=ZoneInfo("Asia/Shanghai"))
VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})


class Page(HTMLParser):
    """What a test asks of a page; an element that is closed in the wrong order is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.headings: list[int] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.texts.append(data)


def card(policy: ClinicalPolicy = DEFAULT) -> ModelCard:
    return SiteModelCard(policy, MAPPINGS)


def page(policy: ClinicalPolicy = DEFAULT) -> Page:
    return Page(card(policy).html())


def texts_of(value: Any, without: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every text of a JSON value, but those under the given keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for key, item in value.items() if key not in without for text in texts_of(item, without))
    elif isinstance(value, list):
        yield from (text for item in value for text in texts_of(item, without))
