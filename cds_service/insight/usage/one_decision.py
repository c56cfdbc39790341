"""One decision whole: its record, what followed, the limits behind it, its card made anew, the state of the chain.

The log keeps no card text. What a card said is made anew from what the record keeps of the chart, under the limits of
its time and with the texts of today; it is made only where the decision comes out as it was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.audit.chart_restoring import LaboratoryNotKeptError
from cds_service.audit.decoding import UNREADABLE
from cds_service.audit.presentation import as_json
from cds_service.audit.reading import read_entries
from cds_service.audit.records import ConfigurationRecord, DecisionRecord, FeedbackRecord, HookRecord, ViewRecord
from cds_service.audit.search import Found, Query, search
from cds_service.cards.builder import CardBuilder
from cds_service.insight.sources.replay import AGE_NOT_KEPT, ELIGIBLE_NOW, Limits, differs, redecide, why_not

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cds_service.audit.verification import Verification
    from cds_service.decision.site import Site
    from cds_service.hooks.response import Card

_DIFFERS: Final = "this version decides otherwise"
_NO_CARD: Final = "no card was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDecision:
    """A decision with all that belongs to it.

    `index` names what its service computes, as on its cards. `followed` are the feedback on its card and the pages
    opened from it. `limits` is the policy as recorded, empty where the log does not hold it; `card` the card made anew,
    else why it is not.
    """

    sequence: int
    record: HookRecord | ViewRecord
    index: str
    followed: tuple[Found, ...]
    limits: Mapping[str, Any]
    card: Card | str
    chain: Verification


def find_decisions(directory: Path, wanted: str) -> list[Found]:
    """Return the decisions that a request id, hook instance, card or record number names; raises OSError.

    A card names the hook call that made it, or else the pages opened from it; the request id of feedback its card.
    """
    found = [one for one in search(directory, Query(request=wanted)) if isinstance(one, Found)]
    cards = [one.record.card for one in found if isinstance(one.record, FeedbackRecord)]
    decisions = _decisions(found) or _decisions_of_card(directory, cards[0] if cards else wanted)
    if not decisions and wanted.isdecimal():
        every = (one for one in search(directory, Query()) if isinstance(one, Found))
        decisions = _decisions([one for one in every if str(one.sequence) == wanted])
    return decisions


def _decisions_of_card(directory: Path, card: str) -> list[Found]:
    found = _decisions([one for one in search(directory, Query(card=card)) if isinstance(one, Found)])
    return [one for one in found if _is_hook(one)] or found


def _decisions(found: list[Found]) -> list[Found]:
    return [one for one in found if isinstance(one.record, DecisionRecord)]


def _is_hook(found: Found) -> bool:
    return isinstance(found.record, HookRecord)


def gather(
    directory: Path, found: Found, sites: Mapping[str, Site], chain: Verification, language: str | None
) -> OneDecision:
    """Gather what belongs to a decision. `language` is the one of its client, None that of the site. Raises OSError."""
    record = found.record
    if isinstance(record, FeedbackRecord):
        raise TypeError("feedback decides nothing")
    followed: tuple[Found, ...] = ()
    if record.card is not None and _is_hook(found):
        of_card = (one for one in search(directory, Query(card=record.card)) if isinstance(one, Found))
        followed = tuple(one for one in of_card if one.sequence != found.sequence)
    limits, policy = _limits_of(directory, found.sequence, record, sites)
    return OneDecision(
        sequence=found.sequence,
        record=record,
        index=_index_name(record.service, sites),
        followed=followed,
        limits=policy,
        card=_card_anew(record, limits, language),
        chain=chain,
    )


def _index_name(service: str, sites: Mapping[str, Site]) -> str:
    site = sites.get(service)
    return (site.service.voice.topic.display if site is not None else None) or "Index"


def _limits_of(
    directory: Path, sequence: int, record: DecisionRecord, sites: Mapping[str, Site]
) -> tuple[Site | str, dict[str, Any]]:
    """Return the site as it was when a record was written, or why nobody can tell, and its policy as recorded."""
    under = Limits(sites)
    policy: dict[str, Any] = {}
    for entry in read_entries(directory):
        if entry.sequence >= sequence:
            break
        known = entry.record
        if isinstance(known, ConfigurationRecord):
            try:
                under.learn(known)
                if (known.service, known.configuration) == (record.service, record.configuration):
                    policy = msgspec.json.decode(bytes(known.policy))
            except (*UNREADABLE, KeyError, OSError):
                continue
    return under.of(record), policy


def _card_anew(record: DecisionRecord, limits: Site | str, language: str | None) -> Card | str:
    """Return the card as it reads today; else why it is not made."""
    if record.card is None or not isinstance(record, HookRecord):
        return _NO_CARD
    why = why_not(record) or (limits if isinstance(limits, str) else "")
    if why or isinstance(limits, str):
        return why
    try:
        decision = redecide(record, limits)
    except UNREADABLE:
        return "what is kept of the chart cannot be read"
    except LaboratoryNotKeptError:
        return f"{_DIFFERS}: {ELIGIBLE_NOW}"
    if decision is None:
        return AGE_NOT_KEPT
    if differs(record, decision):
        return _DIFFERS
    builder = CardBuilder(limits.service.voice, limits.cards, limits.policy, limits.mappings.version)
    card = record.card
    cards = builder.in_language(language).build(decision.assessment, lambda: card, decision.gaps)
    return cards[0] if cards else "the configuration shows no such card today"


def as_data(one: OneDecision) -> dict[str, Any]:
    """Return all of it for JSON; records as `audit search --json` prints them, times in UTC."""
    told = one.card
    return {
        "decision": msgspec.json.decode(as_json(Found(one.sequence, one.record, None))),
        "followed": [msgspec.json.decode(as_json(found)) for found in one.followed],
        "limits": dict(one.limits),
        "card": {"summary": None, "detail": None, "why_not": told}
        if isinstance(told, str)
        else {"summary": told.summary, "detail": told.detail, "why_not": None},
        "chain": {
            "whole": one.chain.broken is None,
            "algorithm": one.chain.algorithm,
            "records": sum(one.chain.counts.values()),
            "broken": None if one.chain.broken is None else one.chain.broken._asdict(),
        },
    }
