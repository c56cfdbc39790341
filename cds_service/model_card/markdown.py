"""The model card at the default settings as Markdown, for docs/model-card.md.

Write it anew after every change of en.toml:
`python -m cds_service.model_card.markdown > docs/model-card.md`
"""

from __future__ import annotations

import sys
from datetime import UTC
from typing import TYPE_CHECKING, Final

from cds_service.cards.markdown import table
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.model_card.content import build_content
from cds_service.model_card.site_card import attribute_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cds_service.model_card.parts import Attribute, ModelCardContent

# The tables change apart from this text, and a site adds its own codes: only a running service can tell.
_MAPPINGS: Final = "as a running service shows them"
_TIMEZONE_KEY: Final = "service.timezone"
_NOTE: Final = (
    "This page is made from `cds_service/model_card/en.toml` and holds the default settings. A running service "
    "shows its own under `/model-card`. What the rule does in every case: [clinical.md](clinical.md)."
)
_PREDICTIVE: Final = "45 CFR 170.315(b)(11)(iv)(B), in the regulation's order."
_EVIDENCE: Final = "45 CFR 170.315(b)(11)(iv)(A), in the regulation's order."


def model_card_markdown() -> str:
    """Return the whole document; it ends with a newline."""
    content = build_content(ClinicalPolicy(timezone=UTC), _MAPPINGS)
    return "\n\n".join(_blocks(content)) + "\n"


def _blocks(card: ModelCardContent) -> Iterator[str]:
    headings = card.headings
    yield f"# {card.title}"
    yield card.lead
    yield _NOTE
    yield f"Cut-off {card.rule.cutoff}; rule {card.rule.version}; mappings {card.rule.mappings}. {card.rule.lifecycle}"
    yield f"## {headings['panels']}"
    for panel in card.panels:
        yield f"### {panel.heading}"
        yield _points(card, panel.points, panel.sources)
    yield f"## {headings['timeline']}"
    yield _list(f"**{span.when}**: {span.what}" for span in card.timeline)
    yield f"## {headings['settings']}"
    yield _settings(card)
    yield f"## {headings['rule']}"
    yield _section(card, "rule")
    yield from _evidence(card)
    for key in ("confounders", "followup", "status", "open"):
        yield f"## {headings[key]}"
        yield _section(card, key)
    yield f"## {headings['predictive']}"
    yield _PREDICTIVE
    yield from _attributes(card, card.attributes.predictive)
    yield f"## {headings['evidence']}"
    yield _EVIDENCE
    yield from _attributes(card, card.attributes.evidence)
    yield f"## {headings['references']}"
    yield _list(f"**{r.label}**: {r.text}" + (f" <{r.url}>" if r.url else "") for r in card.references)


def _evidence(card: ModelCardContent) -> Iterator[str]:
    """Write what is published, what is derived from it, and what other studies found."""
    yield f"## {card.headings['published']}"
    yield f"{card.published.text} {_basis(card, card.published.sources)}"
    columns = ("Characteristic", "Recurrence or metastasis", "Control group", "P")
    yield table(columns, [(row.name, row.recurrence, row.control, row.p) for row in card.published.rows])
    yield f"## {card.headings['derived']}"
    columns_derived = ("Figure", "Value, derived, not published", "How it was derived")
    yield table(columns_derived, [(figure.name, figure.value, figure.how) for figure in card.derived])
    yield f"## {card.headings['studies']}"
    rows = [(study.setting, study.finding, study.timing, _labels(card, study.sources)) for study in card.studies]
    yield table(("Setting", "Finding", "Blood drawn", "Basis"), rows)


def _settings(card: ModelCardContent) -> str:
    """Write the defaults, but the time zone: every site names its own."""
    rows = [
        (setting.name, setting.default, f"`{setting.key}`", _labels(card, setting.sources))
        for setting in card.settings
        if setting.key != _TIMEZONE_KEY
    ]
    return table(("Setting", "Default", "Configuration key", "Basis"), rows)


def _attributes(card: ModelCardContent, attributes: Iterable[Attribute]) -> Iterator[str]:
    for group, members in attribute_groups(attributes):
        yield f"### {group}"
        rows = [
            (
                str(attribute.number),
                attribute.name,
                "" if attribute.status == "answered" else attribute.status,
                attribute.answer,
                _labels(card, attribute.sources),
            )
            for attribute in members
        ]
        yield table(("No.", "Attribute", "Status", "Answer", "Basis"), rows)


def _section(card: ModelCardContent, section_id: str) -> str:
    section = card.section(section_id)
    return _points(card, section.points, section.sources)


def _points(card: ModelCardContent, points: Iterable[str], sources: Sequence[str]) -> str:
    return f"{_list(points)}\n\n{_basis(card, sources)}"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _basis(card: ModelCardContent, sources: Sequence[str]) -> str:
    return f"Basis: {_labels(card, sources)}."


def _labels(card: ModelCardContent, sources: Sequence[str]) -> str:
    return ", ".join(card.label(source) for source in sources)


if __name__ == "__main__":
    sys.stdout.buffer.write(model_card_markdown().encode())
