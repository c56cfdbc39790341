"""The CDS Hooks response: cards and their parts (specification: CDS Service Response, requirements 82-141).

Optional members without a value are left out altogether (requirements 4-6), hence `omit_defaults`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

Indicator = Literal["info", "warning", "critical"]


class Coding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code with its system. `display` is required in override reasons (requirement 104)."""

    code: str
    system: str
    display: str | None = None


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the guidance comes from. The topic is static per rule, since clients key override persistence on it."""

    label: str
    url: str | None = None
    topic: Coding | None = None


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """A link of a card. One of type "smart" launches an app, with `appContext` in its token response."""

    label: str
    url: str
    type: Literal["absolute", "smart"]
    appContext: str | None = None  # noqa: N815  name of the specification

    def __post_init__(self) -> None:
        """Refuse what a client would have to treat as an error."""
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("links are absolute http(s) URLs")
        if self.appContext is not None and self.type != "smart":
            raise ValueError("only a SMART app is given an appContext (requirement 131)")


class Card(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One card. `summary` is one line of at most 139 characters; `detail` is GitHub-flavored markdown without HTML."""

    uuid: str
    summary: str
    indicator: Indicator
    source: Source
    detail: str | None = None
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()


class CDSResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a hook. `cards` is always present, also when empty (requirements 83, 85)."""

    cards: tuple[Card, ...]
    extension: dict[str, Any] = {}


class Verdict(NamedTuple):
    """What log and metrics may know of an answer: codes and counts, nothing of the patient.

    `exclusions` counts the Observations that were not used by reason.
    """

    outcome: str
    reasons: tuple[str, ...] = ()
    exclusions: tuple[tuple[str, int], ...] = ()


class Answer(NamedTuple):
    """What a CDS Service gives back: the response for the client, and the verdict for log and metrics.

    In silent mode the response tells nothing and the verdict still does.
    """

    response: CDSResponse
    verdict: Verdict


_ENCODER = msgspec.json.Encoder()


def encode_response(response: CDSResponse) -> bytes:
    """Encode a response as JSON."""
    return _ENCODER.encode(response)
