"""The model card as the web layer serves it: one HTML document, and the same content as JSON."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds_service.model_card.content import build_content, labels_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.model_card.parts import Attribute, ModelCardContent

_TEMPLATE: Final = "model_card.html"

# A number and its unit, and "n = 272", stay on one line.
_BREAKABLE: Final = re.compile(r"(?<=\d) (?=×10|%|years|days|minutes)|(?<=\bn) (?==)|(?<=\bn =) (?=\d)")
_NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"


class SiteModelCard:
    """The model card of one site. It shows the policy it is given, so the page never differs from what runs.

    `offered` are its languages, that of the site first; English is among them always.
    """

    def __init__(
        self,
        policy: ClinicalPolicy,
        mapping_version: str,
        languages: Collection[str] = ("en",),
        language: str = "en",
    ) -> None:
        """Fix the content. Its forms are made when the first reader asks: no hook needs them, and no start."""
        self.offered = tuple(dict.fromkeys((language, *sorted(languages), "en")))
        self._made_of = (policy, mapping_version, languages)
        self._pages: dict[str, str] = {}

    def html(self, language: str = "en") -> str:
        """Return a whole HTML document in a language that is offered. It runs nothing and loads nothing."""
        if language not in self._pages:
            others = [(tag, labels_in(tag).this_language) for tag in self.offered if tag != language]
            self._pages[language] = _render(self._content(language), language, others)
        return self._pages[language]

    def json(self, language: str = "en") -> bytes:
        """Return the same content as JSON, in UTF-8."""
        return msgspec.json.encode(self._content(language))

    def _content(self, language: str) -> ModelCardContent:
        return build_content(*self._made_of, language)


def attribute_groups(attributes: Iterable[Attribute]) -> list[tuple[str, list[Attribute]]]:
    """Gather source attributes under the headings of the regulation, in their order."""
    return [(group, list(members)) for group, members in groupby(attributes, key=lambda attribute: attribute.group)]


def _render(content: ModelCardContent, language: str, others: Sequence[tuple[str, str]]) -> str:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("cds_service.model_card"), PackageLoader("cds_service.reports")]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_keep_together,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE).render(
        card=content,
        labels=labels_in(language),
        language=language,
        others=others,
        attribute_groups=attribute_groups,
    )


def _keep_together(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return _BREAKABLE.sub(_NO_BREAK_SPACE, value)
    return value
