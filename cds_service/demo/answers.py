"""What a CDS Client reads from the service's answer, checked before anything of it is shown.

A card with an unknown indicator is an error, not a card without color (CDS Hooks 2.0, Card Attributes).
Unknown members are ignored, as a client must.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003  pydantic reads the annotations at run time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from cds_service.cards.wording import texts_in
from cds_service.clinical.reasons import Reason
from cds_service.demo.wording import page_texts_in

ASSESSMENT_EXTENSION = "org.sii-cds.assessment"


class _Answered(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class Coding(_Answered):
    """A code of the service, such as a reason to dismiss the card."""

    code: str
    system: str
    display: str = ""


class Source(_Answered):
    """Where the guidance comes from."""

    label: str
    url: str = ""


class Link(_Answered):
    """A link of the card."""

    label: str
    url: str
    type: Literal["absolute", "smart"]
    app_context: str = ""


class Suggestion(_Answered):
    """Something the user may accept; only one with a uuid can be reported."""

    label: str
    uuid: str = ""


class Card(_Answered):
    """A CDS Hooks card."""

    uuid: str = ""
    summary: str
    detail: str = ""
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()


class Assessment(_Answered):
    """The service's assessment: why there is a card, or why there is none. SII in 10*9/L."""

    outcome: str
    reasons: tuple[str, ...] = ()
    exclusions: dict[str, int] = Field(default_factory=dict)
    sii: Decimal | None = None
    cutoff: Decimal | None = None
    basis: str | None = None
    sample_time: str | None = None
    days_from_procedure: int | None = None
    relation: str | None = None
    rule_version: str | None = None


class HookAnswer(_Answered):
    """The body of a successful answer."""

    cards: tuple[Card, ...]
    extension: dict[str, Any] = Field(default_factory=dict)

    def assessment(self) -> Assessment | None:
        """Return the assessment, or None where the service is told not to send it.

        Raises pydantic.ValidationError if there is one that cannot be read.
        """
        sent = self.extension.get(ASSESSMENT_EXTENSION)
        return None if sent is None else Assessment.model_validate(sent)


class Issue(_Answered):
    """One issue of an OperationOutcome."""

    diagnostics: str = ""
    details: dict[str, Any] = Field(default_factory=dict)

    def text(self) -> str:
        """Return what the issue says, or an empty text."""
        return self.diagnostics or str(self.details.get("text", ""))


class OperationOutcome(_Answered):
    """The body of an unsuccessful answer."""

    resource_type: Literal["OperationOutcome"]
    issue: tuple[Issue, ...]

    def texts(self) -> tuple[str, ...]:
        """Return what the issues say."""
        return tuple(text for issue in self.issue if (text := issue.text()))


REASON_CODES = frozenset(reason.value for reason in Reason)


def sentence(reason: str, language: str = "en") -> str:
    """Return the sentence of the cards for a reason code; a code without one is shown as it is."""
    if reason not in REASON_CODES:
        return page_texts_in(language).unknown_reason.format(reason)
    return texts_in(language).reasons[Reason(reason)]
