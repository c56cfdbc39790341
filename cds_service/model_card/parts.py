"""The parts of the model card: frozen values, each text ready to be shown."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["answered", "none", "not reported", "not applicable", "site"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the card. A key that no field reads is an error: nothing reviewed may go unshown."""


class Rule(_Part, frozen=True):
    """Which rule runs with which cut-off, over which mapping tables, and how far it has come."""

    cutoff: str
    version: str
    mappings: str
    lifecycle: str


class Panel(_Part, frozen=True):
    """A box of the first screen. `tone` says whether it encourages, warns or informs."""

    id: str
    tone: Literal["yes", "no", "fact"]
    heading: str
    points: tuple[str, ...]
    sources: tuple[str, ...]


class Span(_Part, frozen=True):
    """A stretch of time around the latest procedure; `use` is how far its draws are used."""

    use: Literal["first", "second", "no"]
    when: str
    what: str


class Setting(_Part, frozen=True):
    """A clinical setting as it runs here, beside its default."""

    key: str
    name: str
    value: str
    default: str
    changed: bool
    sources: tuple[str, ...]


class CardSection(_Part, frozen=True):
    """Points under one heading."""

    id: str
    points: tuple[str, ...]
    sources: tuple[str, ...]


class PublishedRow(_Part, frozen=True):
    """One figure of the study's two groups, as printed in its abstract; `p` is empty where it has no test."""

    name: str
    recurrence: str
    control: str
    p: str


class Published(_Part, frozen=True):
    """The study as its abstract reports it."""

    text: str
    sources: tuple[str, ...]
    rows: tuple[PublishedRow, ...]


class DerivedFigure(_Part, frozen=True):
    """A figure that no publication gives, and how it was computed."""

    name: str
    value: str
    how: str


class Study(_Part, frozen=True):
    """Another study of SII, for comparison."""

    setting: str
    finding: str
    timing: str
    sources: tuple[str, ...]


class Attribute(_Part, frozen=True):
    """A source attribute of 45 CFR 170.315(b)(11)(iv), numbered in the regulation's order, with its answer."""

    number: int
    group: str
    name: str
    status: Status
    answer: str
    sources: tuple[str, ...]


class Attributes(_Part, frozen=True):
    """The source attributes of both kinds of intervention."""

    predictive: tuple[Attribute, ...]
    evidence: tuple[Attribute, ...]


class Reference(_Part, frozen=True):
    """What a statement rests on. `url` is empty where nothing was published."""

    key: str
    label: str
    text: str
    url: str = ""


class Labels(_Part, frozen=True):
    """The words of the page around the content. `this_language` names the language to those who read it."""

    model_card: str
    skip: str
    languages: str
    this_language: str
    cutoff: str
    rule: str
    mappings: str
    differs: str
    contents: str
    basis: str
    source: str
    days_hint: str
    setting_columns: tuple[str, ...]
    changed: str
    published_columns: tuple[str, ...]
    derived_columns: tuple[str, ...]
    study_columns: tuple[str, ...]
    attribute_columns: tuple[str, ...]
    predictive_hint: str
    evidence_hint: str
    footer: str
    between: str
    statuses: dict[Status, str]


class ModelCardContent(_Part, frozen=True):
    """The whole card. Everything is text that is ready to be shown; `notices` are empty at the defaults."""

    title: str
    lead: str
    rule: Rule
    notices: tuple[str, ...]
    headings: dict[str, str]
    panels: tuple[Panel, ...]
    timeline: tuple[Span, ...]
    settings: tuple[Setting, ...]
    sections: tuple[CardSection, ...]
    published: Published
    derived: tuple[DerivedFigure, ...]
    studies: tuple[Study, ...]
    attributes: Attributes
    references: tuple[Reference, ...]

    def section(self, section_id: str) -> CardSection:
        """Return the section with this id. Raises LookupError when the texts hold none."""
        return next(section for section in self.sections if section.id == section_id)

    def label(self, source: str) -> str:
        """Return what stands beside a statement for this source. Raises LookupError when it is not listed."""
        return next(reference.label for reference in self.references if reference.key == source)
