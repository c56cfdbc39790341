"""What the model card says: the texts of its language (en.toml and others), filled with the figures of one site."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.cards.wording import UNREVIEWED
from cds_service.clinical.evidence import PUBLISHED_CUTOFF, RULE_VERSION
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.model_card.figures import choose_variants, site_figures
from cds_service.model_card.parts import Labels, ModelCardContent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

# Settings that have a notice of their own.
_NOTICED: Final = frozenset({"rule.cutoff", "rule.cutoff_source", "eligibility.mode"})
# Two first readers at a time must not make msgspec learn the types (decision 0083).
_LEARNT: Final = msgspec.json.Decoder(tuple[ModelCardContent, Labels])


def build_content(
    policy: ClinicalPolicy, mapping_version: str, languages: Collection[str] = ("en",), language: str = "en"
) -> ModelCardContent:
    """Return the model card for a site's clinical policy, its mapping tables, and the languages of its cards.

    `language` is that of the model card itself: one that no clinician has reviewed is said to be so.
    """
    texts = _read(language)
    texts.pop("labels")
    fixed, variants = texts.pop("figures"), _fill(texts.pop("variants"), {})
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
        "notices": [notices[key] for key in _notices(policy, changed, {*languages, language})],
    }
    return msgspec.convert(card, ModelCardContent)


def labels_in(language: str) -> Labels:
    """Return the words of the page in a language of LANGUAGES."""
    return msgspec.convert(_read(language)["labels"], Labels)


def _read(language: str) -> dict[str, Any]:
    return tomllib.loads((files("cds_service.model_card") / f"{language}.toml").read_text(encoding="utf-8"))


def _fill(value: Any, figures: Mapping[str, str]) -> Any:
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


def _notices(policy: ClinicalPolicy, changed: set[str], languages: Collection[str]) -> Iterator[str]:
    """Name the notices that this site needs, most important first."""
    if policy.cutoff != PUBLISHED_CUTOFF:
        yield "cutoff"
    elif "rule.cutoff_source" in changed:
        yield "cutoff_source"
    if not policy.eligibility_required:
        yield "eligibility"
    if UNREVIEWED.intersection(languages):
        yield "language"
    if changed - _NOTICED:
        yield "settings"
