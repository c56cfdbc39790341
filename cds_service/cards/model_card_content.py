"""What the model card says: the reviewed texts of model_card.toml, filled with the figures of one site."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from cds_service.cards.model_card_figures import choose_variants, site_figures
from cds_service.clinical.evidence import PUBLISHED_CUTOFF, RULE_VERSION
from cds_service.clinical.policy import ClinicalPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Status = Literal["answered", "none", "not reported", "not applicable", "site"]

# Settings that have a notice of their own.
_NOTICED: Final = frozenset({"rule.cutoff", "rule.cutoff_source", "eligibility.mode"})


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the card. A key that no field reads is an error: nothing reviewed may go unshown."""


class Rule(_Part):
    """Which rule runs with which cut-off, over which mapping tables, and how far it has come."""

    cutoff: str
    version: str
    mappings: str
    lifecycle: str


class Panel(_Part):
    """A box of the first screen. `tone` says whether it encourages, warns or informs."""

    id: str
    tone: Literal["yes", "no", "fact"]
    heading: str
    points: tuple[str, ...]
    sources: tuple[str, ...]


class Span(_Part):
    """A stretch of time around the latest procedure; `use` is how far its draws are used."""

    use: Literal["first", "second", "no"]
    when: str
    what: str


class Setting(_Part):
    """A clinical setting as it runs here, beside its default."""

    key: str
    name: str
    value: str
    default: str
    changed: bool
    sources: tuple[str, ...]


class Section(_Part):
    """Points under one heading."""

    id: str
    points: tuple[str, ...]
    sources: tuple[str, ...]


class PublishedRow(_Part):
    """One figure of the study's two groups, as printed in its abstract; `p` is empty where it has no test."""

    name: str
    recurrence: str
    control: str
    p: str


class Published(_Part):
    """The study as its abstract reports it."""

    text: str
    sources: tuple[str, ...]
    rows: tuple[PublishedRow, ...]


class DerivedFigure(_Part):
    """A figure that no publication gives, and how it was computed."""

    name: str
    value: str
    how: str


class Study(_Part):
    """Another study of SII, for comparison."""

    setting: str
    finding: str
    timing: str
    sources: tuple[str, ...]


class Attribute(_Part):
    """A source attribute of 45 CFR 170.315(b)(11)(iv), numbered in the regulation's order, with its answer."""

    number: int
    group: str
    name: str
    status: Status
    answer: str
    sources: tuple[str, ...]


class Attributes(_Part):
    """The source attributes of both kinds of intervention."""

    predictive: tuple[Attribute, ...]
    evidence: tuple[Attribute, ...]


class Reference(_Part):
    """What a statement rests on. `url` is empty for what is no publication."""

    key: str
    label: str
    text: str
    url: str = ""


class ModelCardContent(_Part):
    """The whole card. Everything is text that is ready to be shown; `notices` are empty at the defaults."""

    title: str
    lead: str
    rule: Rule
    notices: tuple[str, ...]
    headings: dict[str, str]
    panels: tuple[Panel, ...]
    timeline: tuple[Span, ...]
    settings: tuple[Setting, ...]
    sections: tuple[Section, ...]
    published: Published
    derived: tuple[DerivedFigure, ...]
    studies: tuple[Study, ...]
    attributes: Attributes
    references: tuple[Reference, ...]

    def section(self, section_id: str) -> Section:
        """Return the section with this id. Raises LookupError when the texts hold none."""
        return next(section for section in self.sections if section.id == section_id)

    def label(self, source: str) -> str:
        """Return what stands beside a statement for this source. Raises LookupError when it is not listed."""
        return next(reference.label for reference in self.references if reference.key == source)


def build_content(policy: ClinicalPolicy, mapping_version: str) -> ModelCardContent:
    """Return the card for a site's clinical policy and the version of its mapping tables."""
    texts = tomllib.loads((files("cds_service.cards") / "model_card.toml").read_text(encoding="utf-8"))
    fixed, variants = texts.pop("figures"), texts.pop("variants")
    default = ClinicalPolicy(timezone=policy.timezone)
    here, standard = (
        {**fixed, "lifecycle": texts["lifecycle"], **choose_variants(which, variants), **site_figures(which)}
        for which in (policy, default)
    )
    filled: dict[str, Any] = _fill(texts, here)
    settings = _compare(filled["settings"], _fill(texts["settings"], standard))
    changed = {setting["key"] for setting in settings if setting["changed"]}
    lifecycle, notices = filled.pop("lifecycle"), filled.pop("notices")
    card = {
        **filled,
        "rule": {
            "cutoff": f"{here['cutoff']} ×10⁹/L",
            "version": RULE_VERSION,
            "mappings": mapping_version,
            "lifecycle": lifecycle,
        },
        "settings": settings,
        "notices": [notices[key] for key in _notices(policy, changed)],
    }
    return msgspec.convert(card, ModelCardContent)


def _fill(value: Any, figures: Mapping[str, str]) -> Any:  # noqa: ANN401
    """Put figures into every text below a value; line breaks of the file become spaces."""
    if isinstance(value, str):
        return " ".join(value.split()).format_map(figures)
    if isinstance(value, list):
        return [_fill(item, figures) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, figures) for key, item in value.items()}
    return value


def _compare(settings: list[dict[str, Any]], defaults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**setting, "default": default["value"], "changed": setting["value"] != default["value"]}
        for setting, default in zip(settings, defaults, strict=True)
    ]


def _notices(policy: ClinicalPolicy, changed: set[str]) -> Iterator[str]:
    """Name the notices that this site needs, most important first."""
    if policy.cutoff != PUBLISHED_CUTOFF:
        yield "cutoff"
    elif "rule.cutoff_source" in changed:
        yield "cutoff_source"
    if not policy.eligibility_required:
        yield "eligibility"
    if changed - _NOTICED:
        yield "settings"
