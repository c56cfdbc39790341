"""How a CDS Service speaks: what its cards say and cite, in each language."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.rule import Rule
    from cds_service.hooks.response import Coding


class Voice(NamedTuple):
    """The rule that the cards of a service are about, its source, and its texts in a language.

    `topic` is static, and its code alphanumeric: Epic keys the persistence of overrides on it.
    """

    rule: Rule
    topic: Coding
    source_url: str
    texts_in: Callable[[str], Texts]
