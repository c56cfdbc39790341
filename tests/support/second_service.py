"""A second CDS Service on the same draw, for tests alone: neutrophils / lymphocytes (NLR) above 5.

What it took: this file, its wording among it, and a line among the services of `app.py`, which `offered` stands for.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import msgspec

from cds_service.app import SERVICES
from cds_service.cards.voice import Voice
from cds_service.cards.wording import texts_in
from cds_service.cards.wording.texts import Texts
from cds_service.clinical.rule import Rule
from cds_service.decision.definition import ServiceDefinition
from cds_service.hooks.response import Coding

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


CUTOFF: Final = Decimal(5)


def compute_nlr(_platelets: Decimal, neutrophils: Decimal, lymphocytes: Decimal) -> Fraction:
    """Return NLR, exact. Lymphocytes are above zero."""
    return Fraction(neutrophils) / Fraction(lymphocytes)


def nlr_texts(language: str) -> Texts:
    """Return the words about NLR: those about SII with another name, formula and no unit."""
    words = msgspec.structs.replace(
        texts_in(language),
        discovery_title="NLR",
        discovery_description="Shows a card when NLR is above {cutoff}.",
        formula="NLR = {neutrophils} / {lymphocytes} = {sii}",
    )
    return msgspec.convert(_renamed(msgspec.to_builtins(words)), Texts)


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(member) for member in value]
    if isinstance(value, str):
        return value.replace("SII", "NLR").replace("systemic immune-inflammation index", "neutrophil ratio")
    return value


NLR_RISK: Final = ServiceDefinition(
    id="nlr-risk",
    voice=Voice(
        rule=Rule(
            version="0.3.0",
            index=compute_nlr,
            published_cutoff=CUTOFF,
            imprecision=Decimal("0.5"),
            spans=(1, 2, 3, 5, 8, 13, 21),
        ),
        topic=Coding(code="nlrRisk", system="https://example.org/topics", display="NLR"),
        source_url="https://example.org/nlr",
        texts_in=nlr_texts,
    ),
    limits=lambda policy: replace(policy, cutoff=CUTOFF, cutoff_source="published"),
)


def offered(cutoff: Decimal = CUTOFF) -> AbstractContextManager[Any]:
    """Offer the second service beside the first while a block lasts."""
    service = replace(NLR_RISK, limits=lambda policy: replace(policy, cutoff=cutoff, cutoff_source="published"))
    return patch("cds_service.app.SERVICES", (*SERVICES, service))
